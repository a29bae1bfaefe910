{% macro cents_to_euros(column_name) -%}
    cast({{ column_name }} / 100 as {{ dbt.type_numeric() }})
{%- endmacro %}
