{# The calendar day of a UTC timestamp in the company's time zone. Both arguments are SQL expressions. #}
{% macro company_date(timestamp_utc, time_zone) -%}
    {{ return(adapter.dispatch('company_date')(timestamp_utc, time_zone)) }}
{%- endmacro %}

{% macro default__company_date(timestamp_utc, time_zone) -%}
    cast(timezone({{ time_zone }}, timezone('UTC', {{ timestamp_utc }})) as date)
{%- endmacro %}

{% macro spark__company_date(timestamp_utc, time_zone) -%}
    to_date(from_utc_timestamp({{ timestamp_utc }}, {{ time_zone }}))
{%- endmacro %}
