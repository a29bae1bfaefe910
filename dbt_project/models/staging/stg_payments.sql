with

source as (

    select * from {{ ref('raw_payments') }}

),

renamed as (

    select
        payment_id,
        order_id,
        method as payment_method,
        status as payment_status,
        {{ cents_to_euros('amount_cents') }} as payment_amount,
        paid_at
    from source

)

select * from renamed
