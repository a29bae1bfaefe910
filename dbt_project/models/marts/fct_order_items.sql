with

order_items as (

    select * from {{ ref('stg_order_items') }}

),

orders as (

    select * from {{ ref('stg_orders') }}

),

products as (

    select * from {{ ref('stg_products') }}

),

joined as (

    select
        order_items.order_item_id,
        order_items.order_id,
        order_items.product_id,
        orders.customer_id,
        products.product_category,
        cast(orders.ordered_at as date) as order_date,
        order_items.quantity,
        order_items.unit_price,
        order_items.item_amount,
        order_items.quantity * products.cost as item_cost,
        order_items.item_amount - order_items.quantity * products.cost as item_margin
    from order_items
    inner join orders on order_items.order_id = orders.order_id
    inner join products on order_items.product_id = products.product_id

)

select * from joined
