"""Google credentials of every shape, each through its real exchange; and a search of every byte for what is secret."""

import base64
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.bigquery_double import BigQueryDouble
from tests.identity_double import ACCOUNT, IMPERSONATE, PROVIDER, IdentityDouble, key_material
from tests.integration.conftest import Finished, Project

PROFILE = """\
little:
  target: prod
  outputs:
    prod:
      {type: bigquery, method: oauth, project: "{{ env_var('GOOGLE_CLOUD_PROJECT') }}", dataset: shop, threads: 2,
       location: EU}
"""
# It shouts all that it can get at: into the log, the compiled SQL, the message of an error, and a file beside them.
SHOUTS = """\
{% macro shout() %}
  {% set found = [] %}
  {% for name in ['GOOGLE_APPLICATION_CREDENTIALS', 'HEADLESS_DBT_GCP_CREDENTIALS', 'ACTIONS_ID_TOKEN_REQUEST_TOKEN',
                  'ADC', 'KEYFILE'] %}
    {% do found.append(env_var(name, '')) %}
  {% endfor %}
  {% do found.append(var('quoted', '')) %}
  {% do log(found | join(' and '), info=true) %}
  {{ return(found | join(' and ')) }}
{% endmacro %}
"""
FILES = {
    "profiles.yml": PROFILE,
    "macros/shout.sql": SHOUTS,
    "models/one.sql": "{{ config(materialized='table') }} select 1 as id",
    "models/two.sql": "{{ config(materialized='table') }} select '''{{ shout() }}''' as id from {{ ref('one') }}",
    "models/three.sql": "{{ config(materialized='table') }} select id from {{ ref('two') }}",
}
Shape = Callable[[IdentityDouble, Path], dict[str, str]]


def _wif(identity: IdentityDouble, _: Path) -> dict[str, str]:
    return {
        **identity.of_the_job,
        "HEADLESS_DBT_WORKLOAD_IDENTITY_PROVIDER": PROVIDER,
        "HEADLESS_DBT_SERVICE_ACCOUNT": ACCOUNT,
    }


def _wif_alone(identity: IdentityDouble, _: Path) -> dict[str, str]:
    given = {**identity.of_the_job, "HEADLESS_DBT_WORKLOAD_IDENTITY_PROVIDER": PROVIDER}
    return {**given, "HEADLESS_DBT_ENV": "GOOGLE_CLOUD_PROJECT=acme-dwh"}


def _key(identity: IdentityDouble, _: Path) -> dict[str, str]:
    return {"HEADLESS_DBT_GCP_CREDENTIALS": json.dumps(identity.key, indent=2)}


def _key_in_base64(identity: IdentityDouble, _: Path) -> dict[str, str]:
    return {"HEADLESS_DBT_GCP_CREDENTIALS": base64.encodebytes(json.dumps(identity.key).encode()).decode()}


def _external_account(identity: IdentityDouble, _: Path) -> dict[str, str]:
    # The project variable of GitHub that nobody has made.
    empty = {"HEADLESS_DBT_ENV": "GOOGLE_CLOUD_PROJECT="}
    return {"HEADLESS_DBT_GCP_CREDENTIALS": json.dumps(identity.external_account), **empty}


def _ambient(content: Callable[[IdentityDouble], object]) -> Shape:
    def lay_down(identity: IdentityDouble, workspace: Path) -> dict[str, str]:
        file = workspace / "gha-creds-0a1b2c3d.json"
        file.write_text(json.dumps(content(identity)))
        return {"GOOGLE_APPLICATION_CREDENTIALS": str(file), "GOOGLE_GHA_CREDS_PATH": str(file)}

    return lay_down


def _named_by_an_input(identity: IdentityDouble, workspace: Path) -> dict[str, str]:
    file = workspace / "key.json"
    file.write_text(json.dumps(identity.key))
    return {"HEADLESS_DBT_ENV": f"GOOGLE_APPLICATION_CREDENTIALS={file}"}


FEDERATED = {"/oidc", "/v1/token"}
IMPERSONATED = {*FEDERATED, IMPERSONATE}
# Each with the endpoints that its exchange has to go through. For two more shapes, authorized_user and
# impersonated_service_account, Google's client takes no address but Google's.
SHAPES: dict[str, tuple[Shape, set[str]]] = {
    "workload identity": (_wif, IMPERSONATED),
    "workload identity without an account": (_wif_alone, FEDERATED),
    "key": (_key, {"/token"}),
    "key in base64": (_key_in_base64, {"/token"}),
    "external account": (_external_account, IMPERSONATED),
    "key file that an input names": (_named_by_an_input, {"/token"}),
    "ambient external account": (_ambient(lambda identity: identity.external_account), IMPERSONATED),
    "ambient key": (_ambient(lambda identity: identity.key), {"/token"}),
}


@pytest.fixture
def bigquery(identity: IdentityDouble) -> Iterator[BigQueryDouble]:
    with BigQueryDouble(tokens=identity.tokens) as double:
        yield double


@pytest.fixture
def temp(tmp_path: Path) -> Path:
    """The runner's temporary folder."""
    folder = tmp_path / "runner temp"
    folder.mkdir()
    return folder


