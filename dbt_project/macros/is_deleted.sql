{# A record is deleted when its source says so, or when it was merged into another record there. #}
{% macro is_deleted() -%}
    (deleted_at is not null or {{ trimmed('merged_into_record_id') }} is not null)
{%- endmacro %}
