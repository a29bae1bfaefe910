with

source as (

    select * from {{ ref('raw_products') }}

),

renamed as (

    select
        product_id,
        name as product_name,
        category as product_category,
        {{ cents_to_euros('price_cents') }} as price,
        {{ cents_to_euros('cost_cents') }} as cost,
        updated_at
    from source

)

select * from renamed
