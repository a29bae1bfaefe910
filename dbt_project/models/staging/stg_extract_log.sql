with

source as (

    select * from {{ source('extract', 'extract_log') }}

),

renamed as (

    select
        table_name,
        loaded_at
    from source

)

select * from renamed