def variables(bigquery: BigQueryDouble, temp: Path, home: Path) -> dict[str, Any]:
    """Where everything is, and no credentials of this machine's own."""
    return {"BIGQUERY_EMULATOR_HOST": bigquery.url, "RUNNER_TEMP": str(temp), "HOME": str(home), "PYTHONOPTIMIZE": ""}


def assert_nothing_is_found(identity: IdentityDouble, done: Finished, *places: Path) -> None:
    material = key_material(identity)
    found = [what for what, secret in material.items() if secret in done.output]
    assert not found, done.output
    for place in (done.folder, *places):
        for file in place.rglob("*"):
            if file.is_file():
                content = file.read_bytes()
                in_it = [what for what, secret in material.items() if secret.encode() in content]
                assert not in_it, (file, in_it)


@pytest.mark.parametrize("name", SHAPES)
def test_each_shape_gets_its_token_and_leaves_nothing(  # noqa: PLR0913, PLR0917
    project: Project, identity: IdentityDouble, bigquery: BigQueryDouble, temp: Path, tmp_path: Path, name: str
) -> None:
    project.write(FILES)
    lay_down, endpoints = SHAPES[name]
    given = lay_down(identity, project.root)
    # What somebody may have copied out of the key, into a place where nobody looks for it.
    given["HEADLESS_DBT_VARS"] = json.dumps({"quoted": identity.private_key.splitlines()[3] if "key" in name else "x"})
    if name != "key file that an input names":
        given["HEADLESS_DBT_DBT_ENV"] = f"ADC={json.dumps(identity.user)}\nKEYFILE={_encoded(identity)}"

    done = project.run(target="prod", dbt=True, **variables(bigquery, temp, tmp_path), **given)

    assert done.exit_code == 0, done.output
    assert len(done.nodes) == 3
    assert set(identity.seen) == endpoints
    assert {request.token for request in bigquery.requests} <= identity.tokens
    assert list(temp.iterdir()) == []
    assert_nothing_is_found(identity, done)


def _encoded(identity: IdentityDouble) -> str:
    return base64.b64encode(json.dumps(identity.key).encode()).decode()


def test_an_error_that_quotes_a_secret_is_told_without_it(
    project: Project, identity: IdentityDouble, bigquery: BigQueryDouble, temp: Path, tmp_path: Path
) -> None:
    project.write(FILES)
    given: dict[str, Any] = _wif(identity, temp)
    quoted = f"Cannot read {identity.private_key} with {identity.job_token}"
    bigquery.fail_jobs(sql="table .*`two`", reason="invalidQuery", message=quoted)

    done = project.run(target="prod", **variables(bigquery, temp, tmp_path), **given)

    assert done.exit_code == 1
    assert "Cannot read *****" in done.output
    assert list(temp.iterdir()) == []
    material = {what: secret for what, secret in key_material(identity).items() if not what.startswith("line")}
    summary = (done.folder / "summary.md").read_text()
    assert "Cannot read" in summary
    assert not [what for what, secret in material.items() if secret in summary + done.output]


def test_a_missing_project_is_known_at_once(
    project: Project, identity: IdentityDouble, bigquery: BigQueryDouble, temp: Path, tmp_path: Path
) -> None:
    project.write(FILES)
    given: dict[str, Any] = {**_wif_alone(identity, temp), "HEADLESS_DBT_ENV": ""}
    began = time.monotonic()

    done = project.run(target="prod", **variables(bigquery, temp, tmp_path), **given)

    # Google's client would ask its resource manager for ten minutes. What is known is the number of the project.
    assert time.monotonic() - began < 100
    assert done.exit_code == 3, done.output
    assert "project 4711" in done.output


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_a_key_is_gone_after_a_run_that_was_killed(  # noqa: PLR0913, PLR0917
    project: Project,
    identity: IdentityDouble,
    bigquery: BigQueryDouble,
    temp: Path,
    tmp_path: Path,
    number: signal.Signals,
) -> None:
    project.write(FILES)
    bigquery.hold("table .*`two`")
    given = {**variables(bigquery, temp, tmp_path), **_key(identity, temp)}
    folder = tmp_path / "run"
    command = ["run", "--target", "prod", "--dbt-python", str(project.dbt_python), "--run-folder", str(folder)]
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "headless_dbt", *command],
        cwd=project.root,
        env=project.environment(given),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        bigquery.wait_for_jobs(1, "table .*`two`")
        [key_file] = temp.rglob("credentials.json")
        assert oct(key_file.stat().st_mode)[-3:] + oct(key_file.parent.stat().st_mode)[-3:] == "600700"
        os.kill(process.pid, number)
        output, _ = process.communicate(timeout=60)

    reported = project.verb("report", folder=folder)

    assert reported.exit_code == 0, reported.output
    assert list(temp.iterdir()) == []
    assert [file.name for file in folder.parent.iterdir() if file.name.endswith(".secrets")] == []
    assert_nothing_is_found(identity, Finished(process.returncode, output + reported.output, folder))
    assert bigquery.jobs_of("`two`")[0].state == "DONE"
