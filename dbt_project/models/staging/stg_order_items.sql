with

source as (

    select * from {{ ref('raw_order_items') }}

),

renamed as (

    select
        order_item_id,
        order_id,
        product_id,
        quantity,
        {{ cents_to_euros('unit_price_cents') }} as unit_price,
        {{ cents_to_euros('quantity * unit_price_cents') }} as item_amount
    from source

)

select * from renamed
