with

products as (
    select * from {{ ref('stg_shop__products') }}
    where not is_deleted
),

build as (
    select * from {{ source('config', 'build') }}
),

renamed as (
    select
        products.record_key as product_key,
        products.source_system,
        products.sku,
        products.name,
        products.category,
        products.category_path,
        products.brand,
        products.parent_product_record_key as parent_product_key,
        coalesce(upper(products.currency), build.base_currency) as currency,
        products.list_amount,
        products.cost_amount,
        coalesce(products.is_gift_card, false) as is_gift_card,
        coalesce(products.is_sensitive, false) as is_sensitive,
        products.created_at,
        products.updated_at
    from products
    cross join build
),

final as (
    select * from renamed
)

select * from final
