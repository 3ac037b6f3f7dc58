{#
    Tables that are published are built in the file that becomes that of the version: by `file` in the meta of a model.
    What only later models read is built in a file of its own (`+database` in dbt_project.yml), which is neither
    audited nor published, everything else in the build's own.
#}
{% macro generate_database_name(custom_database_name=none, node=none) -%}
    {%- set catalogs = {'warehouse': 'shared', 'restricted': 'restricted'} -%}
    {%- set file = node.config.get('meta', {}).get('file') if node is not none else none -%}
    {{- catalogs.get(file) or custom_database_name or target.database -}}
{%- endmacro %}
