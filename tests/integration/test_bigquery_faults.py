"""Faults of BigQuery in mid-build: what passes heals, what does not says so, and nothing runs twice or runs on.

The real dbt-bigquery and Google's real client, against the double: no emulator has faults.
"""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any, Self

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from headless_dbt.bigquery_advice import bigquery_advice
from headless_dbt.transient import transient_cause

from tests.bigquery_double import FOREVER, BigQueryDouble
from tests.github_double.exchange import Answer, Request
from tests.github_double.server import LoopbackServer
from tests.integration.conftest import ROOT, Finished, Project, sessions_in

TOKEN = "ya29.the-token-of-the-run"
# As BigQuery writes them: https://cloud.google.com/bigquery/docs/error-messages
RATE_LIMIT = "Exceeded rate limits: too many table update operations for this table."
BACKEND = "Error encountered during execution. Retrying may solve the problem."
INTERNAL = "An internal error occurred and the request could not be completed."
QUOTA = "Quota exceeded: Your project exceeded quota for free query bytes scanned."


def profile(
    method: str = "method: oauth-secrets, token: \"{{ env_var('DBT_ENV_SECRET_TOKEN') }}\"", more: str = ""
) -> str:
    """The profile `prod` of a project in BigQuery."""
    return (
        "shop:\n  target: prod\n  outputs:\n"
        f"    prod: {{type: bigquery, {method}, project: acme-dwh, dataset: analytics, threads: 8{more}}}\n"
    )


IN_THE_EU = ", location: EU"


@pytest.fixture
def bigquery() -> Iterator[BigQueryDouble]:
    with BigQueryDouble("acme-dwh", "EU") as double:
        yield double


@pytest.fixture
def shop(tmp_path: Path, dbt_python: Path) -> Project:
    """A project without models, in a folder with a space in its name."""
    root = tmp_path / "a shop"
    root.mkdir()
    project = Project(root, dbt_python)
    settings = 'name: shop\nprofile: shop\nversion: "1.0.0"\nflags: {send_anonymous_usage_stats: false}\n'
    project.write({"dbt_project.yml": settings, "profiles.yml": profile(more=IN_THE_EU)})
    return project


def add_tables(project: Project, *names: str, after: str = "") -> None:
    """A table for each name, each the child of the table `after`, or of none."""
    source = f"{{{{ ref('{after}') }}}}" if after else "unnest([1]) as id"
    head = "{{ config(materialized='table') }}"
    project.write({f"models/{name}.sql": f"{head} select id as {name} from {source}" for name in names})


def environment(bigquery: BigQueryDouble, **more: str) -> dict[str, str]:
    return {"BIGQUERY_EMULATOR_HOST": bigquery.url, "DBT_ENV_SECRET_TOKEN": TOKEN, **more}


def build(shop: Project, bigquery: BigQueryDouble, *arguments: str, **more: str) -> Finished:
    variables: dict[str, Any] = environment(bigquery, **more)
    return shop.run("--retry-delay", "0.1", *arguments, target="prod", **variables)


def tries(done: Finished) -> dict[str, int]:
    return {node["name"]: node["tries"] for node in done.read("run.json")["nodes"]}


