"""What each route does: the part of BigQuery that the double plays."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Condition
from time import monotonic
from typing import Any, Final, cast

from tests.bigquery_double.documents import (
    dataset_document,
    job_document,
    job_in_list,
    results_document,
    row_documents,
    table_document,
    table_in_list,
)
from tests.bigquery_double.errors import already_exists, error, failed_job, not_found
from tests.bigquery_double.jobs import Jobs
from tests.bigquery_double.state import Dataset, Job, Table, Warehouse
from tests.github_double.exchange import Answer, Request

# Jobs of these locations are found without naming it: https://cloud.google.com/bigquery/docs/locations
FOUND_ANYWHERE: Final = ("us", "eu")
LONGEST_WAIT: Final = 10.0


@dataclass(frozen=True)
class Call:
    """One request to one route."""

    warehouse: Warehouse
    jobs: Jobs
    changed: Condition
    request: Request
    parameters: Mapping[str, str]
    uploads: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def body(self) -> dict[str, Any]:
        """The request's JSON object."""
        return cast(dict[str, Any], self.request.body or {})

    @property
    def dataset(self) -> Dataset | None:
        """The dataset of the path."""
        return self.warehouse.datasets.get(self.parameters["dataset"])

    @property
    def job(self) -> Job | None:
        """The job of the path; of most locations it must be named."""
        job, named = self.warehouse.job(self.parameters["job"]), self.request.query.get("location", "").lower()
        if job is None:
            return None
        here = job.location.lower()
        return job if named == here or (not named and here in FOUND_ANYWHERE) else None

    @property
    def job_not_found(self) -> Answer:
        """The answer where there is no such job."""
        return not_found(f"Job {self.warehouse.project}:{self.parameters['job']}")

    @property
    def dataset_not_found(self) -> Answer:
        """The answer where there is no such dataset."""
        return not_found(f"Dataset {self.warehouse.project}:{self.parameters['dataset']}")

    @property
    def table_name(self) -> str:
        """A table as BigQuery's errors name it."""
        return f"Table {self.warehouse.project}:{self.parameters['dataset']}.{self.parameters['table']}"

    def page(self, items: Sequence[dict[str, Any]]) -> tuple[Sequence[dict[str, Any]], dict[str, str]]:
        """One page of a list, and the token of the next."""
        size = int(self.request.query.get("maxResults", 50))
        start = int(self.request.query.get("pageToken") or 0)
        more = {"nextPageToken": str(start + size)} if start + size < len(items) else {}
        return items[start : start + size], more


Route = Callable[[Call], Answer]
ROUTES: Final[list[tuple[str, re.Pattern[str], Route]]] = []


def route(method: str, template: str) -> Callable[[Route], Route]:
    """Register a function as one of BigQuery's routes, written below the project."""
    pattern = re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", template))

    def register(function: Route) -> Route:
        ROUTES.append((method, pattern, function))
        return function

    return register


def upload_document(request: Request) -> dict[str, Any]:
    """The job that a multipart upload asks for: the JSON between its first two boundaries."""
    if isinstance(request.body, dict):
        return request.body
    text = str(request.body)
    first_line = text.lstrip().splitlines()[0]
    first_part = text.split(first_line)[1]
    return cast(dict[str, Any], json.loads(first_part[first_part.index("{") :]))


@route("POST", "/jobs")
def insert_job(call: Call) -> Answer:
    """Begin a job, once for each id."""
    return _begin(call, call.body)


@route("POST", "/upload/jobs")
def upload(call: Call) -> Answer:
    """A load job with its data, or the address to which the data is to be sent."""
    if call.request.query.get("uploadType") == "multipart":
        return _begin(call, upload_document(call.request))
    name = f"upload{len(call.uploads) + 1}"
    call.uploads[name] = {"document": call.body, "received": 0, "answer": None}
    host = call.request.headers["host"]
    path = f"/upload/bigquery/v2/projects/{call.warehouse.project}/jobs"
    return Answer(200, None, {"location": f"http://{host}{path}?uploadType=resumable&upload_id={name}"})


