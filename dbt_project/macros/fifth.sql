{#
    In which fifth of all rows a value lies, 1 to 5 in the given order: the place of the middle of all rows with this
    value. Rows with one value are never torn apart, most of them have one order; a single row lies in the middle.
#}
{% macro fifth(column, direction) -%}
    cast(
        ceil(
            5 * (
                2 * (rank() over (order by {{ column }} {{ direction }}) - 1)
                + count(*) over (partition by {{ column }})
            ) / (2 * count(*) over ())
        ) as bigint
    )
{%- endmacro %}
