with

accounts as (
    select * from {{ ref('int_accounts_described') }}
),

final as (
    select
        account_id,
        name,
        legal_form,
        domain,
        vat_id,
        register_number,
        street,
        postal_code,
        city,
        country
    from accounts
)

select * from final
