{# The moment itself or, for what happened after as_of, while sources were still read, as_of: it holds already. #}
{% macro known_by(as_of, moment) -%}
    case when {{ moment }} > {{ as_of }} then {{ as_of }} else {{ moment }} end
{%- endmacro %}
