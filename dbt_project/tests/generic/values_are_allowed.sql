{# Rows whose value is none of a closed set; null is allowed. #}
{% test values_are_allowed(model, column, values) %}
    select {{ column }}
    from {{ model }}
    where {{ column }} not in ('{{ values | join("', '") }}')
{% endtest %}
