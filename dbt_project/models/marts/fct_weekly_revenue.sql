with

orders as (

    select * from {{ ref('fct_orders') }}

),

with_week as (

    select
        {{ week_start('order_date') }} as week_start_date,
        order_id,
        customer_id,
        paid_amount,
        refunded_amount
    from orders

),

per_week as (

    select
        week_start_date,
        count(order_id) as order_count,
        count(distinct customer_id) as customer_count,
        sum(paid_amount) as revenue,
        sum(refunded_amount) as refunded_amount
    from with_week
    group by week_start_date

)

select * from per_week
