"""A first run: what people really get wrong, each with its own sentence; real dbt-bigquery, nothing left behind."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.bigquery_double import FOREVER, BigQueryDouble
from tests.bigquery_emulator import BigQueryEmulator
from tests.github_double.exchange import Answer, Request
from tests.github_double.server import LoopbackServer
from tests.integration.conftest import Finished, Project

PROFILE = """\
little:
  target: prod
  outputs:
    prod:
      {type: bigquery, method: oauth-secrets, token: some, project: "{{ env_var('PROJECT', 'acme-dwh') }}",
       dataset: shop, threads: 2, location: EU}
    found: {type: bigquery, method: oauth, project: acme-dwh, dataset: shop, threads: 2, location: EU}
"""
FILES = {
    "profiles.yml": PROFILE,
    "models/one.sql": "{{ config(schema='marts') }} select id from {{ source('raw', 'orders') }}",
    "models/two.sql": "select id from {{ ref('one') }}",
    "models/staged.sql": "{{ config(schema='staging') }} select 1 as id",
    "models/sources.yml": "sources: [{name: raw, schema: raw, tables: [{name: orders}]}]",
}


@pytest.fixture
def bigquery() -> Iterator[BigQueryDouble]:
    with BigQueryDouble() as double:
        yield double


def checked(project: Project, bigquery: BigQueryDouble, target: str = "prod", **variables: Any) -> Finished:
    """`check` and then `report`."""
    project.write(FILES)
    folder = project.root.parent / "checked"
    arguments = ("--target", target, "--dbt-python", str(project.dbt_python))
    done = project.verb("check", *arguments, folder=folder, **{"BIGQUERY_EMULATOR_HOST": bigquery.url, **variables})
    assert "Traceback" not in done.output
    assert project.verb("report", folder=folder).exit_code == 0
    return done


def failures(done: Finished) -> dict[tuple[str, str], str]:
    """The advice for each failed check."""
    checks = done.read("run.json")["checks"]
    return {(check["name"], check["subject"]): check["advice"] for check in checks if check["passed"] is False}


def test_all_is_well_and_nothing_is_left_behind(project: Project, bigquery: BigQueryDouble) -> None:
    bigquery.add_dataset("shop")
    began = time.monotonic()

    done = checked(project, bigquery)

    assert done.exit_code == 0, done.output
    assert time.monotonic() - began < 30  # Of a machine that does much else; on a quiet one it takes five.
    run = done.read("run.json")
    assert (run["status"], run["nodes"], run["problem"]) == ("success", [], None)
    assert all(check["passed"] for check in run["checks"])
    subjects = {check["subject"] for check in run["checks"] if check["name"] == "write"}
    assert subjects == {"acme-dwh.shop", "acme-dwh.shop_marts", "acme-dwh.shop_staging"}
    assert list(bigquery.warehouse.datasets) == ["shop"]
    assert not bigquery.warehouse.datasets["shop"].tables
    assert not bigquery.jobs_of("one|two|staged")
    assert all(job.labels["target"] == "prod" for job in bigquery.jobs)


def test_what_is_wrong_with_datasets_is_said_of_each_at_once(project: Project, bigquery: BigQueryDouble) -> None:
    bigquery.add_dataset("shop", "US")
    bigquery.add_dataset("shop_staging")
    denied = "Access Denied: Dataset acme-dwh:shop_staging: Permission bigquery.tables.create denied on dataset "
    denied += "acme-dwh:shop_staging (or it may not exist)."
    bigquery.fault("POST", "/jobs", sql="create table .*shop_staging", reason="accessDenied", message=denied)
    refused = "Access Denied: Project acme-dwh: User does not have bigquery.datasets.create permission in project "
    bigquery.fault("POST", "/datasets", reason="accessDenied", message=f"{refused}acme-dwh.")
    hidden = "Access Denied: Table acme-dwh:raw.orders: User does not have permission to query table "
    hidden += "acme-dwh:raw.orders, or perhaps it does not exist."
    bigquery.fault("POST", "/jobs", sql="raw.*limit 0", reason="accessDenied", message=hidden)

    done = checked(project, bigquery)

    assert done.exit_code == 3
    said = failures(done)
    assert said.keys() == {
        ("dataset", "acme-dwh.shop"),
        ("dataset", "acme-dwh.shop_marts"),
        ("create a table", "acme-dwh.shop_staging"),
        ("source", "acme-dwh.raw.orders"),
    }
    assert "to `US`" in said["dataset", "acme-dwh.shop"]
    assert "may not make datasets" in said["dataset", "acme-dwh.shop_marts"]
    assert "roles/bigquery.dataEditor" in said["create a table", "acme-dwh.shop_staging"]
    assert "roles/bigquery.dataViewer" in said["source", "acme-dwh.raw.orders"]
    assert len(set(said.values())) == 4
    summary = (done.folder / "summary.md").read_text()
    assert all(advice in summary for advice in said.values())


@pytest.mark.parametrize(("hanging", "step"), [("insert into", "write"), ("create table", "create a table")])
def test_what_was_made_is_gone_also_when_the_time_is_over(
    project: Project, bigquery: BigQueryDouble, hanging: str, step: str
) -> None:
    bigquery.hold(hanging)

    done = checked(project, bigquery)

    assert done.exit_code == 3
    assert failures(done) == {}
    checks = done.read("run.json")["checks"]
    unanswered = [check["name"] for check in checks if check["message"] == "No answer in time."]
    assert unanswered == [step] * 3
    assert not [check for check in checks if check["passed"] and check["name"] == step]
    assert not bigquery.warehouse.datasets
    assert {job.state for job in bigquery.jobs} == {"DONE"}


def test_what_could_not_be_taken_away_is_said(project: Project, bigquery: BigQueryDouble) -> None:
    bigquery.add_dataset("shop")
    bigquery.add_dataset("shop_marts")
    denied = "Access Denied: Dataset acme-dwh:shop_staging: Permission bigquery.datasets.delete denied on dataset "
    bigquery.fault("DELETE", "/datasets/shop_staging", reason="accessDenied", message=f"{denied}acme-dwh:shop_staging")

    done = checked(project, bigquery)

    assert done.exit_code == 3
    [told] = [check for check in done.read("run.json")["checks"] if check["passed"] is False]
    assert (told["name"], told["subject"]) == ("dataset", "acme-dwh.shop_staging")
    assert "bigquery.datasets.delete denied" in told["message"]
    assert "It was made for this check" in told["message"]


def test_a_cancelled_check_leaves_nothing_behind(project: Project, bigquery: BigQueryDouble) -> None:
    project.write(FILES)
    bigquery.hold("insert into")
    folder = project.root.parent / "checked"
    arguments = ["--target", "prod", "--dbt-python", str(project.dbt_python), "--run-folder", str(folder)]
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "headless_dbt", "check", *arguments],
        cwd=project.root,
        env=project.environment({"BIGQUERY_EMULATOR_HOST": bigquery.url}),
    )
    bigquery.wait_for_jobs(3, "insert into")
    assert len(bigquery.warehouse.datasets) == 3

    process.send_signal(signal.SIGINT)

    assert process.wait(30) == 130
    assert not bigquery.warehouse.datasets


def test_datasets_by_the_dozen_fit_into_the_time(project: Project, bigquery: BigQueryDouble) -> None:
    bigquery.hold(seconds=0.5)
    project.write({f"models/of_{each}.sql": f"{{{{ config(schema='s{each}') }}}} select 1 as id" for each in range(9)})

    done = checked(project, bigquery)

    assert done.exit_code == 0, done.output
    made = [check for check in done.read("run.json")["checks"] if check["name"] == "dataset"]
    assert [check["message"] for check in made] == ["It is not there yet, and can be made."] * 12
    assert not bigquery.warehouse.datasets


def test_stored_failures_have_their_dataset_tried(project: Project, bigquery: BigQueryDouble) -> None:
    project.write(
        {"tests/kept.sql": "{{ config(store_failures=true) }} select 1 as id from {{ ref('two') }} where false"}
    )

    done = checked(project, bigquery)

    assert done.exit_code == 0, done.output
    written = {check["subject"] for check in done.read("run.json")["checks"] if check["name"] == "write"}
    assert "acme-dwh.shop_dbt_test__audit" in written


API_OFF = (
    "BigQuery API has not been used in project 4711 before or it is disabled. Enable it by visiting "
    "https://console.developers.google.com/apis/api/bigquery.googleapis.com/overview?project=4711 then retry. If you "
    "enabled this API recently, wait a few minutes for the action to propagate to our systems and retry."
)
NO_JOBS = "Access Denied: Project acme-dwh: User does not have bigquery.jobs.create permission in project acme-dwh."
NO_BILLING = (
    "Billing has not been enabled for this project. Enable billing at https://console.cloud.google.com/billing. "
    "DML queries are not allowed in the free tier. Set up a billing account to remove this restriction."
)


@pytest.mark.parametrize(
    ("plan", "failed", "sentence"),
    [
        (
            lambda bigquery: bigquery.fault("POST", "/jobs", reason="accessDenied", message=NO_JOBS, times=FOREVER),
            "run a job",
            "roles/bigquery.jobUser",
        ),
        (
            lambda bigquery: bigquery.fault(
                "*", "*", reason="accessNotConfigured", status=403, message=API_OFF, times=FOREVER
            ),
            "run a job",
            "gcloud services enable bigquery.googleapis.com",
        ),
        (
            lambda bigquery: bigquery.fail_jobs(
                sql="insert into", reason="billingNotEnabled", message=NO_BILLING, times=FOREVER
            ),
            "write",
            "billing account",
        ),
    ],
    ids=["no right to run jobs", "API off", "no billing"],
)
def test_what_is_wrong_with_the_project(
    project: Project, bigquery: BigQueryDouble, plan: Callable[[BigQueryDouble], object], failed: str, sentence: str
) -> None:
    plan(bigquery)

    done = checked(project, bigquery)

    assert done.exit_code == 3
    assert any(name == failed and sentence in advice for (name, _), advice in failures(done).items()), done.output
    assert not bigquery.warehouse.datasets


def test_a_project_that_is_not_there(project: Project, bigquery: BigQueryDouble) -> None:
    done = checked(project, bigquery, PROJECT="acme-dhw")

    assert done.exit_code == 3
    [(_, advice)] = [each for each in failures(done).items() if each[0][0] == "run a job"]
    assert "acme-dhw" in advice


@contextmanager
def endpoint(answers: Mapping[str, Answer]) -> Iterator[str]:
    """An address that answers by path, as the services do that hand out tokens."""

    def answer(request: Request) -> Answer:
        return answers[request.path]

    server = LoopbackServer("", answer)
    server.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.stop()


def federated(url: str) -> str:
    """What google-github-actions/auth writes, with the addresses of this machine."""
    pool = "projects/4711/locations/global/workloadIdentityPools/github/providers/acme"
    content = {
        "type": "external_account",
        "audience": f"//iam.googleapis.com/{pool}",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": f"{url}/sts",
        "credential_source": {
            "url": f"{url}/oidc",
            "format": {"type": "json", "subject_token_field_name": "value"},
        },
        "service_account_impersonation_url": f"{url}/dbt@acme-dwh.iam.gserviceaccount.com:generateAccessToken",
    }
    return json.dumps(content)


def key(url: str) -> str:
    """A key of a service account."""
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    account = {"client_email": "dbt@acme-dwh.iam.gserviceaccount.com", "project_id": "acme-dwh", "client_id": "1"}
    return json.dumps({"type": "service_account", **account, "private_key": pem, "token_uri": f"{url}/token"})


def refusal(error: str, description: str) -> Answer:
    """RFC 6749, section 5.2, as Google's token services answer."""
    return Answer(400, {"error": error, "error_description": description})


