{#
    A table in one statement. dbt's own way makes it under another name, renames twice and drops what was there before,
    so that readers never miss it: nobody reads an open build, and a step that ended in between is known to be unfinished.
    No model has hooks, grants or indexes.
#}
{% materialization table, adapter='duckdb' %}
    {% set relation = this.incorporate(type='table') %}
    {% call statement('main') %}
        {{ drop_existing(this) }}
        {%- if config.get('contract').enforced %}
            {{ get_assert_columns_equivalent(compiled_code) }}
            {%- set columns = model.columns.values() | list %}
            {%- set query = get_select_subquery(compiled_code) %}
        {%- else %}
            {%- set columns = get_column_schema_from_query(compiled_code) %}
            {%- set query = compiled_code %}
        {%- endif %}
        create table {{ relation }} (
            {%- for column in columns %}
                {{ declare_column(column.name, column.dtype or column.data_type, loop.first) }}{{ ',' if not loop.last }}
            {%- endfor %}
        );
        insert into {{ relation }} by name ({{ query }});
    {% endcall %}
    {% do adapter.commit() %}
    {{ return({'relations': [relation]}) }}
{% endmaterialization %}

{% materialization view, adapter='duckdb' %}
    {% set relation = this.incorporate(type='view') %}
    {% call statement('main') %}
        {{ drop_existing(this) }}
        {{ create_view_as(relation, compiled_code) }}
    {% endcall %}
    {% do adapter.commit() %}
    {{ return({'relations': [relation]}) }}
{% endmaterialization %}

{% macro drop_existing(relation) -%}
    {%- set existing = load_cached_relation(relation) -%}
    {%- if existing is not none -%}
        drop {{ existing.type }} if exists {{ existing }};
    {%- endif -%}
{%- endmacro %}

{% macro declare_column(name, data_type, is_first) -%}
    {%- set compression = text_compression(name, is_first) | trim if data_type | lower == 'varchar' else '' -%}
    {{ adapter.quote(name) }} {{ data_type }}{{ ' using compression ' ~ compression if compression }}
{%- endmacro %}
