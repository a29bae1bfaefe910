"""The real workflow with the real dbt-bigquery and Google's own client, on an emulator that nobody here wrote."""

import json
import shutil
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.bigquery_emulator import BigQueryEmulator
from tests.e2e.act import CRON, Act, dispatch
from tests.e2e.caller import Caller
from tests.e2e.outcome import Outcome
from tests.e2e.product import NAME
from tests.e2e.test_dbt_build import CHECKOUT, WORKFLOW, no_issue_was_touched, outputs, results, the_artifact, workflow
from tests.github_double import GitHubDouble

TOKEN = "token-that-the-emulator-takes"
SECRETS = {"DBT_ENV": f"DBT_ENV_SECRET_SHOP_BIGQUERY_TOKEN={TOKEN}"}
# One of each that says how many rows there are, and what they hold; in words that DuckDB has too.
MARTS = {
    "dim_customer_features": "count(*), count(days_since_last_order)",
    "dim_customers": "count(*), cast(100 * sum(lifetime_revenue) as int64)",
    "dim_product_prices": "count(*), cast(100 * sum(price - cost) as int64)",
    "dim_products": "count(*), sum(quantity_sold)",
    "fct_extracts": "count(*), count(last_loaded_at)",
    "fct_order_items": "count(*), cast(100 * sum(item_margin) as int64)",
    "fct_orders": "count(*), cast(100 * sum(order_amount - paid_amount) as int64)",
    "fct_weekly_revenue": "count(*), cast(100 * sum(revenue) as int64)",
}

SOME_ORDERS = """
    select order_id, order_status, order_channel, cast(100 * order_amount as int64)
    from shop_marts.fct_orders where order_id in (1, 2600, 2601) order by order_id
"""
PRICES_OF_THE_FIRST_PRODUCT = """
    select cast(100 * price as int64), cast(valid_to as date)
    from shop_marts.dim_product_prices where product_id = 1 order by price
"""
# The same on a DuckDB file, by the Python that has DuckDB.
ASK_DUCKDB = """
import duckdb, json, sys
with duckdb.connect(sys.argv[1]) as connection:
    rows = {mart: connection.execute(sql).fetchall() for mart, sql in json.loads(sys.argv[2]).items()}
print(json.dumps({mart: [[str(value) for value in row] for row in found] for mart, found in rows.items()}))
"""


@pytest.fixture
def sample(caller: Caller, product: Path) -> Caller:
    """A caller whose project is the sample project."""
    shutil.copytree(product / "dbt_project", caller.folder / "dbt_project")
    return caller


def call_on(emulator: BigQueryEmulator, project: str) -> dict[str, Any]:
    """A job that builds the sample project in a project of Google Cloud; what is not given has its default."""
    variables = {
        "BIGQUERY_EMULATOR_HOST": emulator.url,
        "GOOGLE_CLOUD_PROJECT": project,
        "SHOP_BIGQUERY_METHOD": "oauth-secrets",
    }
    given = {
        "project-dir": "dbt_project",
        "select": "${{ inputs.select }}",
        "dbt-args": "--indirect-selection buildable",
        "source-freshness": "true",
        "env": "\n".join(f"{name}={value}" for name, value in variables.items()),
    }
    return {"uses": WORKFLOW, "with": given, "secrets": {"dbt-env": "${{ secrets.DBT_ENV }}"}}


def edit(file: Path, *replacements: tuple[str, str], added: str = "") -> None:
    text = file.read_text("utf-8")
    for old, new in replacements:
        assert text.count(old) == 1
        text = text.replace(old, new)
    file.write_text(text + added, "utf-8")


def nodes(outcome: Outcome) -> dict[str, dict[str, Any]]:
    """What the uploaded run.json says of each node."""
    return {node["unique_id"]: node for node in json.loads(the_artifact(outcome)["run.json"])["nodes"]}


@pytest.fixture
def marts_on_duckdb(product: Path, dbt_python: Path, tmp_path: Path) -> dict[str, list[tuple[str, ...]]]:
    """The numbers of the sample project's target on DuckDB, built by dbt alone."""
    project, file = str(product / "dbt_project"), str(tmp_path / "shop.duckdb")
    dbt = [str(dbt_python.with_name("dbt")), "--quiet", "build", "--exclude-resource-type", "test", "unit_test"]
    options = ["--project-dir", project, "--target", "local", "--target-path", str(tmp_path / "target")]
    variables = {"HOME": str(tmp_path), "SHOP_DUCKDB_PATH": file, "DBT_LOG_PATH": str(tmp_path), "LANG": "C.UTF-8"}
    subprocess.run([*dbt, *options, "--profiles-dir", project], env=variables, check=True)
    queries = {mart: f"select {numbers} from shop_marts.{mart}" for mart, numbers in MARTS.items()}
    answer = subprocess.check_output([dbt_python, "-c", ASK_DUCKDB, file, json.dumps(queries)])
    return {mart: [tuple(row) for row in rows] for mart, rows in json.loads(answer).items()}