def test_what_passes_by_itself_heals_and_no_statement_runs_twice(shop: Project, bigquery: BigQueryDouble) -> None:
    in_jobs = {"rate": RATE_LIMIT, "backend": BACKEND, "internal": INTERNAL}
    reasons = {"rate": "rateLimitExceeded", "backend": "backendError", "internal": "internalError"}
    for name, message in in_jobs.items():
        bigquery.fail_jobs(f"as at_once_{name}", reason=reasons[name], message=message)
        bigquery.hold(f"as later_{name}", seconds=0.5)
        bigquery.fail_jobs(f"as later_{name}", reason=reasons[name], message=message)
        bigquery.fault("POST", "/jobs", sql=f"as http_{name}", reason=reasons[name], message=message)
    bigquery.fault("POST", "/jobs", sql="as gateway", reason="badGateway", status=502, message="Bad Gateway")
    bigquery.fault("POST", "/jobs", sql="as never_arrived", cut="before")
    bigquery.fault("POST", "/jobs", sql="as answer_lost", cut="after")
    bigquery.fault("POST", "/jobs", sql="as lost_and_unknown", cut="after")
    bigquery.fault("GET", "/jobs/*", sql="as lost_and_unknown", reason="notFound", message="Not found: Job acme-dwh:?")
    bigquery.hold("as polled_in_vain|as polled_and_cut|as asked_and_cut", seconds=1)
    bigquery.fault("GET", "/queries/*", sql="as polled_in_vain", status=503)
    bigquery.fault("GET", "/queries/*", sql="as polled_and_cut", cut="before")
    bigquery.fault("GET", "/jobs/*", sql="as asked_and_cut", cut="before")
    bigquery.fault("POST", "/upload/jobs", sql="load analytics.announced", cut="before")
    bigquery.fault("PUT", "/upload/jobs", sql="load analytics.sent", cut="before")
    bigquery.fault("PUT", "/upload/jobs", sql="load analytics.loaded", cut="after")
    bigquery.fault("GET", "/jobs/*", sql="load analytics.waited", cut="before")
    bigquery.hold("load analytics.waited", seconds=0.5)
    bigquery.hold("load analytics.later", seconds=0.5)
    bigquery.fail_jobs("load analytics.later", reason="rateLimitExceeded", message=RATE_LIMIT)
    bigquery.fail_jobs("load analytics.at_once", reason="backendError", message=BACKEND)
    failing = [f"{when}_{name}" for when in ("at_once", "later") for name in in_jobs]
    healing = [f"http_{name}" for name in in_jobs]
    healing += [
        "gateway",
        "never_arrived",
        "answer_lost",
        "lost_and_unknown",
        "polled_in_vain",
        "polled_and_cut",
        "asked_and_cut",
    ]
    seeds = ["announced", "sent", "loaded", "waited"]
    failing_seeds = ["at_once", "later"]
    add_tables(shop, *failing, *healing)
    shop.write({f"seeds/{name}.csv": "id\n1\n" for name in [*seeds, *failing_seeds]})
    # Not where it is found without being named, and the profile does not name it.
    bigquery.add_dataset("analytics", "europe-west3")
    shop.write({"profiles.yml": profile()})

    began = time.monotonic()
    done = build(shop, bigquery)

    assert done.exit_code == 0, done.output
    # dbt-bigquery alone would ask for ten minutes for the results of the job `later_rate`.
    assert time.monotonic() - began < 60
    # The client heals the requests; a job that failed needs another one, and so another attempt.
    assert tries(done) == {**dict.fromkeys([*failing, *failing_seeds], 2), **dict.fromkeys([*healing, *seeds], 1)}
    first, second = done.read("run.json")["attempts"]
    assert (set(first["causes"]), second["causes"]) == ({"rate limit", "backend error", "internal error"}, [])
    jobs_of = {name: bigquery.jobs_of(rf"as {name}\b") for name in [*failing, *healing]}
    assert {name: len(jobs) for name, jobs in jobs_of.items()} == {
        **dict.fromkeys(failing, 2),
        **dict.fromkeys(healing, 1),
    }
    assert [len(bigquery.jobs_of(f"load analytics.{name}")) for name in [*seeds, *failing_seeds]] == [1, 1, 1, 1, 2, 2]
    for name in failing:
        ended, again = jobs_of[name]
        assert ended.ended is not None
        assert ended.ended <= again.created, "two jobs of one node at a time"
    [lost] = jobs_of["answer_lost"]
    assert lost.inserted == 2, "the client never sent it again"


def test_what_does_not_pass_fails_at_once(shop: Project, bigquery: BigQueryDouble) -> None:
    bigquery.hold("as later", seconds=0.5)
    bigquery.fail_jobs("as (at_once|later)", reason="quotaExceeded", message=QUOTA, times=FOREVER)
    bigquery.fault("POST", "/jobs", sql="as refused", reason="quotaExceeded", message=QUOTA, times=FOREVER)
    add_tables(shop, "at_once", "later", "refused")

    done = build(shop, bigquery)

    assert done.exit_code == 1
    assert tries(done) == {"at_once": 1, "later": 1, "refused": 1}
    assert len(done.read("run.json")["attempts"]) == 1
    assert [len(bigquery.jobs_of(f"as {name}")) for name in ("at_once", "later", "refused")] == [1, 1, 0]
    assert all(QUOTA in node["message"] for node in done.read("run.json")["nodes"])
    assert QUOTA in (done.folder / "summary.md").read_text()


