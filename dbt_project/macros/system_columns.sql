{# The columns that every entity ends with, in the order of its raw table, and whether the record is gone. #}
{% macro system_columns() -%}
    created_at,
        updated_at,
        deleted_at,
        {{ trimmed_text('merged_into_record_id') }},
        merged_into_record_key,
        identifiers,
        custom,
        _loaded_at,
        _run_id,
        {{ is_deleted() }} as is_deleted
{%- endmacro %}
