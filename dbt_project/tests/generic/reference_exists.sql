{# Rows that refer to something that is not there; null refers to nothing. #}
{% test reference_exists(model, column, to, field) %}
    select referring.{{ column }}
    from {{ model }} as referring
    left join {{ to }} as referred on referring.{{ column }} = referred.{{ field }}
    where referring.{{ column }} is not null and referred.{{ field }} is null
{% endtest %}
