{# A UTC timestamp as a whole number, which sorts both ways without a rule for each. #}
{% macro microseconds(timestamp_utc) -%}
    {{ return(adapter.dispatch('microseconds')(timestamp_utc)) }}
{%- endmacro %}

{% macro default__microseconds(timestamp_utc) -%}
    epoch_us({{ timestamp_utc }})
{%- endmacro %}

{% macro spark__microseconds(timestamp_utc) -%}
    unix_micros({{ timestamp_utc }})
{%- endmacro %}
