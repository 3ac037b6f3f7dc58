{#
    How the texts of a column are compressed, '' where the engine is to find out. It tries every way on every value, which
    is most of the time of writing a table, and what a text is, is known: a key occurs once, a word of a closed set in
    every second row. A wrong guess costs space, never a value.
    Of what only later models read, words alone are compressed, which makes reading them faster. What people are called and
    where they live is like keys; the lineage repeats its keys for every field.
#}
{% macro text_compression(column, is_first) -%}
    {%- set keys_of_few = ['campaign_key', 'deal_key', 'product_key', 'parent_product_key', 'variant_of_key'] -%}
    {%- set words = ['source_system', 'entity', 'kind', 'field', 'sources', 'salutation', 'country', 'gender', 'language'] -%}
    {%- set interim_words = [
        'acquisition_source', 'age_band', 'attribute', 'attribute_group', 'basis', 'category', 'channel', 'claim',
        'closed_as', 'contact_point_kind', 'controller', 'critical_reason', 'currency', 'field_group', 'lifecycle_stage',
        'marketplace', 'payment_status', 'priority', 'processing_status', 'purpose', 'reason', 'role', 'status', 'store',
        'strategy', 'type', 'unassigned_reason', 'utm_medium',
    ] -%}
    {%- if this.database not in ['shared', 'restricted'] -%}
        {{ 'dict_fsst' if column in words + interim_words else 'uncompressed' }}
    {%- elif this.identifier == 'customer_field_lineage' and column != 'value' -%}
        dictionary
    {%- elif this.database == 'restricted' -%}
        {{ 'dictionary' if column in words else 'fsst' }}
    {%- elif column in keys_of_few + ['value'] -%}
    {%- elif column.endswith('_key') or column == 'customer_id' or (is_first and column.endswith('_id')) -%}
        fsst
    {%- elif not column.endswith('_id') -%}
        dictionary
    {%- endif -%}
{%- endmacro %}
