{#
    How the texts of a column are compressed, '' where the engine is to find out. It tries every way on every value, which
    is most of the time of writing a table, and what a text is, is known: a key occurs once, a word of a closed set in
    every second row. A wrong guess costs space, never a value.
    What is only read by later models, or copied into another file when it is published, is not compressed at all; but the
    lineage repeats every key for many fields, and is a fifth of its size when it is.
#}
{% macro text_compression(column, is_first) -%}
    {%- set keys_of_few = ['campaign_key', 'deal_key', 'product_key', 'parent_product_key', 'variant_of_key'] -%}
    {%- if this.identifier == 'customer_field_lineage' -%}
    {%- elif this.database != 'shared' -%}
        uncompressed
    {%- elif column in keys_of_few + ['value'] -%}
    {%- elif column.endswith('_key') or (is_first and column.endswith('_id')) -%}
        fsst
    {%- elif not column.endswith('_id') -%}
        dictionary
    {%- endif -%}
{%- endmacro %}
