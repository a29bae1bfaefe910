"""Runs as people meet them, for the renderings."""

from typing import Any

from headless_dbt.bigquery_advice import bigquery_advice
from headless_dbt.merged_results import INTERRUPTED, NOT_REACHED
from headless_dbt.model import (
    Changes,
    Check,
    Cost,
    Exposure,
    Freshness,
    Neighbour,
    Node,
    PaceChange,
    Previous,
    Run,
    StatusChange,
    Verdict,
)
from msgspec.structs import replace

from tests.unit.builders import make_command, make_context, make_node, make_problem, make_request, make_run

BINDER_ERROR = """Runtime Error in model fct_orders (models/marts/fct_orders.sql)
  Binder Error: Referenced column "order_totl" not found in FROM clause!
  Candidate bindings: "order_total\""""

NO_ROLE = (
    "dbt build could not begin: Database Error\n  Access Denied: Project acme-dwh: User does not have "
    "bigquery.jobs.create permission in project acme-dwh."
)
NO_DATASET = """Database Error in model fct_orders (models/marts/fct_orders.sql)
  Not found: Dataset acme-dwh:raw_shop was not found in location US
  compiled code at target/run/shop/models/marts/fct_orders.sql"""

_STAGED = make_node("model.shop.stg_orders", execution_time=1.25, file="models/staging/stg_orders.sql")
_SEED = make_node("seed.shop.raw_orders", execution_time=0.4)
_SLOW = make_node("model.shop.fct_order_items", execution_time=83.2, file="models/marts/fct_order_items.sql")
_BROKEN = make_node(
    "model.shop.fct_orders",
    "error",
    message=BINDER_ERROR,
    file="models/marts/fct_orders.sql",
    execution_time=0.06,
    blocks=2,
)
_RED_TEST = make_node(
    "test.shop.unique_dim_customers_customer_id.5a5b6cd8f4",
    "fail",
    message="Got 2 results, configured to fail if != 0",
    file="models/marts/dim_customers.yml",
    execution_time=0.03,
    failures=2,
    name="unique_dim_customers_customer_id",
)
_WARNED_TEST = make_node(
    "test.shop.accepted_values_stg_orders_order_status.7be0d1f9a2",
    "warn",
    message="Got 1 result, configured to warn if != 0",
    file="models/staging/stg_orders.yml",
    execution_time=0.02,
    failures=1,
)
_STALE = make_node("source.shop.raw.payments", "warn", message="Last loaded 86400 s ago, at 2026-01-30T06:00:00Z.")
_SKIPPED = (
    make_node("model.shop.fct_weekly_revenue", "skipped", execution_time=0.0),
    make_node("exposure.shop.weekly_revenue_dashboard", "skipped", execution_time=0.0),
)

GREEN = make_run([_SEED, _STAGED, _SLOW])
WARNINGS = make_run([_SEED, _STAGED, _WARNED_TEST, _STALE], elapsed=8.04)
FAILURES = make_run(
    [_SEED, _STAGED, _RED_TEST, _BROKEN, *_SKIPPED, _WARNED_TEST],
    request=make_request(make_context(), project_dir="dbt"),
    commands=(make_command("parse"), make_command(success=False)),
)
PROBLEM = make_run(
    problem=make_problem(message=NO_ROLE, advice=bigquery_advice(NO_ROLE)),
    commands=(make_command("parse"), make_command(success=False, message="Database Error")),
)
BIGQUERY = make_run(
    [
        _STAGED,
        make_node(
            "model.shop.fct_orders",
            "error",
            message=NO_DATASET,
            advice=bigquery_advice(NO_DATASET),
            file="models/marts/fct_orders.sql",
            execution_time=1.4,
            blocks=1,
        ),
        make_node("model.shop.fct_weekly_revenue", "skipped", execution_time=0.0),
    ],
    adapter="bigquery",
)
INSTALLATION_FAILED = make_run(
    problem=make_problem(
        message="dbt could not be installed from dbt-core==1.99.*, dbt-duckdb==1.11.1. Correct `dbt-version`, "
        "`adapter-version`, `adapter` or `requirements`; if the package index was away, run again. "
        "uv says: No solution found"
    ),
    installation=None,
    commands=(),
    elapsed=0.9,
)
NOTHING_SELECTED = make_run(request=make_request(make_context(), select="tag:nightly", exclude="tag:slow"), elapsed=6.9)
DOCS_FAILED = make_run(
    [_SEED, _STAGED],
    status=Verdict.WARN,
    commands=(
        make_command(),
        make_command(
            "docs generate",
            success=False,
            message="Runtime Error\n  Query timed out: INFORMATION_SCHEMA",
        ),
    ),
)
CANCELLED = make_run(
    [
        _SEED,
        make_node("model.shop.fct_orders", "error", message=INTERRUPTED, execution_time=0.0),
        make_node("model.shop.fct_weekly_revenue", "skipped", message=NOT_REACHED, execution_time=0.0),
    ],
    status=Verdict.CANCELLED,
    problem=make_problem(
        "The run was cancelled", "SIGINT ended it; dbt, if it had begun, was told to stop.", exit_code=130
    ),
)


