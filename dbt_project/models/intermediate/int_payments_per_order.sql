with

payments as (

    select * from {{ ref('stg_payments') }}

),

per_order as (

    select
        order_id,
        count(*) as payment_count,
        sum(case when payment_status = 'paid' then payment_amount else 0 end) as paid_amount,
        sum(case when payment_status = 'refunded' then payment_amount else 0 end) as refunded_amount
    from payments
    group by order_id

)

select * from per_order
