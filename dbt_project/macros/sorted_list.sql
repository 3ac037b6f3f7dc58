{#
    The values of a group, of which none occurs twice in it, as one text: several times faster than an ordered string
    aggregate.
#}
{% macro sorted_list(expression, separator) -%}
    array_to_string(list_sort(list({{ expression }})), '{{ separator }}')
{%- endmacro %}