@contextmanager
def running(shop: Project, bigquery: BigQueryDouble, *arguments: str, **more: str) -> Iterator[Callable[[], Finished]]:
    """A build in the background; what is yielded waits for its end."""
    found: list[Finished] = []
    thread = Thread(target=lambda: found.append(build(shop, bigquery, *arguments, **more)))
    thread.start()

    def finish() -> Finished:
        thread.join()
        return found[0]

    try:
        yield finish
    except BaseException:
        bigquery.release_all()
        raise
    finally:
        thread.join()


def test_a_token_that_cannot_be_renewed_ends_the_run_at_once(shop: Project, bigquery: BigQueryDouble) -> None:
    bigquery.tokens = {TOKEN}
    held = bigquery.hold("as first")
    add_tables(shop, "first")
    add_tables(shop, "second", after="first")

    with running(shop, bigquery) as finish:
        bigquery.wait_for_jobs(1, "as first")
        bigquery.tokens = set()
        expired = time.monotonic()
        held.release()
        done = finish()

    assert done.exit_code == 1
    assert time.monotonic() - expired < 20
    assert len(done.read("run.json")["attempts"]) == 1
    assert done.nodes == {"model.shop.first": "error", "model.shop.second": "skipped"}
    [first] = [node for node in done.read("run.json")["nodes"] if node["name"] == "first"]
    assert bigquery_advice(first["message"]).startswith("The `token` in profiles.yml has expired")
    assert len(bigquery.jobs_of("as first")) == 1


class TokenEndpoint:
    """Hands out one access token after the other, as Google's endpoints do for a key or for another's token."""

    def __init__(self) -> None:
        self.token = "ya29.first"
        self.handed_out: list[str] = []
        self._server = LoopbackServer("", self._answer)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.port}/token"

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    def _answer(self, _: Request) -> Answer:
        self.handed_out.append(self.token)
        issued = {"issued_token_type": "urn:ietf:params:oauth:token-type:access_token", "token_type": "Bearer"}
        return Answer(200, {"access_token": self.token, "expires_in": 3600, **issued})


def federated(folder: Path, endpoint: TokenEndpoint) -> dict[str, Any]:
    """Workload identity: another's token, exchanged."""
    (folder / "oidc-token").write_text("the token of the workflow")
    return {
        "type": "external_account",
        "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/github/providers/shop",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": endpoint.url,
        "credential_source": {"file": str(folder / "oidc-token")},
    }


def with_key(_: Path, endpoint: TokenEndpoint) -> dict[str, Any]:
    """A service account's key."""
    key = generate_private_key(public_exponent=65537, key_size=2048)
    return {
        "type": "service_account",
        "project_id": "acme-dwh",
        "client_email": "dbt@acme-dwh.iam.gserviceaccount.com",
        "private_key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        "token_uri": endpoint.url,
    }


@pytest.mark.parametrize("credentials", [federated, with_key])
def test_a_token_that_expires_in_mid_build_is_renewed(
    shop: Project,
    bigquery: BigQueryDouble,
    tmp_path: Path,
    credentials: Callable[[Path, TokenEndpoint], dict[str, Any]],
) -> None:
    held = bigquery.hold("as first")
    add_tables(shop, "first")
    add_tables(shop, "second", after="first")
    shop.write({"profiles.yml": profile("method: oauth", IN_THE_EU)})
    file = tmp_path / "credentials.json"
    with TokenEndpoint() as endpoint:
        file.write_text(json.dumps(credentials(tmp_path, endpoint)))
        bigquery.tokens = {"ya29.first"}
        google = {"GOOGLE_APPLICATION_CREDENTIALS": str(file), "GOOGLE_CLOUD_PROJECT": "acme-dwh"}

        with running(shop, bigquery, **google) as finish:
            bigquery.wait_for_jobs(1, "as first")
            endpoint.token = "ya29.second"
            bigquery.tokens = {"ya29.second"}
            held.release()
            done = finish()

    assert done.exit_code == 0, done.output
    assert tries(done) == {"first": 1, "second": 1}
    assert {"ya29.first", "ya29.second"} == set(endpoint.handed_out)
    assert [len(bigquery.jobs_of(f"as {name}")) for name in ("first", "second")] == [1, 1]


