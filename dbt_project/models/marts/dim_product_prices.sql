with

history as (

    select * from {{ ref('products_snapshot') }}

),

renamed as (

    select
        dbt_scd_id as product_price_id,
        product_id,
        price,
        cost,
        dbt_valid_from as valid_from,
        dbt_valid_to as valid_to,
        dbt_valid_to is null as is_current
    from history

)

select * from renamed
