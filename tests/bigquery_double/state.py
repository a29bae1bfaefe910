"""What the double knows: jobs, datasets, tables."""

import time
from dataclasses import dataclass, field
from typing import Any

from tests.bigquery_double.statements import Statement


def now_ms() -> int:
    """Milliseconds since 1970, as all of BigQuery's times are."""
    return int(time.time() * 1000)


@dataclass
class Job:
    """One job. `inserted` counts how often its id was sent to be begun, `cancelled` whether it was cancelled."""

    id: str
    project: str
    location: str
    configuration: dict[str, Any]
    inserted: int = 1
    cancelled: bool = False
    state: str = "RUNNING"
    error: dict[str, Any] | None = None
    created: int = field(default_factory=now_ms)
    ended: int | None = None
    processed: int = 0
    billed: int = 0
    slot_ms: int = 0
    fields: list[tuple[str, str]] = field(default_factory=list)
    rows: list[list[str | None]] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """`query`, `load` or `copy`."""
        return next(kind for kind in ("query", "load", "copy", "extract") if kind in self.configuration)

    @property
    def details(self) -> dict[str, Any]:
        """The configuration that belongs to the kind."""
        return dict(self.configuration[self.kind])

    @property
    def labels(self) -> dict[str, str]:
        """The job's labels."""
        return dict(self.configuration.get("labels", {}))

    @property
    def sql(self) -> str:
        """The text of a query; empty for other jobs."""
        return str(self.details.get("query", ""))

    @property
    def text(self) -> str:
        """What plans look at: the text of a query, or `load dataset.table` and `copy dataset.table`."""
        target = self.details.get("destinationTable", {})
        return self.sql or f"{self.kind} {target.get('datasetId')}.{target.get('tableId')}"

    @property
    def statement(self) -> Statement:
        """What the text of a query is."""
        return Statement(self.sql)

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return self.state == "DONE"

    def end(self, error: dict[str, Any] | None = None) -> None:
        """End it, once."""
        if not self.done:
            self.state, self.error, self.ended = "DONE", error, now_ms()

    def cancel(self) -> None:
        """End it as BigQuery does on a cancel."""
        if not self.done:
            self.cancelled = True
            self.end({"reason": "stopped", "message": "Job execution was cancelled: User requested cancellation"})


@dataclass
class Table:
    """A table or view, as the API shows it, without its reference."""

    document: dict[str, Any]


@dataclass
class Dataset:
    """A dataset and what is in it."""

    name: str
    location: str
    document: dict[str, Any] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)


@dataclass
class Warehouse:
    """One project; `gone` once nothing answers for it any more."""

    project: str
    location: str
    gone: bool = False
    jobs: list[Job] = field(default_factory=list)
    datasets: dict[str, Dataset] = field(default_factory=dict)

    def job(self, job_id: str) -> Job | None:
        """A job by its id."""
        return next((job for job in self.jobs if job.id == job_id), None)

    def table(self, dataset: str, table: str) -> Table | None:
        """A table; what an anonymous dataset is asked for is always there."""
        found = self.datasets.get(dataset)
        return Table({"numRows": "0"}) if dataset.startswith("_") else found.tables.get(table) if found else None