def test_a_night_and_a_dispatch_of_the_sample_project(
    act: Act,
    sample: Caller,
    github: GitHubDouble,
    bigquery_emulator: BigQueryEmulator,
    marts_on_duckdb: dict[str, list[tuple[str, ...]]],
) -> None:
    project = "acme-two-runs"
    sample.commit(workflow(nightly=call_on(bigquery_emulator, project)))

    first = act.run(sample, CRON, secrets=SECRETS, timeout=240)

    assert first.succeeded, first.log
    assert set(first.job.steps.values()) == {"success"}
    assert outputs(first.job)["status"] == "success"
    told = nodes(first)
    assert {node["outcome"] for node in told.values()} == {"passed"}
    assert told.keys() == json.loads(the_artifact(first)["manifest.json"])["parent_map"].keys()
    assert {(node["resource_type"], node["adapter_response"].get("code")) for node in told.values()} == {
        ("operation", None),
        ("source", "SELECT"),
        ("seed", "INSERT"),
        ("model", "CREATE VIEW"),
        ("model", "CREATE TABLE"),
        ("snapshot", "CREATE TABLE"),
        ("test", "SELECT"),
        ("unit_test", None),
        ("exposure", None),
    }
    assert (told["seed.shop.raw_orders"]["rows"], told["model.shop.fct_orders"]["rows"]) == (2600, 2600)
    assert {node["rows"] for node in told.values() if "test" in node["resource_type"]} == {None}
    ask = partial(bigquery_emulator.query, project)
    assert {mart: ask(f"select {numbers} from shop_marts.{mart}") for mart, numbers in MARTS.items()} == marts_on_duckdb

    # What the shop system did by the next night. Order 1 kept its old date, so that nobody reads it once more.
    seeds = sample.folder / "dbt_project/seeds"
    edit(
        seeds / "raw_orders.csv",
        (
            "placed,web,0,2025-12-31 14:35:59,2025-12-31 15:53:59",
            "cancelled,web,0,2025-12-31 14:35:59,2026-01-07 10:00:00",
        ),
        ("\n1,7,completed,web,", "\n1,7,completed,app,"),
        added="2601,311,placed,web,490,2026-01-07 08:00:00,2026-01-07 09:00:00\n",
    )
    edit(seeds / "raw_order_items.csv", added="6269,2601,17,2,1490\n")
    edit(
        seeds / "raw_products.csv",
        ("House beans,coffee,1490,730,2024-12-23 00:00:00", "House beans,coffee,1590,730,2026-01-07 07:00:00"),
    )
    sample.commit({})

    changed = "raw_orders raw_order_items raw_products fct_orders products_snapshot+"
    second = act.run(sample, dispatch(select=changed), secrets=SECRETS, run_id=2)

    assert second.succeeded, second.log
    told = nodes(second)
    assert "model.shop.fct_weekly_revenue" not in told
    assert told["model.shop.fct_orders"]["adapter_response"]["code"] == "MERGE"
    assert told["snapshot.shop.products_snapshot"]["adapter_response"]["code"] == "MERGE"
    assert ask("select count(*), count(distinct order_id) from shop_marts.fct_orders") == [("2601", "2601")]
    assert ask(SOME_ORDERS) == [
        ("1", "completed", "web", "3780"),
        ("2600", "cancelled", "web", "54480"),
        ("2601", "placed", "web", "3470"),
    ]
    assert ask(PRICES_OF_THE_FIRST_PRODUCT) == [("1490", "2026-01-07"), ("1590", None)]
    assert no_issue_was_touched(github)
    for outcome in (first, second):
        assert TOKEN not in outcome.log + outcome.job.summary
        assert not [name for name, text in the_artifact(outcome).items() if TOKEN.encode() in text]