def _timed(unique_id: str, began: int, took: int, status: str = "success", **more: Any) -> Node:
    """A node that ran at 06:00, after so many seconds, for so many."""
    return make_node(
        unique_id,
        status,
        started_at=f"2026-01-31T06:00:{began:02}Z",
        completed_at=f"2026-01-31T06:00:{began + took:02}Z",
        execution_time=float(took),
        compile_time=0.5,
        execute_time=took - 0.5,
        **{
            "name": unique_id.split(".")[2] if unique_id.count(".") > 1 else unique_id,
            "thread": f"Thread-{began % 2 + 1} (worker)",
            **more,
        },
    )


EVERYTHING = make_run(
    [
        make_node(
            "source.shop.raw.payments",
            depends_on=("step.shop-extract",),
            freshness=Freshness(loaded_at="2026-01-31T03:00:00Z", age=10800.0, warn_after=43200.0),
        ),
        _timed("seed.shop.raw_orders", 0, 4, rows=2600, tags=("hourly",), group="platform"),
        _timed(
            "model.shop.stg_orders",
            4,
            10,
            depends_on=("seed.shop.raw_orders", "source.shop.raw.payments"),
            rows=2600,
            bytes_processed=5 << 30,
            bytes_billed=5 << 30,
            slot_ms=90_000,
            cost=5 / 1024 * 6.25,
            file="models/staging/stg_orders.sql",
            description="One row for each order.",
            owners=("Data team",),
            compiled_code="select 1 as order_id",
            materialized="view",
            waiting_time=0.2,
        ),
        _timed(
            "test.shop.unique_stg_orders_order_id.1a2b",
            14,
            2,
            "pass",
            depends_on=("model.shop.stg_orders",),
            attached_to="model.shop.stg_orders",
        ),
        _timed(
            "model.shop.fct_orders",
            16,
            30,
            "error",
            depends_on=("model.shop.stg_orders",),
            message=BINDER_ERROR,
            file="models/marts/fct_orders.sql",
            line=12,
            blocks=1,
            compiled_code='select "order_totl" from shop.stg_orders',
        ),
        make_node("model.shop.fct_revenue", "skipped", depends_on=("model.shop.fct_orders",), execution_time=0.0),
    ],
    adapter="bigquery",
    critical_path=(
        "seed.shop.raw_orders",
        "model.shop.stg_orders",
        "test.shop.unique_stg_orders_order_id.1a2b",
        "model.shop.fct_orders",
    ),
    cost=Cost(usd=5 / 1024 * 6.25, usd_per_tib=6.25, bytes_billed=5 << 30),
    neighbours=(
        Neighbour(unique_id="step.shop-extract", name="shop-extract", resource_type="step"),
        Neighbour(
            unique_id="exposure.shop.board",
            name="Revenue board",
            resource_type="exposure",
            kind="dashboard",
            url="https://bi.example.com/1",
            depends_on=("model.shop.fct_revenue",),
        ),
    ),
    changes=Changes(
        previous=Previous(
            name="run 41",
            url="https://github.com/acme/shop/actions/runs/41",
            started_at="2026-01-30T06:00:00Z",
            elapsed=120.0,
            status="success",
            nodes=6,
        ),
        broken=(StatusChange(unique_id="model.shop.fct_orders", before="success", now="error"),),
        added=("model.shop.fct_revenue",),
        slower=(PaceChange(unique_id="model.shop.stg_orders", before=2.0, now=10.0),),
    ),
)
_BOARD = Exposure(
    unique_id="exposure.shop.board", name="Revenue board", kind="dashboard", depends_on=("model.shop.fct_revenue",)
)
EVERYTHING = replace(EVERYTHING, causes=tuple(replace(cause, exposures=(_BOARD,)) for cause in EVERYTHING.causes))

