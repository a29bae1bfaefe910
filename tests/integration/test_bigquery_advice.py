"""What a person is told to change, right under the errors of real dbt-bigquery and of Google's real client."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.bigquery_double import FOREVER, BigQueryDouble
from tests.integration.conftest import Finished, Project

PROFILE = """\
little:
  target: prod
  outputs:
    prod:
      {type: bigquery, method: oauth-secrets, token: some, project: acme-dwh, dataset: shop, threads: 4, location: EU,
       maximum_bytes_billed: 1000, job_execution_timeout_seconds: 2, job_retries: 0}
    found: {type: bigquery, method: oauth, project: acme-dwh, dataset: shop, threads: 1}
"""
UNREADABLE = (
    "Access Denied: Table acme-dwh:raw.orders: Permission bigquery.tables.getData denied on table"
    " acme-dwh:raw.orders (or it may not exist)."
)
# By model: the reason and the words of BigQuery, and what is advised.
REFUSED = {
    "elsewhere": (
        "notFound",
        "Not found: Dataset acme-dwh:raw was not found in location EU",
        "There is no dataset `raw` in location `EU` of project `acme-dwh`.",
    ),
    "unreadable": (
        "accessDenied",
        UNREADABLE,
        "The account may not read `orders` (`bigquery.tables.getData`), or it does not exist.",
    ),
    "too_large": (
        "bytesBilledLimitExceeded",
        "Query exceeded limit for bytes billed: 1000. 141557760 or higher required.",
        "`maximum_bytes_billed` in profiles.yml is `1000`, and this query needs `141557760`.",
    ),
    "misspelt": ("invalidQuery", "Unrecognized name: amuont; Did you mean amount? at [3:8]", ""),
}
# BigQuery itself ends it: dbt-bigquery hands the setting on.
TOO_SLOW = "BigQuery ended the job at its time limit, which dbt takes from `job_execution_timeout_seconds`."


@pytest.fixture
def bigquery() -> Iterator[BigQueryDouble]:
    with BigQueryDouble("acme-dwh", "EU") as double:
        yield double


def build(project: Project, bigquery: BigQueryDouble, target: str = "prod", **variables: Any) -> Finished:
    models = {f"models/{name}.sql": f"{{{{ config(materialized='table') }}}} select 1 as {name}" for name in REFUSED}
    slow = "{{ config(materialized='table') }} select 1 as too_slow"
    project.write({**models, "models/too_slow.sql": slow, "profiles.yml": PROFILE})
    arguments = ("--retry-delay", "0.1")
    return project.run(*arguments, target=target, BIGQUERY_EMULATOR_HOST=bigquery.url, **variables)


def test_each_node_that_bigquery_refuses_says_what_to_change(project: Project, bigquery: BigQueryDouble) -> None:
    for name, (reason, message, _) in REFUSED.items():
        bigquery.fail_jobs(f"as {name}", reason=reason, message=message, times=FOREVER)
    bigquery.hold("as too_slow", seconds=20)

    done = build(project, bigquery)

    assert done.exit_code == 1, done.output
    run = done.read("run.json")
    advised = {node["name"]: node["advice"] for node in run["nodes"] if node["status"] == "error"}
    assert advised.keys() == {*REFUSED, "too_slow"}, done.output
    for name, (_, _, advice) in REFUSED.items():
        assert advised[name].startswith(advice), (name, run["nodes"])
        assert bool(advised[name]) == bool(advice)
    assert advised["too_slow"].startswith(TOO_SLOW)
    summary = (done.folder / "summary.md").read_text("utf-8")
    assert all(f"**Advice** {advice}" in summary for advice in advised.values() if advice)
    assert summary.count("**Advice** ") == 4


def test_what_keeps_a_run_from_beginning_says_what_to_change(project: Project, bigquery: BigQueryDouble) -> None:
    denied = "Access Denied: Project acme-dwh: User does not have bigquery.jobs.create permission in project acme-dwh."
    bigquery.fault("GET", "/datasets", reason="accessDenied", message=denied, times=FOREVER)

    done = build(project, bigquery)

    assert done.exit_code == 3, done.output
    advice = done.read("run.json")["problem"]["advice"]
    assert advice.startswith("The account may not run jobs in project `acme-dwh`, or there is no such project.")
    assert f"permission in project acme-dwh.\n{advice}\n" in done.output


def test_credentials_that_are_not_there_say_what_to_set(project: Project, bigquery: BigQueryDouble) -> None:
    missing = str(project.root / "no" / "such.json")

    done = build(project, bigquery, "found", GOOGLE_APPLICATION_CREDENTIALS=missing)

    assert done.exit_code == 3, done.output
    assert done.read("run.json")["problem"]["advice"].startswith("`GOOGLE_APPLICATION_CREDENTIALS` names a file")