OIDC = Answer(200, {"value": "a.b.c"})
STS = Answer(200, {"access_token": "federated", "issued_token_type": "x", "token_type": "Bearer", "expires_in": 3600})
NO_IMPERSONATION = Answer(
    403,
    {
        "error": {
            "code": 403,
            "message": "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).",
            "status": "PERMISSION_DENIED",
        }
    },
)


@pytest.mark.parametrize(
    ("credentials", "answers", "sentence"),
    [
        (key, {"/token": refusal("invalid_grant", "Invalid JWT Signature.")}, "key"),
        (
            federated,
            {
                "/oidc": OIDC,
                "/sts": refusal(
                    "invalid_grant",
                    "The audience in ID Token [https://github.com/acme] does not match the expected audience.",
                ),
            },
            "audience",
        ),
        (
            federated,
            {
                "/oidc": OIDC,
                "/sts": refusal("unauthorized_client", "The given credential is rejected by the attribute condition."),
            },
            "condition",
        ),
        (
            federated,
            {
                "/oidc": OIDC,
                "/sts": STS,
                "/dbt@acme-dwh.iam.gserviceaccount.com:generateAccessToken": NO_IMPERSONATION,
            },
            "roles/iam.workloadIdentityUser",
        ),
    ],
    ids=["deleted key", "audience", "attribute condition", "impersonation"],
)
def test_what_is_wrong_with_the_credentials(
    project: Project,
    bigquery: BigQueryDouble,
    credentials: Callable[[str], str],
    answers: Mapping[str, Answer],
    sentence: str,
) -> None:
    with endpoint(answers) as url:
        done = checked(
            project,
            bigquery,
            "found",
            HEADLESS_DBT_GCP_CREDENTIALS=credentials(url),
            GOOGLE_CLOUD_PROJECT="acme-dwh",
        )

    assert done.exit_code == 3
    [((name, _), advice)] = failures(done).items()
    assert name == "credentials"
    assert sentence in advice, done.output
    assert not bigquery.requests


