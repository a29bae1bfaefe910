"""Runs as people meet them, for the renderings."""

from headless_dbt.merged_results import INTERRUPTED, NOT_REACHED
from headless_dbt.model import Run, Verdict

from tests.unit.builders import make_command, make_context, make_node, make_problem, make_request, make_run

BINDER_ERROR = """Runtime Error in model fct_orders (models/marts/fct_orders.sql)
  Binder Error: Referenced column "order_totl" not found in FROM clause!
  Candidate bindings: "order_total\""""

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
    problem=make_problem(
        message="dbt build could not begin: Database Error\n  Access Denied: Project acme-dwh: User does not have "
        "bigquery.jobs.create permission in project acme-dwh."
    ),
    commands=(make_command("parse"), make_command(success=False, message="Database Error")),
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

RUNS: dict[str, Run] = {
    "green": GREEN,
    "warnings": WARNINGS,
    "failures": FAILURES,
    "problem": PROBLEM,
    "installation-failed": INSTALLATION_FAILED,
    "nothing-selected": NOTHING_SELECTED,
    "docs-failed": DOCS_FAILED,
    "cancelled": CANCELLED,
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
    node = {"message": text, "file": text, "name": text, "blocks": 1}
    return make_run(
        [make_node(f"model.{text}", "error", **node), make_node(f"test.{text}", "warn", **node)],
        problem=make_problem(message=text, file=text),
        commands=(
            make_command(success=False, message=text),
            make_command("docs generate", success=False, message=text),
        ),
        request=make_request(make_context(), target=text, project_dir=text, select=text),
    )
