{{
    config(
        materialized='incremental',
        unique_key='order_id',
        incremental_strategy='merge',
        on_schema_change='append_new_columns',
        cluster_by=['order_id']
    )
}}

with

orders as (

    select * from {{ ref('stg_orders') }}

    {% if is_incremental() %}
    -- Three days more than strictly needed: a row may reach the raw table late.
    where updated_at >= (
        select
            coalesce(
                cast({{ dbt.dateadd('day', -3, 'max(updated_at)') }} as {{ dbt.type_timestamp() }}),
                cast('1970-01-01' as {{ dbt.type_timestamp() }})
            )
        from {{ this }}
    )
    {% endif %}

),

items as (

    select * from {{ ref('int_order_items_per_order') }}

),

payments as (

    select * from {{ ref('int_payments_per_order') }}

),

joined as (

    select
        orders.order_id,
        orders.customer_id,
        orders.order_status,
        orders.order_channel,
        cast(orders.ordered_at as date) as order_date,
        items.item_count,
        items.item_quantity,
        items.items_amount,
        orders.shipping_amount,
        items.items_amount + orders.shipping_amount as order_amount,
        coalesce(payments.paid_amount, 0) as paid_amount,
        coalesce(payments.refunded_amount, 0) as refunded_amount,
        orders.ordered_at,
        orders.updated_at
    from orders
    inner join items on orders.order_id = items.order_id
    left join payments on orders.order_id = payments.order_id

)

select * from joined
