{# Rows for which an expression over their own columns is false; null counts as true. #}
{% test expression_is_true(model, expression) %}
    select *
    from {{ model }}
    where not ({{ expression }})
{% endtest %}
