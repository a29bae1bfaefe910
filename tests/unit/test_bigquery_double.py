"""The double behaves like BigQuery to Google's own client, and meets with what a test has planned."""

import json
import subprocess
from collections.abc import Iterator
from http.client import HTTPConnection, RemoteDisconnected
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import Any

import pytest

from tests.bigquery_double import FOREVER, BigQueryDouble
from tests.bigquery_double.statements import Statement

CLIENT = """
import io, json, sys
from google.api_core.exceptions import GoogleAPICallError
from google.cloud import bigquery
from google.oauth2.credentials import Credentials
client = bigquery.Client("acme-dwh", Credentials("a-token"), client_options={"api_endpoint": sys.argv[1]})
answer = []
"""


@pytest.fixture
def double() -> Iterator[BigQueryDouble]:
    with BigQueryDouble("acme-dwh", "EU") as double:
        yield double


def with_client(dbt_python: Path, double: BigQueryDouble, code: str) -> Any:
    """What the code collects in `answer`, run with the client that dbt-bigquery uses."""
    program = CLIENT + code + "\nprint(json.dumps(answer))"
    ran = subprocess.run(
        [dbt_python, "-I", "-c", program, double.url], capture_output=True, text=True, check=False, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def send(
    double: BigQueryDouble, method: str, path: str, body: object = None, token: str = "a-token"
) -> tuple[int, Any]:
    """One request below the project."""
    connection = HTTPConnection(double.url.removeprefix("http://"), timeout=20)
    headers = {"Authorization": f"Bearer {token}"}
    content = None if body is None else json.dumps(body)
    connection.request(method, f"/bigquery/v2/projects/acme-dwh{path}", content, headers)
    response = connection.getresponse()
    text = response.read()
    connection.close()
    return response.status, json.loads(text) if text else None


def begin(double: BigQueryDouble, sql: str, job_id: str = "one", **configuration: object) -> tuple[int, Any]:
    """A query, as dbt begins it."""
    reference = {"projectId": "acme-dwh", "jobId": job_id}
    document = {"jobReference": reference, "configuration": {"query": {"query": sql}, **configuration}}
    return send(double, "POST", "/jobs", document)


def test_googles_client_finds_its_way(dbt_python: Path, double: BigQueryDouble) -> None:
    double.answer("as answer", [("answer", "INTEGER"), ("at", "TIMESTAMP")], [["42", None], ["43", None]])
    double.charge("as answer", processed=2048, billed=10485760, slot_ms=77)

    found = with_client(
        dbt_python,
        double,
        """
client.create_dataset("analytics")
client.query("create or replace table `acme-dwh`.`analytics`.`orders` as (select 1)").result()
client.query("/* node */ create or replace view `acme-dwh`.`analytics`.`recent` as select 1").result()
config = bigquery.LoadJobConfig(labels={"node": "colors"})
client.load_table_from_file(io.BytesIO(b"id,x"), "acme-dwh.analytics.colors", job_config=config).result()
client.load_table_from_file(io.BytesIO(b"id,x"), "acme-dwh.analytics.sizes", size=4, rewind=True).result()
client.copy_table("acme-dwh.analytics.orders", "acme-dwh.analytics.copied").result()
answer.append([[table.table_id, table.table_type] for table in client.list_tables("analytics")])
job = client.query("select 42 as answer")
answer.append([list(row.values()) for row in job.result()])
answer.append([job.statement_type, job.total_bytes_processed, job.total_bytes_billed, job.slot_millis, job.location])
answer.append([row[0] for row in client.query_and_wait("select 42 as answer")])
dry = client.query("select 1", job_config=bigquery.QueryJobConfig(dry_run=True))
answer.append([dry.state, dry.total_bytes_processed])
answer.append([job.job_type for job in client.list_jobs(state_filter="done")])
answer.append([each.dataset_id for each in client.list_datasets()])
answer[-1] += [each.project_id for each in client.list_projects()]
client.delete_table("analytics.recent")
client.delete_dataset("analytics", delete_contents=True)
""",
    )

    tables, rows, statistics, first_column, dry, kinds, names = found
    assert tables == [
        ["orders", "TABLE"],
        ["recent", "VIEW"],
        *([name, "TABLE"] for name in ("colors", "sizes", "copied")),
    ]
    assert (rows, first_column) == ([[42, None], [43, None]], [42, 43])
    assert statistics == ["SELECT", 2048, 10485760, 77, "EU"]
    assert dry == ["DONE", 1024]
    assert kinds == ["query", "query", "copy", "load", "load", "query", "query"]
    assert names == ["analytics", "acme-dwh"]
    assert double.warehouse.datasets == {}
    assert [job.inserted for job in double.jobs] == [1] * 7
    assert double.jobs_of(label="node=colors") == double.jobs_of("load analytics.colors")


def test_googles_client_reads_its_errors(dbt_python: Path, double: BigQueryDouble) -> None:
    double.fail_jobs("orders", reason="quotaExceeded", message="Quota exceeded: too much.")
    double.fault("GET", "/datasets/closed", reason="accessDenied", message="Access Denied: Dataset acme-dwh:closed")
    double.fault("POST", "/jobs", reason="backendError", sql="healed")
    double.fault("POST", "/jobs", cut="after", sql="cut")

    found = with_client(
        dbt_python,
        double,
        """
def seen(call):
    try:
        call()
        answer.append("fine")
    except GoogleAPICallError as error:
        answer.append([type(error).__name__, error.errors[0]["reason"], error.message.split("\\n")[0]])
seen(lambda: client.query("select * from orders", job_id="q", job_retry=None).result())
seen(lambda: client.get_dataset("closed"))
seen(lambda: client.get_dataset("gone"))
seen(lambda: client.query("select healed", job_id="h", job_retry=None).result())
seen(lambda: client.query("select cut", job_id="c", job_retry=None).result())
""",
    )

    quota, denied, missing, healed, cut = found
    assert quota[:2] == ["Forbidden", "quotaExceeded"]
    assert "Quota exceeded: too much." in quota[2]
    assert denied[:2] == ["Forbidden", "accessDenied"]
    assert denied[2].endswith("Access Denied: Dataset acme-dwh:closed")
    assert missing[:2] == ["NotFound", "notFound"]
    assert missing[2].endswith("Not found: Dataset acme-dwh:gone")
    assert healed == "fine"
    # The client sends it again, and is told that it is there: who gave the id himself has to look after that.
    assert cut[:2] == ["Conflict", "duplicate"]
    assert [(job.id, job.inserted) for job in double.jobs] == [("q", 1), ("h", 1), ("c", 2)]


def test_the_same_job_begins_once(double: BigQueryDouble) -> None:
    assert begin(double, "select 1")[0] == 200
    status, answer = begin(double, "select 1")

    assert (status, answer["error"]["code"], answer["error"]["status"]) == (409, 409, "ALREADY_EXISTS")
    message = "Already Exists: Job acme-dwh:EU.one"
    assert answer["error"]["errors"] == [{"message": message, "domain": "global", "reason": "duplicate"}]
    assert [job.inserted for job in double.jobs] == [2]


def test_a_job_runs_until_it_is_released_or_cancelled(double: BigQueryDouble) -> None:
    held = double.hold("slow")
    begin(double, "select 'slow'", "first")
    begin(double, "select 'slow'", "second")
    assert send(double, "GET", "/jobs/first")[1]["status"] == {"state": "RUNNING"}
    assert send(double, "GET", "/queries/first?timeoutMs=0")[1]["jobComplete"] is False

    _, answer = send(double, "POST", "/jobs/first/cancel")
    stopped = {"reason": "stopped", "message": "Job execution was cancelled: User requested cancellation"}
    assert answer["job"]["status"] == {"state": "DONE", "errorResult": stopped, "errors": [stopped]}
    assert send(double, "GET", "/queries/first")[0] == 400
    held.release()
    assert send(double, "GET", "/queries/second")[1]["jobComplete"] is True
    assert [(job.cancelled, job.state) for job in double.jobs] == [(True, "DONE"), (False, "DONE")]


def test_results_are_waited_for_while_others_are_answered(double: BigQueryDouble) -> None:
    double.hold("slow", seconds=0.3)
    begin(double, "select 'slow'")
    answers: list[Any] = []
    waiting = Thread(target=lambda: answers.append(send(double, "GET", "/queries/one")))
    began = monotonic()
    waiting.start()

    assert send(double, "GET", "/jobs/one")[1]["status"]["state"] == "RUNNING"
    waiting.join()

    assert 0.2 < monotonic() - began < 5
    assert answers[0][1]["jobComplete"] is True


def test_a_job_has_limits(double: BigQueryDouble) -> None:
    double.hold("slow")
    begin(double, "select 'slow'", jobTimeoutMs="50")
    status, answer = send(double, "GET", "/queries/one")
    assert (status, answer["error"]["errors"][0]["reason"]) == (400, "stopped")

    double.charge("dear", processed=1, billed=1000)
    document = {"configuration": {"query": {"query": "select 'dear'", "maximumBytesBilled": "999"}}}
    _, answer = send(double, "POST", "/jobs", document)
    message = "Query exceeded limit for bytes billed: 999. 1000 or higher required."
    assert answer["status"]["errorResult"] == {"reason": "bytesBilledLimitExceeded", "message": message}


def test_everything_has_a_location(double: BigQueryDouble) -> None:
    double.add_dataset("raw", "europe-west3")
    begin(double, "select * from `acme-dwh`.`raw`.`orders`")

    assert double.jobs[0].location == "europe-west3"
    # Outside of the multi-regions, a job is found only by who names its location.
    assert send(double, "GET", "/jobs/one")[0] == 404
    assert send(double, "GET", "/jobs/one?location=EU")[0] == 404
    assert send(double, "POST", "/jobs/one/cancel?location=europe-west3")[0] == 200
    reference = {"jobId": "two", "location": "US"}
    query = {"query": {"query": "select * from `acme-dwh`.`raw`.`orders`"}}
    _, answer = send(double, "POST", "/jobs", {"jobReference": reference, "configuration": query})
    assert answer["status"]["errorResult"]["message"] == "Not found: Dataset acme-dwh:raw was not found in location US"


def test_only_known_tokens_are_taken(double: BigQueryDouble) -> None:
    double.tokens = {"a-token"}
    assert send(double, "GET", "/datasets")[0] == 200
    status, answer = send(double, "GET", "/datasets", token="expired")
    assert (status, answer["error"]["status"], answer["error"]["errors"][0]["reason"]) == (
        401,
        "UNAUTHENTICATED",
        "authError",
    )


def test_who_is_gone_is_gone_for_those_too_who_were_speaking(double: BigQueryDouble) -> None:
    connection = HTTPConnection(double.url.removeprefix("http://"), timeout=5)

    def ask(connection: HTTPConnection) -> None:
        connection.request("GET", "/bigquery/v2/projects/acme-dwh/datasets")
        connection.getresponse().read()

    ask(connection)
    double.stop()

    with pytest.raises((RemoteDisconnected, ConnectionError)):
        ask(connection)
    with pytest.raises(ConnectionRefusedError):
        send(double, "GET", "/datasets")


def test_plans_that_nothing_met_are_told() -> None:
    with pytest.raises(AssertionError, match="nothing met Fault"), BigQueryDouble() as double:
        double.fault("POST", "/jobs", times=FOREVER)


@pytest.mark.parametrize(
    ("method", "path", "body", "breach"),
    [
        ("GET", "/tables", None, "GET /tables: BigQuery has no such method"),
        ("GET", "/datasets?quick=yes", None, "GET /datasets: BigQuery knows no parameter 'quick'"),
        ("POST", "/jobs", {"colour": "red"}, "POST /jobs: request.configuration.query.colour is unknown to BigQuery"),
        ("POST", "/jobs", {"useLegacySql": "no"}, "request.configuration.query.useLegacySql is 'no', and no boolean"),
        ("POST", "/jobs", {"maximumBytesBilled": "ten"}, "query.maximumBytesBilled is 'ten', and no number"),
        ("DELETE", "/jobs/one/delete", None, "The double of BigQuery does not play DELETE /jobs/one/delete"),
    ],
)
def test_what_breaks_googles_description_is_told(method: str, path: str, body: Any, breach: str) -> None:
    document = body and {"configuration": {"query": {"query": "select 1", **body}}}
    double = BigQueryDouble()
    with pytest.raises(AssertionError) as caught, double:
        assert send(double, method, path, document)[0] in (400, 404)
    assert breach in str(caught.value)


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        (
            "/* {} */ create or replace table `p`.`d`.`t` options(description='as (') as (\nwith x as (select 1))",
            "CREATE_TABLE_AS_SELECT",
        ),
        ("create or replace table `p`.`d`.`t` (id int64)", "CREATE_TABLE"),
        ("create schema if not exists `p`.`d`", "CREATE_SCHEMA"),
        ("-- of ada\nselect ';'", "SELECT"),
        ("(select 1) union all (select 2)", "SELECT"),
        ("merge into `p`.`d`.`t` using (select 1) on false", "MERGE"),
        ("drop table if exists `p`.`d`.`t`", "DROP_TABLE"),
        ("declare x int64; select x;", "SCRIPT"),
        ("create temp table t as select 1; select * from t", "SCRIPT"),
        ("selec 1", None),
    ],
)
def test_a_statement_has_a_type(sql: str, kind: str | None) -> None:
    assert Statement(sql).type == kind
