{{ config(materialized='view') }}

with

customers as (

    select * from {{ ref('dim_customers') }}
    where order_count > 0

),

last_day as (

    -- The newest order stands for today, so the same orders always give the same features.
    select max(last_ordered_at) as last_ordered_at from customers

),

features as (

    select
        cast(customers.customer_id as {{ dbt.type_bigint() }}) as customer_id,
        customers.country_code,
        customers.customer_segment,
        customers.order_count,
        cast(customers.lifetime_revenue as {{ dbt.type_float() }}) as lifetime_revenue,
        cast(
            customers.lifetime_revenue / customers.order_count as {{ dbt.type_float() }}
        ) as average_order_revenue,
        {{ dbt.datediff('customers.last_ordered_at', 'last_day.last_ordered_at', 'day') }}
            as days_since_last_order
    from customers
    cross join last_day

)

select * from features
