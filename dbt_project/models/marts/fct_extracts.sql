with

extract_log as (

    select * from {{ ref('stg_extract_log') }}

),

latest as (

    select
        table_name,
        max(loaded_at) as last_loaded_at
    from extract_log
    group by table_name

)

select * from latest