@route("PUT", "/upload/jobs")
def upload_chunk(call: Call) -> Answer:
    """A piece of the data; with the last one the job begins. The last one again is answered again."""
    session = call.uploads[call.request.query["upload_id"]]
    content = re.fullmatch(r"bytes (?:\*|\d+-(\d+))/(\*|\d+)", call.request.headers["content-range"])
    if content is None:
        return error("invalid", "The Content-Range is not readable")
    session["received"] = int(content[1]) + 1 if content[1] else session["received"]
    complete = content[2] != "*" and session["received"] >= int(content[2])
    if complete and session["answer"] is None:
        session["answer"] = _begin(call, session["document"])
    if session["answer"] is not None:
        return cast(Answer, session["answer"])
    received = {"range": f"bytes=0-{session['received'] - 1}"} if session["received"] else {}
    return Answer(308, None, received)


@route("GET", "/jobs")
def list_jobs(call: Call) -> Answer:
    """The newest jobs first."""
    query = call.request.query
    since, until = int(query.get("minCreationTime", 0)), int(query.get("maxCreationTime", 1 << 60))
    state = query.get("stateFilter", "").upper()
    found = [
        job_in_list(job)
        for job in reversed(call.warehouse.jobs)
        if since <= job.created <= until and state in ("", job.state) and not query.get("parentJobId")
    ]
    items, more = call.page(found)
    return Answer(200, {"kind": "bigquery#jobList", "jobs": items, **more})


@route("GET", "/jobs/{job}")
def get_job(call: Call) -> Answer:
    """One job."""
    return Answer(200, job_document(call.job)) if call.job else call.job_not_found


@route("POST", "/jobs/{job}/cancel")
def cancel_job(call: Call) -> Answer:
    """Cancel a job; of one that has ended, nothing changes."""
    if call.job is None:
        return call.job_not_found
    call.job.cancel()
    return Answer(200, {"kind": "bigquery#jobCancelResponse", "job": job_document(call.job)})


@route("POST", "/queries")
def query(call: Call) -> Answer:
    """Begin a query and wait for it: jobs.query."""
    body = call.body
    config = {"query": body["query"], "useLegacySql": body.get("useLegacySql", True)}
    config |= {"maximumBytesBilled": body["maximumBytesBilled"]} if "maximumBytesBilled" in body else {}
    job = call.jobs.sketch(
        {
            "jobReference": {"location": body["location"]} if "location" in body else {},
            "configuration": {"query": config, "labels": body.get("labels", {}), "dryRun": body.get("dryRun", False)},
        }
    )
    call.jobs.begin(job)
    answer = _results(call, job, float(body.get("timeoutMs", 10_000)) / 1000)
    kind = {"kind": "bigquery#queryResponse"}
    return Answer(200, {**cast(dict[str, Any], answer.body), **kind}) if answer.status == 200 else answer


@route("GET", "/queries/{job}")
def get_query_results(call: Call) -> Answer:
    """Wait for a query, and answer with its rows: jobs.getQueryResults."""
    if call.job is None:
        return call.job_not_found
    return _results(call, call.job, float(call.request.query.get("timeoutMs", 10_000)) / 1000)


@route("GET", "/datasets")
def list_datasets(call: Call) -> Answer:
    """All datasets."""
    items, more = call.page([dataset_document(call.warehouse, each) for each in call.warehouse.datasets.values()])
    return Answer(200, {"kind": "bigquery#datasetList", "datasets": items, **more})


@route("POST", "/datasets")
def create_dataset(call: Call) -> Answer:
    """Make a dataset, in the project's usual location unless another is given."""
    name = call.body["datasetReference"]["datasetId"]
    if name in call.warehouse.datasets:
        return already_exists(f"Dataset {call.warehouse.project}:{name}")
    made = Dataset(name, call.body.get("location") or call.warehouse.location, call.body)
    call.warehouse.datasets[name] = made
    return Answer(200, dataset_document(call.warehouse, made))


@route("GET", "/datasets/{dataset}")
def get_dataset(call: Call) -> Answer:
    """One dataset."""
    return Answer(200, dataset_document(call.warehouse, call.dataset)) if call.dataset else call.dataset_not_found


@route("PATCH", "/datasets/{dataset}")
@route("PUT", "/datasets/{dataset}")
def change_dataset(call: Call) -> Answer:
    """Change what the body names."""
    if call.dataset is None:
        return call.dataset_not_found
    call.dataset.document |= call.body
    return Answer(200, dataset_document(call.warehouse, call.dataset))


