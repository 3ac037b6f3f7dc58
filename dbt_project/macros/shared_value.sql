{#
    A value that people choose from a list is shared by many rows; one that somebody typed is not. Only values of at
    least five rows may stand in a pseudonymous table, the others are null there and kept in `free_texts`.
#}
{% macro shared_value(column) -%}
    case when count(*) over (partition by {{ column }}) >= 5 then {{ column }} end
{%- endmacro %}