def test_a_server_that_is_gone_for_good_does_not_outlive_the_time_limit(
    shop: Project, bigquery: BigQueryDouble
) -> None:
    bigquery.hold("as first")
    add_tables(shop, "first")
    began = time.monotonic()

    with running(shop, bigquery, "--time-limit", "0.35") as finish:
        bigquery.wait_for_jobs(1, "as first")
        bigquery.stop()
        done = finish()

    assert done.exit_code == 124, done.output
    assert time.monotonic() - began < 60
    assert "`time-limit` is over" in done.output
    assert done.nodes == {"model.shop.first": "error"}
    assert not sessions_in(shop.root)


@pytest.fixture
def busy(shop: Project, bigquery: BigQueryDouble) -> Project:
    """Jobs that do not end, of several threads and kinds, in a location that the profile does not name."""
    bigquery.add_dataset("analytics", "europe-west3")
    bigquery.hold("as endless|load")
    add_tables(shop, "endless_one", "endless_two", "endless_three")
    shop.write({"seeds/colors.csv": "id\n1\n", "profiles.yml": profile()})
    return shop


OPEN = 4


def test_jobs_that_outlive_the_time_limit_are_cancelled(busy: Project, bigquery: BigQueryDouble) -> None:
    with running(busy, bigquery, "--time-limit", "0.35") as finish:
        jobs = bigquery.wait_for_jobs(OPEN)
        done = finish()

    assert done.exit_code == 124, done.output
    assert [job.text for job in jobs if not job.cancelled] == []
    assert len(bigquery.jobs_of("as endless|load")) == OPEN
    assert done.read("run.json")["status"] == "timeout"


def test_a_cancel_cancels_all_open_jobs(busy: Project, bigquery: BigQueryDouble, tmp_path: Path) -> None:
    command = [sys.executable, "-P", "-m", "headless_dbt", "run", "--target", "prod"]
    process = subprocess.Popen(
        [*command, "--dbt-python", str(busy.dbt_python), "--run-folder", str(tmp_path / "cancelled")],
        cwd=busy.root,
        env=busy.environment(environment(bigquery)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        jobs = bigquery.wait_for_jobs(OPEN)
        began = time.monotonic()
        # As GitHub's runner does it.
        for number, patience in ((signal.SIGINT, 7.5), (signal.SIGTERM, 2.5), (signal.SIGKILL, 10)):
            process.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(patience)
                break
    finally:
        process.kill()
    output, _ = process.communicate()

    assert process.returncode == 130, output
    assert time.monotonic() - began < 10
    assert [job.text for job in jobs if not job.cancelled] == []
    assert len(bigquery.jobs_of("as endless|load")) == OPEN
    assert not sessions_in(busy.root)


# What a session does to Google's client, with less patience.
IMPATIENT = """
import importlib.util, sys
from google.auth.transport import requests
from google.cloud import bigquery
from google.oauth2.credentials import Credentials
spec = importlib.util.spec_from_file_location("bigquery_patience", sys.argv[1])
patience = importlib.util.module_from_spec(spec)
spec.loader.exec_module(patience)
patience.watch(bigquery, requests, patience.Silence(patience=0.2))
client = bigquery.Client("acme-dwh", Credentials("a-token"), client_options={"api_endpoint": sys.argv[2]})
assert list(client.list_datasets()) == []
print("there", flush=True)
input()
try:
    client.query("select 1", job_id="one", job_retry=None)
except patience.AwayError as error:
    print(error)
"""


def test_googles_client_gives_a_service_up_that_is_gone(dbt_python: Path, bigquery: BigQueryDouble) -> None:
    module = ROOT / "scripts/headless_dbt/bigquery_patience.py"
    command = [str(dbt_python), "-I", "-c", IMPATIENT, str(module), bigquery.url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "there\n"
        bigquery.stop()
        said, _ = process.communicate("go on\n", timeout=30)

    assert said.startswith("BigQuery has given no answer for ")
    assert "Connection refused" in said
    assert transient_cause("bigquery", "error", said) == "connection refused"
