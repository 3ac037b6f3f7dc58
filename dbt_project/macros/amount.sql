{# Every amount has one type, so that sums reconcile to the last digit. Halves are rounded away from zero. #}
{% macro amount(expression) -%}
    cast(round({{ expression }}, 4) as decimal(18, 4))
{%- endmacro %}

{#
    The part of an amount in the proportion numerator to denominator. The engine divides in double precision, which
    is exact to four decimals up to ten billion; the result is rounded back to an amount at once.
#}
{% macro part_of(whole, numerator, denominator) -%}
    {{ amount('cast(' ~ whole ~ ' as double) * cast(' ~ numerator ~ ' as double) / cast(' ~ denominator ~ ' as double)') }}
{%- endmacro %}
