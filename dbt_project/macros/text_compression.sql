{#
    How the texts of a column are compressed, '' where the engine is to find out. It tries every way on every value, which
    is most of the time of writing a table, and what a text is, is known: a key occurs once, a word of a closed set in
    every second row. What only the next models read is not compressed at all; writing it took longer than its query.
    A wrong guess costs space, never a value. The build's own file has one way for all texts, and none to choose.
#}
{% macro text_compression(column, is_first) -%}
    {%- set keys_of_few = ['campaign_key', 'deal_key', 'product_key', 'parent_product_key', 'variant_of_key'] -%}
    {%- if this.schema == 'intermediate' -%}
        uncompressed
    {%- elif this.database != 'shared' or column in keys_of_few + ['value'] -%}
    {%- elif column.endswith('_key') or (is_first and column.endswith('_id')) -%}
        fsst
    {%- elif not column.endswith('_id') -%}
        dictionary
    {%- endif -%}
{%- endmacro %}
