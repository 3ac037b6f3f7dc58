{# A text column without white space around it (also no-break and zero-width spaces, which exports carry), else NULL. #}
{% macro trimmed_text(column) -%}
    {{ trimmed(column) }} as {{ adapter.quote(column) }}
{%- endmacro %}

{% macro trimmed(column) -%}
    nullif(trim({{ adapter.quote(column) }}, ' ' || chr(9) || chr(10) || chr(13) || chr(160) || chr(8203) || chr(65279)), '')
{%- endmacro %}
