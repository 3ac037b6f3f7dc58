{# What the record of the lowest rank says that says anything, for each record of an account, as known_<field>. #}
{% macro next_known(field) -%}
    first_value({{ field }} ignore nulls) over (
            partition by account_id
            order by record_rank
            rows between unbounded preceding and unbounded following
        ) as known_{{ field }}
{%- endmacro %}
