{#
    A record is deleted when its source says so, or when it was merged into another record there. One that a rule of the
    audit set aside counts as deleted until it is mended.
#}
{% macro is_deleted() -%}
    (
            deleted_at is not null
            or {{ trimmed('merged_into_record_id') }} is not null
            or record_key in (select quarantined.record_key from {{ source('raw', 'quarantine') }} as quarantined)
        )
{%- endmacro %}
