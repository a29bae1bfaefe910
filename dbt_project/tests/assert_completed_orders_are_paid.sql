-- A completed order is paid to the cent.
select
    order_id,
    order_amount,
    paid_amount
from {{ ref('fct_orders') }}
where
    order_status = 'completed'
    and paid_amount != order_amount
