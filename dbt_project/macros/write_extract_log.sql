{#
    Stands in for an extract job, which this sample does not have.

    A real extract job writes a line to its log for each table that it loads. Here a hook does
    that at the start of each run, also before `dbt source freshness`. So the log exists even in
    an empty database, and it is fresh although the seeds are old. Once a real job writes the log,
    delete this macro, its .yml file, and the hook and the variable in dbt_project.yml.
#}
{% macro write_extract_log() %}
    {% set extract_log = source('extract', 'extract_log') %}
    {% set raw_tables = [
        'raw_customers',
        'raw_products',
        'raw_orders',
        'raw_order_items',
        'raw_payments',
    ] %}
    {% set age = var('extract_age_hours') | int %}

    {% if execute %}
        {% do adapter.create_schema(extract_log) %}
    {% endif %}

    create or replace table {{ extract_log }} as

    {% for table_name in raw_tables %}
    select
        '{{ table_name }}' as table_name,
        cast(
            {{ dbt.dateadd('hour', -age, dbt.current_timestamp()) }}
            as {{ dbt.type_timestamp() }}
        ) as loaded_at
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
{% endmacro %}