def test_a_failing_test_and_a_failing_model(
    act: Act, sample: Caller, github: GitHubDouble, bigquery_emulator: BigQueryEmulator
) -> None:
    models, tests = (sample.folder / "dbt_project" / name for name in ("models", "tests"))
    edit(models / "staging/stg_payments.sql", ("method as payment_method", "payed_with as payment_method"))
    (tests / "assert_cheap.sql").write_text("select * from {{ ref('stg_products') }} where price > 30")
    sample.commit(workflow(nightly=call_on(bigquery_emulator, "acme-failing")))

    outcome = act.run(sample, dispatch(select="+dim_product_prices +int_payments_per_order"), secrets=SECRETS)

    assert outcome.job.failed_steps == ["Run dbt", "Build with dbt"]
    assert outputs(outcome.job)["status"] == "failure"
    failed = {"model.shop.stg_payments", "test.shop.assert_cheap"}
    assert set(json.loads(outputs(outcome.job)["failed-nodes"])) == failed
    told = nodes(outcome)
    assert {name for name, node in told.items() if node["outcome"] == "failed"} == failed
    assert told["model.shop.stg_payments"]["status"] == "error"
    assert told["test.shop.assert_cheap"]["status"] == "fail"
    skipped = ("model.shop.int_payments_per_order", "snapshot.shop.products_snapshot", "model.shop.dim_product_prices")
    assert {told[name]["status"] for name in skipped} == {"skipped"}
    assert told["model.shop.stg_products"]["status"] == "success"
    [issue] = github.issues
    errors = [each for each in outcome.job.annotations if each.level == "error"]
    for name, file, message in (
        ("model.shop.stg_payments", "models/staging/stg_payments.sql", 'Referenced column "payed_with" not found'),
        ("test.shop.assert_cheap", "tests/assert_cheap.sql", "Got 8 results, configured to fail if != 0"),
    ):
        [error] = [each for each in errors if name in str(each.title)]
        assert error.file == f"dbt_project/{file}"
        assert message in error.message
        for text in (outcome.job.summary, str(issue.body)):
            assert name in text
            assert message in text


LIBRARY = {
    "dbt_project.yml": """
        name: library
        version: "1.0"
        profile: library
        flags: {send_anonymous_usage_stats: false}
    """,
    "profiles.yml": """
        library:
          outputs:
            nightly:
              type: bigquery
              method: oauth-secrets
              token: "{{ env_var('DBT_ENV_SECRET_TOKEN') }}"
              project: acme-library
              dataset: library
              api_endpoint: "{{ env_var('ENDPOINT') }}"
              threads: 2
    """,
    "models/books.sql": """
        select book_id, title
        from unnest([struct(1 as book_id, 'Emma' as title), struct(2, 'Ulysses'), struct(3, 'Walden')])
    """,
    "models/loans.sql": """
        {{ config(materialized="incremental", unique_key="book_id") }}
        select book_id, {{ var("night") }} as night
        from {{ ref("books") }}
        {% if is_incremental() %} where book_id > 1 {% endif %}
    """,
    "models/late.sql": "select title, night from {{ ref('loans') }} join {{ ref('books') }} using (book_id)",
    "models/not_selected.sql": "select nothing from {{ ref('late') }}",
}


def test_the_action_as_a_step_on_another_project(
    act: Act, caller: Caller, github: GitHubDouble, bigquery_emulator: BigQueryEmulator
) -> None:
    # The night before left this.
    bigquery_emulator.query("acme-library", "create schema library")
    bigquery_emulator.query(
        "acme-library",
        "create table library.loans as select book_id, 1 as night from unnest([1, 2]) as book_id",
    )
    inputs = {"target": "nightly", "select": "+late", "vars": "night: 2", "dbt-env": "${{ secrets.DBT_ENV }}"}
    build = {"uses": f"{NAME}@v1", "id": "dbt", "with": inputs, "env": {"ENDPOINT": bigquery_emulator.url}}
    nightly = {"runs-on": "ubuntu-latest", "steps": [{"uses": CHECKOUT, "with": {"persist-credentials": False}}, build]}
    caller.commit({**LIBRARY, **workflow(nightly=nightly)})

    outcome = act.run(caller, CRON, secrets={"DBT_ENV": f"DBT_ENV_SECRET_TOKEN={TOKEN}"})

    assert outcome.succeeded, outcome.log
    assert results(outcome) == dict.fromkeys(("books", "loans", "late"), "success")
    late = bigquery_emulator.query("acme-library", "select title, night from library.late")
    assert sorted(late) == [("Emma", "1"), ("Ulysses", "2"), ("Walden", "2")]
    assert no_issue_was_touched(github)
