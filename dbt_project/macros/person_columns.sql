{#
    The columns of every person entity, cast and trimmed, in the order of its raw table: contacts, shop customers,
    support users. `own` are those that only one of them has.
#}
{% macro person_columns(own=[]) -%}
    record_key,
        source_system,
        source_record_id,
    {%- for field in [
        'salutation', 'title', 'first_name', 'last_name', 'full_name', 'email', 'phone', 'mobile', 'street',
        'postal_code', 'city', 'region', 'country', 'gender', 'language', 'company_record_id', 'company_name',
        'job_title', 'lifecycle_stage', 'lead_source', 'owner',
    ] %}
        {{ trimmed_text(field) }},
    {%- endfor %}
        birth_date,
        is_test,
        is_deceased,
        is_employee,
    {%- for column in own %}
        {{ column }},
    {%- endfor %}
        company_record_key,
        {{ system_columns() }}
{%- endmacro %}
