-- Who lives together, as far as it can be seen: persons of one last name at one postal address. Father and son, and
-- also two families Maier of one tower block; so a household is never evidence of who somebody is.
{% set most_members = 10 %}  -- above it, the address is that of a home, an office or a default
with

customers as (
    select * from {{ ref('int_customers_described') }}
    where kind = 'person' and status = 'active' and not is_deceased and not is_test
),

profiles as (
    select * from {{ ref('customer_profiles') }}
    where street is not null and postal_code is not null and last_name is not null
),

addressed as (
    select
        customers.customer_id,
        customers.acquired_at,
        concat_ws(
            '|',
            coalesce(profiles.country, ''),
            profiles.postal_code,
            {{ plain_name('profiles.street') }},
            lower(coalesce(profiles.house_number, '')),
            {{ plain_name('profiles.last_name') }}
        ) as household
    from customers
    inner join profiles on customers.customer_id = profiles.customer_id
),

ranked as (
    select
        customer_id,
        household,
        count(*) over (partition by household) as member_count,
        row_number() over (partition by household order by acquired_at asc nulls last, customer_id asc) as age_rank
    from addressed
),

founders as (
    select
        household,
        customer_id
    from ranked
    where age_rank = 1 and member_count between 2 and {{ most_members }}
),

final as (
    select
        concat('h_', substring(founders.customer_id, 3)) as household_id,
        ranked.customer_id,
        ranked.age_rank = 1 as is_oldest
    from ranked
    inner join founders on ranked.household = founders.household
)

select * from final
