{#
    The words of a title for comparing: lower case, umlauts as digraphs, one blank before and between them.
#}
{% macro title_words(column) -%}
    concat(
        ' ',
        replace(replace(replace(replace(replace(replace(replace(
            lower({{ column }}), 'ä', 'ae'), 'ö', 'oe'), 'ü', 'ue'), 'ß', 'ss'), '-', ' '), '/', ' '), '.', ' ')
    )
{%- endmacro %}