def test_no_credentials_at_all(project: Project, bigquery: BigQueryDouble, tmp_path: Path) -> None:
    nowhere = {"HOME": str(tmp_path), "GOOGLE_CLOUD_PROJECT": "acme-dwh", "GCE_METADATA_HOST": "127.0.0.1:1"}

    done = checked(project, bigquery, "found", **nowhere)

    assert done.exit_code == 3
    [((name, _), advice)] = failures(done).items()
    assert name == "credentials"
    assert advice, done.output


def test_on_an_emulator_that_runs_what_is_tried(
    project: Project, bigquery: BigQueryDouble, bigquery_emulator: BigQueryEmulator
) -> None:
    bigquery_emulator.query("acme-checked", "create schema raw")
    bigquery_emulator.query("acme-checked", "create table raw.orders as select 1 as id")

    done = checked(project, bigquery, PROJECT="acme-checked", BIGQUERY_EMULATOR_HOST=bigquery_emulator.url)

    # It says US of every dataset that it is asked to make elsewhere.
    assert {name for name, _ in failures(done)} <= {"dataset"}, done.output
    passed = {check["name"] for check in done.read("run.json")["checks"] if check["passed"]}
    assert passed >= {"credentials", "run a job", "source"}
    schemas = "select schema_name from INFORMATION_SCHEMA.SCHEMATA"
    assert ("shop",) not in bigquery_emulator.query("acme-checked", schemas)


def test_another_warehouse_has_its_connection_tried(project: Project) -> None:
    folder = project.root.parent / "checked"

    done = project.verb("check", "--target", "local", "--dbt-python", str(project.dbt_python), folder=folder)

    assert done.exit_code == 0, done.output
    assert project.verb("report", folder=folder).exit_code == 0
    [check] = done.read("run.json")["checks"]
    assert (check["name"], check["subject"], check["passed"]) == ("connection", "duckdb", True)


def test_a_warehouse_that_cannot_be_reached(project: Project) -> None:
    folder = project.root.parent / "checked"

    done = project.verb("check", "--target", "unreachable", "--dbt-python", str(project.dbt_python), folder=folder)

    assert done.exit_code == 3
    assert "connection: duckdb. " in done.output
    assert "no/such/folder" in done.output
