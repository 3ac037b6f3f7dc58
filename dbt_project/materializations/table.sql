{#
    A table in one statement. dbt's own way makes it under another name, renames twice and drops what was there before,
    so that readers never miss it: nobody reads an open build, and a step that ended in between is known to be unfinished.
    No model has hooks, grants or indexes.
#}
{% materialization table, adapter='duckdb' %}
    {% set relation = this.incorporate(type='table') %}
    {% call statement('main') %}
        {{ drop_existing(this) }}
        {{ create_table_as(False, relation, compiled_code, 'sql') }}
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
