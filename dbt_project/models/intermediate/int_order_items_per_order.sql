with

order_items as (

    select * from {{ ref('stg_order_items') }}

),

per_order as (

    select
        order_id,
        count(*) as item_count,
        sum(quantity) as item_quantity,
        sum(item_amount) as items_amount
    from order_items
    group by order_id

)

select * from per_order
