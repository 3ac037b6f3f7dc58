{#
    The values of a group as one text, several times faster than an ordered string aggregate. Values that are unique
    in their group need no `distinct`, which would double the work.
#}
{% macro sorted_list(expression, separator, distinct=true) -%}
    array_to_string(list_sort(list({{ 'distinct ' if distinct }}{{ expression }})), '{{ separator }}')
{%- endmacro %}
