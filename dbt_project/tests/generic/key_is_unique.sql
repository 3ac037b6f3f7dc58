{# Keys that occur more than once, or are null in a part. #}
{% test key_is_unique(model, columns) %}
    select
        {{ columns | join(', ') }},
        count(*) as row_count
    from {{ model }}
    group by {{ columns | join(', ') }}
    having count(*) > 1{% for column in columns %} or {{ column }} is null{% endfor %}
{% endtest %}
