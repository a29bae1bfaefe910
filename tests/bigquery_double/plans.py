"""What a test plans: faults of the service, jobs that fail, run on, cost, or answer with rows."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from threading import Condition
from time import monotonic
from typing import Final, Literal, TypeVar

from tests.bigquery_double.state import Job
from tests.github_double.exchange import Answer

FOREVER: Final = -1
Cutting = Literal["before", "after"]


@dataclass(kw_only=True)
class Plan:
    """Something for the next `times` jobs whose text and one of whose labels (`name=value`) match."""

    sql: str = ""
    label: str = ""
    times: int = FOREVER
    optional: bool = False
    used: int = 0

    def is_about(self, job: Job | None) -> bool:
        """Whether it is about this job; with neither text nor label it is about all, and about what is no job."""
        if not (self.sql or self.label):
            return True
        labels = [] if job is None else [f"{name}={value}" for name, value in job.labels.items()]
        return (
            job is not None
            and bool(re.search(self.sql, job.text, re.IGNORECASE))
            and (not self.label or any(re.search(self.label, label) for label in labels))
        )

    def use(self) -> bool:
        """Whether it has not been used up; if so, it is used once more."""
        left = self.times == FOREVER or self.used < self.times
        self.used += left
        return left

    def strikes(self, job: Job) -> bool:
        """Whether it is this job's turn."""
        return self.is_about(job) and self.use()


@dataclass(kw_only=True)
class Fault(Plan):
    """An answer in place of the true one, or none at all: the connection is cut, before or after the effect."""

    method: str
    path: str
    answer: Answer | None
    cut: Cutting | None

    def meets(self, method: str, path: str, job: Job | None) -> bool:
        """Whether this request gets it. `path` stands below the project; `*` matches anything."""
        fits = fnmatchcase(method, self.method) and fnmatchcase(path, self.path)
        return fits and self.is_about(job) and self.use()


@dataclass(kw_only=True)
class Failure(Plan):
    """The job is accepted, and ends with an error."""

    reason: str
    message: str


@dataclass(kw_only=True)
class Hold(Plan):
    """The job runs on: for some seconds, or until it is released or cancelled."""

    changed: Condition
    seconds: float | None = None
    released: bool = False

    def release(self) -> None:
        """Let the jobs end."""
        with self.changed:
            self.released = True
            self.changed.notify_all()

    def until(self) -> float:
        """When a job that begins now ends, unless it is released."""
        return float("inf") if self.seconds is None else monotonic() + self.seconds


@dataclass(kw_only=True)
class Charge(Plan):
    """What a job costs."""

    processed: int
    billed: int
    slot_ms: int


@dataclass(kw_only=True)
class Rows(Plan):
    """What a job's result is."""

    fields: Sequence[tuple[str, str]]
    rows: Sequence[Sequence[str | None]]


PlanOfJob = TypeVar("PlanOfJob", Failure, Hold, Charge, Rows)


@dataclass
class Plans:
    """All of them; of a kind the last one made decides, so that a test can narrow what a fixture has said."""

    faults: list[Fault] = field(default_factory=list)
    of_jobs: list[Failure | Hold | Charge | Rows] = field(default_factory=list)

    def fault_for(self, method: str, path: str, job: Job | None) -> Fault | None:
        """The fault that this request gets."""
        return next((each for each in self.faults if each.meets(method, path, job)), None)

    def for_job(self, kind: type[PlanOfJob], job: Job) -> PlanOfJob | None:
        """What is planned of this kind for this job."""
        found: Iterable[PlanOfJob] = (each for each in reversed(self.of_jobs) if isinstance(each, kind))
        return next((each for each in found if each.strikes(job)), None)

    def never_met(self) -> list[str]:
        """What nothing met: the test did not test what it meant to."""
        every: list[Plan] = [*self.faults, *self.of_jobs]
        return [f"nothing met {each}" for each in every if not each.used and not each.optional]
