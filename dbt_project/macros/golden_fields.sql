{#
    The fields of the golden record by the group they survive in: all fields of a group come from one record.
    `sound` is the condition under which a record's group is complete (a valid e-mail); such records win first.
#}
{% macro golden_fields() %}
    {{ return({
        'name': {
            'fields': ['salutation', 'title', 'first_name', 'last_name'],
            'sound': 'first_name is not null and last_name is not null',
        },
        'email': {'fields': ['email'], 'sound': 'coalesce(is_email_valid, false)'},
        'phone': {'fields': ['phone'], 'sound': 'true'},
        'mobile': {'fields': ['mobile'], 'sound': 'true'},
        'address': {
            'fields': ['street', 'house_number', 'postal_code', 'city', 'region', 'country'],
            'sound': 'street is not null and postal_code is not null and city is not null',
        },
        'birth_date': {'fields': ['birth_date'], 'sound': 'true'},
        'company': {
            'fields': ['company_record_key', 'company_name', 'job_title'],
            'sound': 'company_name is not null or company_record_key is not null',
        },
        'language': {'fields': ['language'], 'sound': 'true'},
        'gender': {'fields': ['gender'], 'sound': 'true'},
    }) }}
{% endmacro %}
