{# Lower case, umlauts as digraphs: for comparing, never for showing. #}
{% macro plain_text(column) -%}
    replace(replace(replace(replace(lower({{ column }}), 'ä', 'ae'), 'ö', 'oe'), 'ü', 'ue'), 'ß', 'ss')
{%- endmacro %}

{# The words of a title for comparing: one blank before and between them. #}
{% macro title_words(column) -%}
    concat(' ', replace(replace(replace({{ plain_text(column) }}, '-', ' '), '/', ' '), '.', ' '))
{%- endmacro %}

{#
    A last name or street for comparing in one house: Müller, Mueller and Muller are one there, as are Am Bach, Am-Bach
    and Ambach.
#}
{% macro plain_name(column) -%}
    translate(replace(replace(replace({{ plain_text(column) }}, 'ae', 'a'), 'oe', 'o'), 'ue', 'u'), 'éèêáàâóòôíìîç -.', 'eeeaaaoooiiic')
{%- endmacro %}
