{#
    Tables that everybody may read are built in the file that becomes the published one, everything else in the build's
    own. Which is which, is said once: by `file` in the meta of a model.
#}
{% macro generate_database_name(custom_database_name=none, node=none) -%}
    {%- if node is not none and node.config.get('meta', {}).get('file') == 'warehouse' -%}
        shared
    {%- else -%}
        {{ custom_database_name or target.database }}
    {%- endif -%}
{%- endmacro %}
