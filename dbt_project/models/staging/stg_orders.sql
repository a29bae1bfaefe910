with

source as (

    select * from {{ ref('raw_orders') }}

),

renamed as (

    select
        order_id,
        customer_id,
        status as order_status,
        channel as order_channel,
        {{ cents_to_euros('shipping_cents') }} as shipping_amount,
        ordered_at,
        updated_at
    from source

)

select * from renamed
