with

products as (

    select * from {{ source('raw', 'shop_products') }}

),

cast_and_trimmed as (

    select
        record_key,
        source_system,
        source_record_id,
        {{ trimmed_text('sku') }},
        {{ trimmed_text('name') }},
        {{ trimmed_text('category') }},
        {{ trimmed_text('category_path') }},
        {{ trimmed_text('brand') }},
        {{ trimmed_text('parent_product_record_id') }},
        {{ trimmed_text('currency') }},
        list_amount,
        cost_amount,
        is_gift_card,
        is_sensitive,
        parent_product_record_key,
        {{ system_columns() }}
    from products

)

select * from cast_and_trimmed
