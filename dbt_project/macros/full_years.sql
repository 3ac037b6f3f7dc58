{# Full years between two dates, as an age is counted: 29 February has its birthday on 1 March of other years. #}
{% macro full_years(from_date, to_date) -%}
    cast(
        floor(
            (
                (extract(year from {{ to_date }}) * 10000 + extract(month from {{ to_date }}) * 100 + extract(day from {{ to_date }}))
                - (extract(year from {{ from_date }}) * 10000 + extract(month from {{ from_date }}) * 100 + extract(day from {{ from_date }}))
            ) / 10000
        ) as bigint
    )
{%- endmacro %}
