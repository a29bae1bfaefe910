"""Credentials through act: the real workflow, the real client, and a search of every byte that anybody could read."""

import json
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from tests.bigquery_double import BigQueryDouble
from tests.e2e.act import CRON, Act
from tests.e2e.caller import Caller
from tests.e2e.dbt_project import dbt_project
from tests.e2e.outcome import Outcome
from tests.e2e.test_dbt_build import call, outputs, workflow
from tests.github_double import GitHubDouble
from tests.identity_double import ACCOUNT, IMPERSONATE, PROVIDER, IdentityDouble, key_material

PROFILES = """
    warehouse:
      target: prod
      outputs:
        prod:
          type: bigquery
          method: oauth
          project: "{{ env_var('GOOGLE_CLOUD_PROJECT') }}"
          dataset: shop
          location: EU
          threads: 2
"""


@pytest.fixture
def bigquery(identity: IdentityDouble) -> Iterator[BigQueryDouble]:
    with BigQueryDouble(tokens=identity.tokens) as double:
        yield double


def assert_nothing_is_found(identity: IdentityDouble, outcome: Outcome, github: GitHubDouble, runs: Path) -> None:
    """Neither in what the run shows and uploads, nor in the issue, nor in what it left on the machine."""
    texts = {"log": outcome.log.encode(), "summary": "".join(job.summary for job in outcome.jobs).encode()}
    texts |= {name: content for files in outcome.artifacts.values() for name, content in files.items()}
    texts |= {f"issue {issue.number}": f"{issue.title} {issue.body}".encode() for issue in github.issues}
    # act writes the event and its own log of commands; the rest is workspace and RUNNER_TEMP.
    texts |= {str(file): file.read_bytes() for file in runs.rglob("*") if file.is_file() and file.suffix != ".jsonl"}
    for what, secret in key_material(identity).items():
        found = [name for name, content in texts.items() if secret.encode() in content]
        assert not found, (what, found)


def test_workload_identity(
    act: Act, caller: Caller, github: GitHubDouble, identity: IdentityDouble, bigquery: BigQueryDouble
) -> None:
    nightly = call(
        adapter="bigquery",
        workload_identity_provider=PROVIDER,
        service_account=ACCOUNT,
        env=f"BIGQUERY_EMULATOR_HOST={bigquery.url}",
    )
    caller.commit({**dbt_project(profiles=PROFILES), **workflow(nightly=nightly)})

    outcome = act.run(caller, CRON, variables=identity.of_the_job)

    assert outcome.succeeded, outcome.log
    assert outputs(outcome.job)["nodes-total"] == "4"
    assert set(identity.seen) == {"/oidc", "/v1/token", IMPERSONATE}
    assert {request.token for request in bigquery.requests} <= identity.tokens
    assert_nothing_is_found(identity, outcome, github, act.folder)


def test_a_key_that_a_failing_build_quotes(
    act: Act, caller: Caller, github: GitHubDouble, identity: IdentityDouble, bigquery: BigQueryDouble
) -> None:
    key = json.dumps(identity.key)
    bigquery.fail_jobs(sql="`orders`", reason="invalidQuery", message=f"Cannot read {identity.private_key} of {key}")
    # What google-github-actions/auth leaves in the workspace, here also where dbt writes.
    leftover = json.dumps(identity.external_account)
    hook = """
        on-run-start: "{{ log(env_var('SHOUT', ''), info=true) }}"
    """
    project = dbt_project(profiles=PROFILES)
    project["dbt_project.yml"] += dedent(hook)
    caller.commit({**project, "models/orders.sql": "select * from {{ ref('stg_orders') }} -- {{ env_var('SHOUT') }}"})
    nightly = call(
        adapter="bigquery",
        env=f"BIGQUERY_EMULATOR_HOST={bigquery.url}",
        secrets={"gcp-credentials": "${{ secrets.KEY }}", "dbt-env": "${{ secrets.DBT_ENV }}"},
    )
    caller.commit(workflow(nightly=nightly))

    outcome = act.run(caller, CRON, secrets={"KEY": key, "DBT_ENV": f"SHOUT={leftover}"})

    assert outputs(outcome.job)["status"] == "failure"
    assert identity.seen == ["/token"] * len(identity.seen)
    [issue] = github.issues
    assert "Cannot read *****" in str(issue.body)
    assert_nothing_is_found(identity, outcome, github, act.folder)
