with

customers as (

    select * from {{ ref('stg_customers') }}

),

orders as (

    select * from {{ ref('fct_orders') }}

),

orders_per_customer as (

    select
        customer_id,
        count(order_id) as order_count,
        sum(paid_amount) as lifetime_revenue,
        min(ordered_at) as first_ordered_at,
        max(ordered_at) as last_ordered_at
    from orders
    where order_status != 'cancelled'
    group by customer_id

),

joined as (

    select
        customers.customer_id,
        customers.country_code,
        customers.customer_segment,
        customers.signed_up_at,
        orders_per_customer.first_ordered_at,
        orders_per_customer.last_ordered_at,
        coalesce(orders_per_customer.order_count, 0) as order_count,
        coalesce(orders_per_customer.lifetime_revenue, 0) as lifetime_revenue,
        case
            when orders_per_customer.order_count is null then 'no order yet'
            when orders_per_customer.order_count = 1 then 'one order'
            else 'returning'
        end as customer_type
    from customers
    left join orders_per_customer on customers.customer_id = orders_per_customer.customer_id

)

select * from joined
