"""How a job begins and ends."""

from threading import Condition, Timer
from time import monotonic
from typing import Any
from uuid import uuid4

from tests.bigquery_double.plans import Charge, Failure, Hold, Plans, Rows
from tests.bigquery_double.state import Dataset, Job, Table, Warehouse, now_ms

DEFAULT_PROCESSED, DEFAULT_BILLED, DEFAULT_SLOT_MS = 1024, 10 * 1024 * 1024, 100
Failing = dict[str, Any]


class Jobs:
    """Begins jobs as the test has planned them, and lets them end."""

    def __init__(self, warehouse: Warehouse, plans: Plans, changed: Condition) -> None:
        self._warehouse = warehouse
        self._plans = plans
        self._changed = changed
        self._held: list[tuple[Job, Hold, float]] = []

    def sketch(self, document: dict[str, Any]) -> Job:
        """The job that a request asks for, not begun."""
        reference, configuration = document.get("jobReference", {}), document["configuration"]
        job = Job(reference.get("jobId") or f"job_{uuid4().hex}", self._warehouse.project, "", configuration)
        job.location = reference.get("location") or self._location_of(job)
        return job

    def begin(self, job: Job) -> None:
        """Begin it: it ends at once, unless it is to run on."""
        if not job.configuration.get("dryRun"):
            self._warehouse.jobs.append(job)
        charge = self._plans.for_job(Charge, job)
        job.processed, job.billed, job.slot_ms = self._cost(job, charge)
        hold = None if job.configuration.get("dryRun") else self._plans.for_job(Hold, job)
        limit = int(job.configuration.get("jobTimeoutMs") or 0) / 1000
        if hold is None:
            self._end(job)
            return
        self._held.append((job, hold, min(hold.until(), monotonic() + limit if limit else float("inf"))))
        for seconds in (hold.seconds, limit):
            if seconds:
                timer = Timer(seconds, self._wake)
                timer.daemon = True
                timer.start()

    def settle(self) -> None:
        """End what has run for long enough."""
        for held in [*self._held]:
            job, hold, until = held
            if job.done or hold.released or monotonic() >= until:
                self._held.remove(held)
                limit = int(job.configuration.get("jobTimeoutMs") or 0) / 1000
                if not hold.released and limit and (hold.seconds is None or limit < hold.seconds):
                    job.end(
                        {
                            "reason": "stopped",
                            "message": f"Job execution was cancelled: Job timed out after {limit:.0f}s",
                        }
                    )
                self._end(job)

    def _wake(self) -> None:
        with self._changed:
            self.settle()
            self._changed.notify_all()

    def _end(self, job: Job) -> None:
        if job.done:
            return
        planned = self._plans.for_job(Failure, job)
        failing = {"reason": planned.reason, "message": planned.message} if planned else self._true_failure(job)
        if failing is None and not job.configuration.get("dryRun"):
            self._take_effect(job)
        job.end(failing)

    def _true_failure(self, job: Job) -> Failing | None:
        project, location = self._warehouse.project, job.location
        limit = int(job.details.get("maximumBytesBilled") or 0)
        if job.kind == "query" and job.statement.type is None:
            word = job.statement.first_word
            return {
                "reason": "invalidQuery",
                "location": "query",
                "message": f'Syntax error: Unexpected "{word}" at [1:1]',
            }
        if 0 < limit < job.billed:
            message = f"Query exceeded limit for bytes billed: {limit}. {job.billed} or higher required."
            return {"reason": "bytesBilledLimitExceeded", "message": message}
        for name in self._datasets_of(job):
            dataset = self._warehouse.datasets.get(name)
            if dataset is None or dataset.location.lower() != location.lower():
                message = f"Not found: Dataset {project}:{name} was not found in location {location}"
                return {"reason": "notFound", "message": message}
        return None

    def _take_effect(self, job: Job) -> None:
        """Leave behind what the statement makes, and find its result."""
        kind, target = job.statement.type, job.details.get("destinationTable")
        schema = job.statement.made_dataset
        if schema:
            self._warehouse.datasets.setdefault(schema, Dataset(schema, job.location))
        if job.kind == "query" and kind and kind.startswith("CREATE_") and job.statement.names:
            made = job.statement.names[0]
            target = {"projectId": made.project, "datasetId": made.dataset, "tableId": made.table}
        if job.kind == "query" and kind == "SELECT":
            target = {"projectId": job.project, "datasetId": "_anonymous", "tableId": f"anon{uuid4().hex}"}
            self._find_result(job)
        if target and job.kind == "query":
            job.configuration["query"] = {**job.details, "destinationTable": target}
        dataset = self._warehouse.datasets.get((target or {}).get("datasetId", ""))
        if target and dataset and kind not in ("CREATE_FUNCTION", "CREATE_SCHEMA"):
            made_type = {"CREATE_VIEW": "VIEW", "CREATE_MATERIALIZED_VIEW": "MATERIALIZED_VIEW"}.get(
                kind or "", "TABLE"
            )
            dataset.tables[target["tableId"]] = Table({"type": made_type})

    def _find_result(self, job: Job) -> None:
        planned, now = self._plans.for_job(Rows, job), str(now_ms() * 1000)
        if planned:
            job.fields, job.rows = list(planned.fields), [list(row) for row in planned.rows]
        elif job.statement.is_data_test:
            job.fields = [("failures", "INTEGER"), ("should_warn", "BOOLEAN"), ("should_error", "BOOLEAN")]
            job.rows = [["0", "false", "false"]]
        elif job.statement.is_freshness:
            job.fields = [("max_loaded_at", "TIMESTAMP"), ("snapshotted_at", "TIMESTAMP")]
            job.rows = [[now, now]]

    def _cost(self, job: Job, charge: Charge | None) -> tuple[int, int, int]:
        if charge:
            return charge.processed, charge.billed, charge.slot_ms
        reads = job.kind == "query" and job.statement.type in (
            "CREATE_TABLE_AS_SELECT",
            "SELECT",
            "MERGE",
            "INSERT",
            "SCRIPT",
        )
        return (DEFAULT_PROCESSED, DEFAULT_BILLED, DEFAULT_SLOT_MS) if reads else (0, 0, 0)

    def _location_of(self, job: Job) -> str:
        """Of the first dataset that it names and that is there, as BigQuery finds it."""
        known = (self._warehouse.datasets.get(name) for name in self._datasets_of(job))
        return next((dataset.location for dataset in known if dataset), self._warehouse.location)

    def _datasets_of(self, job: Job) -> list[str]:
        project = self._warehouse.project
        tables = [job.details[key] for key in ("destinationTable", "sourceTable") if key in job.details]
        tables += job.details.get("sourceTables", [])
        named = [table["datasetId"] for table in tables if table.get("projectId") == project]
        named += [name.dataset for name in job.statement.names if name.project == project]
        return [name for name in dict.fromkeys(named) if not name.startswith(("region-", "_"))]
