with

source as (

    select * from {{ ref('raw_customers') }}

),

renamed as (

    select
        customer_id,
        country_code,
        segment as customer_segment,
        signed_up_at
    from source

)

select * from renamed
