{# The kind of contact point that each channel reaches: one row per channel. #}
{% macro channel_kinds() -%}
    select
        channel,
        kind
    from (
        values
            ('email', 'email'),
            ('sms', 'phone'),
            ('messenger', 'phone'),
            ('phone', 'phone'),
            ('post', 'address'),
            ('ad_platform', 'email')
    ) as channel_kinds (channel, kind)
{%- endmacro %}
