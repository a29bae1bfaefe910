with

products as (

    select * from {{ ref('stg_products') }}

),

order_items as (

    select * from {{ ref('fct_order_items') }}

),

sales_per_product as (

    select
        product_id,
        sum(quantity) as quantity_sold
    from order_items
    group by product_id

),

joined as (

    select
        products.product_id,
        products.product_name,
        products.product_category,
        products.price,
        products.cost,
        products.price - products.cost as margin,
        coalesce(sales_per_product.quantity_sold, 0) as quantity_sold
    from products
    left join sales_per_product on products.product_id = sales_per_product.product_id

)

select * from joined