@route("DELETE", "/datasets/{dataset}")
def delete_dataset(call: Call) -> Answer:
    """Remove a dataset; with what is in it only if that is asked for."""
    if call.dataset is None:
        return call.dataset_not_found
    if call.dataset.tables and call.request.query.get("deleteContents") != "true":
        return error("resourceInUse", f"Dataset {call.warehouse.project}:{call.dataset.name} is still in use")
    del call.warehouse.datasets[call.dataset.name]
    return Answer(204)


@route("GET", "/datasets/{dataset}/tables")
def list_tables(call: Call) -> Answer:
    """The tables of a dataset."""
    if call.dataset is None:
        return call.dataset_not_found
    name, tables = call.dataset.name, call.dataset.tables
    items, more = call.page([table_in_list(call.warehouse, name, table, each) for table, each in tables.items()])
    return Answer(200, {"kind": "bigquery#tableList", "tables": items, "totalItems": len(tables), **more})


@route("POST", "/datasets/{dataset}/tables")
def create_table(call: Call) -> Answer:
    """Make a table or a view."""
    if call.dataset is None:
        return call.dataset_not_found
    name = call.body["tableReference"]["tableId"]
    if name in call.dataset.tables:
        return already_exists(f"Table {call.warehouse.project}:{call.dataset.name}.{name}")
    call.dataset.tables[name] = made = Table({**call.body, "type": "VIEW" if "view" in call.body else "TABLE"})
    return Answer(200, table_document(call.warehouse, call.dataset.name, name, made))


@route("GET", "/datasets/{dataset}/tables/{table}")
def get_table(call: Call) -> Answer:
    """One table or view."""
    dataset, name = call.parameters["dataset"], call.parameters["table"]
    table = call.warehouse.table(dataset, name)
    return Answer(200, table_document(call.warehouse, dataset, name, table)) if table else not_found(call.table_name)


@route("PATCH", "/datasets/{dataset}/tables/{table}")
@route("PUT", "/datasets/{dataset}/tables/{table}")
def change_table(call: Call) -> Answer:
    """Change what the body names."""
    dataset, name = call.parameters["dataset"], call.parameters["table"]
    table = call.warehouse.table(dataset, name)
    if table is None:
        return not_found(call.table_name)
    table.document |= call.body
    return Answer(200, table_document(call.warehouse, dataset, name, table))


@route("DELETE", "/datasets/{dataset}/tables/{table}")
def delete_table(call: Call) -> Answer:
    """Remove a table or a view."""
    if call.dataset is None or call.parameters["table"] not in call.dataset.tables:
        return not_found(call.table_name)
    del call.dataset.tables[call.parameters["table"]]
    return Answer(204)


@route("GET", "/datasets/{dataset}/routines")
def list_routines(call: Call) -> Answer:
    """No functions: the double keeps none."""
    return Answer(200, {"routines": []}) if call.dataset else call.dataset_not_found


@route("GET", "/datasets/{dataset}/tables/{table}/data")
def list_rows(call: Call) -> Answer:
    """The rows of a result that was put into a table; the double keeps those of no other."""
    name = call.parameters["table"]
    job = next(
        (job for job in call.warehouse.jobs if job.details.get("destinationTable", {}).get("tableId") == name), None
    )
    rows = job.rows if job else []
    return Answer(200, {"kind": "bigquery#tableDataList", "totalRows": str(len(rows)), "rows": row_documents(rows)})


def _begin(call: Call, document: dict[str, Any]) -> Answer:
    job = call.jobs.sketch(document)
    there = call.warehouse.job(job.id)
    if there:
        there.inserted += 1
        return already_exists(f"Job {there.project}:{there.location}.{there.id}")
    call.jobs.begin(job)
    return Answer(200, job_document(job))


def _results(call: Call, job: Job, seconds: float) -> Answer:
    """Wait as BigQuery does: until the job has ended, and no longer than that."""
    until = monotonic() + min(seconds, LONGEST_WAIT)
    while not (job.done or call.warehouse.gone) and monotonic() < until:
        call.changed.wait(until - monotonic())
        call.jobs.settle()
    if job.error:
        return failed_job(job.error)
    wanted = call.request.query.get("maxResults")
    return Answer(200, results_document(job, None if wanted is None else int(wanted)))
