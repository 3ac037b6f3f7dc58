{#
    The fields of the golden record by the group they survive in: all fields of a group come from one record.
    `core` are those that say what the value is: the more of them a record fills, the more complete it is, and records
    with the same ones say the same. `complete` counts otherwise, where filling them is not enough (an invalid e-mail).
#}
{% macro golden_fields() %}
    {{ return({
        'name': {
            'fields': ['salutation', 'title', 'first_name', 'last_name'],
            'core': ['first_name', 'last_name'],
        },
        'email': {
            'fields': ['email'],
            'core': ['email'],
            'complete': 'case when is_email_valid then 1 else 0 end',
        },
        'phone': {'fields': ['phone'], 'core': ['phone']},
        'mobile': {'fields': ['mobile'], 'core': ['mobile']},
        'address': {
            'fields': ['street', 'house_number', 'postal_code', 'city', 'region', 'country'],
            'core': ['street', 'postal_code', 'city'],
        },
        'birth_date': {'fields': ['birth_date'], 'core': ['birth_date']},
        'company': {
            'fields': ['company_record_key', 'company_name', 'job_title'],
            'core': ['company_name', 'company_record_key'],
            'complete': 'case when company_name is not null or company_record_key is not null then 1 else 0 end',
        },
        'language': {'fields': ['language'], 'core': ['language']},
        'gender': {'fields': ['gender'], 'core': ['gender']},
    }) }}
{% endmacro %}

{# The positions of a list of strategies: there are five of them, each named once at most. #}
{% macro strategy_positions() %}
    {{ return([1, 2, 3, 4, 5]) }}
{% endmacro %}

{# How many of the fields hold a value. #}
{% macro filled_count(fields) -%}
    {% for field in fields %}
        {{- ' + ' if not loop.first -}} case when {{ field }} is not null then 1 else 0 end
    {%- endfor %}
{%- endmacro %}

{# What the fields say, as one text. #}
{% macro said_value(fields) -%}
    {% if fields | length == 1 -%}
        cast({{ fields[0] }} as varchar)
    {%- else -%}
        concat_ws('|', {% for field in fields %}coalesce({{ field }}, ''){{ ', ' if not loop.last }}{% endfor %})
    {%- endif %}
{%- endmacro %}

{# The owner's strategies for each group of `golden_fields`, with the number that stands for it among candidates. #}
{% macro golden_group_strategies(groups) -%}
    select
        golden_groups.group_number,
        survivorship.*
    from {{ source('config', 'survivorship') }} as survivorship
    inner join (
        values
            {% for field_group in groups %}
                ('{{ field_group }}', {{ loop.index }}){{ ',' if not loop.last }}
            {% endfor %}
    ) as golden_groups (field_group, group_number)
        on survivorship.field_group = golden_groups.field_group
{%- endmacro %}
