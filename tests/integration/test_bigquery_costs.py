"""What a run costs on BigQuery, who caused it, and the limit: real dbt-bigquery against the double."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.bigquery_double import BigQueryDouble
from tests.integration.conftest import Finished, Project

GIB, TIB = 1 << 30, 1 << 40
PROFILE = """\
little:
  target: prod
  outputs:
    prod:
      {type: bigquery, method: oauth-secrets, token: some, project: acme-dwh, dataset: shop, threads: 2, location: EU,
       maximum_bytes_billed: 5000000000000, job_execution_timeout_seconds: 77}
"""
FILES = {
    "profiles.yml": PROFILE,
    "models/one.sql": "{{ config(materialized='table') }} select 1 as id",
    "models/two.sql": "{{ config(materialized='table') }} select id from {{ ref('one') }}",
    "models/three.sql": "{{ config(materialized='table') }} select id from {{ ref('two') }}",
    "models/Loud.sql": "{{ config(materialized='table') }} select 1 as id",
    "seeds/numbers.csv": "id\n1\n2\n",
    "models/tests.yml": "models: [{name: one, columns: [{name: id, data_tests: [unique]}]}]",
}


@pytest.fixture
def bigquery() -> Iterator[BigQueryDouble]:
    with BigQueryDouble() as double:
        yield double


def built(project: Project, bigquery: BigQueryDouble, *arguments: str) -> Finished:
    project.write(FILES)
    context: Mapping[str, Any] = {
        "GITHUB_REPOSITORY": "Acme/Shop",
        "GITHUB_WORKFLOW_REF": "Acme/Shop/.github/workflows/nightly.yml@refs/heads/main",
        "GITHUB_RUN_ID": "4711",
    }
    return project.run(*arguments, target="prod", BIGQUERY_EMULATOR_HOST=bigquery.url, **context)


def test_every_job_has_its_labels_and_the_run_its_cost(project: Project, bigquery: BigQueryDouble) -> None:
    bigquery.charge("create or replace table .*`one`", processed=GIB, billed=TIB, slot_ms=5000)
    bigquery.charge("unique_field", processed=GIB, billed=TIB // 2, slot_ms=7)

    done = built(project, bigquery, "--threads", "64")

    assert done.exit_code == 0, done.output
    assert "`threads` is 64, and the profile allows 2: 2 are used." in done.output
    ours = {"repository": "acme_shop", "workflow": "nightly_yml", "run_id": "4711", "target": "prod"}
    assert all(job.labels.items() >= ours.items() for job in bigquery.jobs)
    nodes = {job.labels["node"] for job in bigquery.jobs if "node" in job.labels}
    assert {"model_little_one", "model_little_loud", "seed_little_numbers"} <= nodes
    queries = [job for job in bigquery.jobs if "query" in job.configuration]
    assert {job.configuration["query"]["maximumBytesBilled"] for job in queries} == {"5000000000000"}
    assert {job.configuration["jobTimeoutMs"] for job in queries} == {"77000"}

    run = done.read("run.json")
    cost = {node["name"]: (node["bytes_billed"], node["slot_ms"], node["cost"]) for node in run["nodes"]}
    assert cost["one"] == (TIB, 5000, 6.25)
    assert cost["unique_one_id"] == (TIB // 2, 7, 3.125)
    assert run["cost"]["usd"] == pytest.approx(9.375, abs=0.01)  # The others bill the least that BigQuery does.
    ledger = (done.folder / "jobs.jsonl").read_text().splitlines()
    assert len(ledger) == len(bigquery.jobs)
    assert run["cost"]["bytes_billed"] == sum(json.loads(line)["bytes_billed"] or 0 for line in ledger)


def test_a_run_ends_before_the_next_node_once_the_limit_is_passed(project: Project, bigquery: BigQueryDouble) -> None:
    bigquery.charge("create or replace table .*`one`", processed=TIB, billed=TIB)

    done = built(project, bigquery, "--cost-limit", "5", "--exclude", "numbers Loud", "--retry-delay", "0.1")

    assert done.exit_code == 1
    sentence = "Queries for $6.25 at $6.25 per TiB were run, and `cost-limit` is $5."
    assert sentence in done.output
    run = done.read("run.json")
    assert (run["status"], run["problem"]["message"][: len(sentence)]) == ("failure", sentence)
    statuses: dict[str, Any] = {node["name"]: (node["status"], node["message"]) for node in run["nodes"]}
    assert statuses["one"][0] == "success"
    assert statuses["unique_one_id"] == ("skipped", "Not begun: the run had passed `cost-limit`.")
    assert {name: status for name, (status, _) in statuses.items() if name in ("two", "three")} == {
        "two": "skipped",
        "three": "skipped",
    }
    assert len(run["attempts"]) == 1
    assert not bigquery.jobs_of("`two`")
    assert sentence in (done.folder / "summary.md").read_text().replace("\\", "")


def test_a_limit_that_is_not_passed_ends_nothing(project: Project, bigquery: BigQueryDouble) -> None:
    bigquery.charge("create or replace table .*`three`", processed=TIB, billed=TIB)

    done = built(project, bigquery, "--cost-limit", "5", "--select", "two three")

    assert done.exit_code == 0, done.output
    assert done.read("run.json")["cost"]["usd"] == pytest.approx(6.25, abs=0.01)