CHECK = make_run(
    status=Verdict.ERROR,
    elapsed=6.2,
    request=make_request(make_context(), check="true"),
    problem=make_problem(
        "The check failed", "3 of 4 checks did not pass: run a job, acme-dwh; source, acme-dwh.raw.x."
    ),
    checks=(
        Check(name="credentials", subject="Google", passed=True),
        Check(
            name="run a job",
            subject="acme-dwh",
            passed=False,
            message="403 POST https://bigquery.googleapis.com/bigquery/v2/projects/acme-dwh/jobs: Access Denied: "
            "Project acme-dwh: User does not have bigquery.jobs.create permission in project acme-dwh.",
            advice=bigquery_advice(NO_ROLE),
        ),
        Check(name="source", subject="acme-dwh.raw.x", passed=False, message="404 Not found: Table acme-dwh:raw.x"),
        Check(name="dataset", subject="acme-dwh.shop", passed=None, message="Not tried."),
    ),
)

RUNS: dict[str, Run] = {
    "check": CHECK,
    "green": GREEN,
    "warnings": WARNINGS,
    "failures": FAILURES,
    "problem": PROBLEM,
    "bigquery": BIGQUERY,
    "installation-failed": INSTALLATION_FAILED,
    "nothing-selected": NOTHING_SELECTED,
    "docs-failed": DOCS_FAILED,
    "cancelled": CANCELLED,
    "everything": EVERYTHING,
}

HOSTILE_TEXTS = (
    "</code></pre><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "`` ` ``` ` ``",
    "a | b | c",
    "![x](http://evil/x.png) [x](http://evil) http://evil @acme #1 <b>x</b>",
    "line\n\n# heading\n\n```\n<details>\n",
    "<!-- comment",
    "&lt;script&gt; &amp;",
    "\x1b[31mred\x1b[0m \u202egnirts \x00",
    "{{ 7 * 7 }} {% raw %}",
    "' onmouseover='x",
)


def hostile_run(text: str) -> Run:
    """A run whose every text of the project or the warehouse is hostile."""
    node: dict[str, Any] = {"message": text, "file": text, "name": text, "blocks": 1, "compiled_code": text}
    node |= {
        "advice": text.replace("`", "'"),
        "description": text,
        "tags": (text,),
        "owners": (text,),
        "group": text,
        "thread": text,
    }
    names = (f"model.{text}", f"test.{text}")
    change = StatusChange(unique_id=text, before=text, now=text)
    pace = PaceChange(unique_id=text, before=1.0, now=9.0)
    return make_run(
        [
            _timed(names[0], 0, 4, "error", **node, depends_on=(f"step.{text}",)),
            _timed(names[1], 4, 2, "warn", **node, freshness=Freshness(loaded_at=text, age=1.0)),
        ],
        critical_path=names,
        neighbours=(Neighbour(unique_id=f"step.{text}", name=text, resource_type="step", url=text),),
        changes=Changes(
            previous=Previous(name=text, status=text), broken=(change,), mended=(change,), added=(text,), slower=(pace,)
        ),
        problem=make_problem(message=text, file=text, advice=text.replace("`", "'")),
        checks=(Check(name="source", subject=text, passed=False, message=text, advice=text.replace("`", "'")),),
        commands=(
            make_command(success=False, message=text),
            make_command("docs generate", success=False, message=text),
        ),
        request=make_request(make_context(), target=text, project_dir=text, select=text),
    )
