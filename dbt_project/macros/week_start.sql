{#
    Not dbt.date_trunc('week', ...): BigQuery starts the week on Sunday, DuckDB on Monday.
    1900-01-01 was a Monday.
#}
{% macro week_start(date_column) -%}
    {%- set monday = "cast('1900-01-01' as date)" -%}
    {%- set days_after_monday = "mod(" ~ dbt.datediff(monday, date_column, 'day') ~ ", 7)" -%}
    cast({{ dbt.dateadd('day', "-" ~ days_after_monday, date_column) }} as date)
{%- endmacro %}
