"""A small dbt project on DuckDB, as the callers of the end-to-end tests have one."""

from textwrap import dedent

PROFILES = """
    warehouse:
      target: dev
      outputs:
        dev: {type: duckdb, path: dev.duckdb}
        prod: {type: duckdb, path: prod.duckdb, threads: 2}
"""
PROJECT = """
    name: warehouse
    version: "1.0"
    profile: warehouse
    flags:
      send_anonymous_usage_stats: false
"""
MODELS = {
    "stg_orders": "select 1 as order_id, 10 as amount union all select 2, {{ env_var('AMOUNT', '20') }}",
    "stg_customers": "select 1 as customer_id",
    "orders": "select * from {{ ref('stg_orders') }}",
    "revenue": "select sum(amount) as revenue from {{ ref('orders') }}",
}
BROKEN_ORDERS = """
    {{ config(materialized="table") }}
    select cast('twelve' as integer) as order_id, amount from {{ ref('stg_orders') }}
"""


def dbt_project(folder: str = "", *, profiles: str = PROFILES, **models: str) -> dict[str, str]:
    """The project's files, below `folder`; `models` adds to the models or replaces them."""
    files = {"dbt_project.yml": PROJECT, "profiles.yml": profiles}
    files |= {f"models/{name}.sql": sql for name, sql in {**MODELS, **models}.items()}
    return {f"{folder}/{name}" if folder else name: dedent(text) for name, text in files.items()}
