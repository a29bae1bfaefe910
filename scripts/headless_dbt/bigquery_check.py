"""What a run would need of BigQuery, tried one by one, with the client and the credentials that dbt itself would use.

Runs inside dbt's own interpreter; session.py loads it by path. Whatever is made is taken away again. Nothing is tried
twice, because Google's client would go on for minutes, and what has no answer in time has not passed.
Source of the permissions: https://cloud.google.com/bigquery/docs/access-control
"""

import contextlib
import math
import queue
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

CALL_SECONDS, LEAST_SECONDS = 5.0, 1.5
# After the deadline: what was made is still taken away.
TIDY_SECONDS = 3.5
MOST_AT_ONCE = 16
NOT_TRIED, NO_ANSWER = "Not tried.", "No answer in time."
MADE = "It was made for this check, and was not seen to go: remove it, if it is there and empty."
NOT_THERE_YET = "It is not there yet; this project writes into its dataset."
IN_A_TABLE = ("write", "read", "change a table", "list tables")
IN_A_DATASET = ("create a table", *IN_A_TABLE, "drop a table")

DatasetName = tuple[str, str]
TableName = tuple[str, str, str]


@dataclass
class Step:
    """One thing to try, and what came of it; ``passed`` is None where nobody knows."""

    name: str
    subject: str
    passed: bool | None = None
    message: str = NOT_TRIED


def try_bigquery(
    open_client: Callable[[], tuple[Any, Any]],
    writes: Iterable[DatasetName],
    reads: Iterable[TableName],
    seconds: float,
) -> list[dict[str, Any]]:
    """Try it all; return the steps as data.

    ``open_client`` gives Google's client and dbt's credentials; ``writes`` are datasets as project and name, ``reads``
    tables as project, dataset and name.
    """
    trial = _Trial(open_client, tuple(writes), tuple(reads), time.monotonic() + seconds)
    trial.run()
    # What hangs goes on writing into its own step; what is told is as it was now.
    return [asdict(step) for step in list(trial.steps)]


def try_connection(adapter: str, connect: Callable[[], None]) -> dict[str, Any]:
    """The one step that every other warehouse has: dbt's own query for its connection."""
    step = Step("connection", adapter)
    _attempt(step, connect)
    return asdict(step)


def _attempt(step: Step, work: Callable[[], str | None], unanswered: str = NO_ANSWER, until: float = math.inf) -> bool:
    """Do it, and note what came of it; it may return what there is to say beside that it passed.

    What fails after ``until`` has had no answer: what it worked on may have been taken away meanwhile.
    """
    step.passed, step.message = None, unanswered
    try:
        said = work() or ""
    except Exception as error:  # noqa: BLE001  Whatever it is, it is the answer.
        if time.monotonic() >= until or _is_timeout(error):
            return False
        step.message, step.passed = str(error) or type(error).__name__, False
    else:
        step.message, step.passed = said, True
    return bool(step.passed)


def _is_timeout(error: Exception) -> bool:
    """Whether nobody answered: by the client for jobs, or by requests, which not every adapter has."""
    return isinstance(error, TimeoutError) or "Timeout" in {kind.__name__ for kind in type(error).__mro__}


class _Trial:
    def __init__(
        self,
        open_client: Callable[[], tuple[Any, Any]],
        writes: Sequence[DatasetName],
        reads: Sequence[TableName],
        deadline: float,
    ) -> None:
        self.open_client, self.writes, self.reads, self.deadline = open_client, writes, reads, deadline
        self.client: Any = None
        # Datasets in which the check has something to take away.
        self.untidy: set[DatasetName] = set()
        self.credentials: Any = None
        self.credentials_step = Step("credentials", "Google")
        self.job = Step("run a job", "BigQuery")
        self.sources = {table: Step("source", ".".join(table)) for table in reads}
        self.datasets = {dataset: Step("dataset", ".".join(dataset)) for dataset in writes}
        self.in_datasets = {
            dataset: {name: Step(name, ".".join(dataset)) for name in IN_A_DATASET} for dataset in writes
        }
        self.steps = [
            self.credentials_step,
            self.job,
            *self.sources.values(),
            *(step for dataset in writes for step in (self.datasets[dataset], *self.in_datasets[dataset].values())),
        ]

    def run(self) -> None:
        self._together([lambda: _attempt(self.credentials_step, self._open)])
        if not self.credentials_step.passed:
            return
        self.job.subject = self.credentials.execution_project
        try:
            self._together(
                [
                    lambda: _attempt(self.job, lambda: self._query("select 1")),
                    *(partial(self._try_dataset, dataset) for dataset in self.writes),
                    *(
                        lambda table=table: _attempt(self.sources[table], lambda: self._read(table))
                        for table in self.reads
                    ),
                ]
            )
        finally:  # Also when it is cancelled.
            self._wait_until_tidy()

    def _wait_until_tidy(self) -> None:
        """Leave those who took something away the time for it."""
        self.deadline = min(self.deadline, time.monotonic())
        while self.untidy and time.monotonic() < self.deadline + TIDY_SECONDS:
            time.sleep(0.05)

    def _seconds(self) -> float:
        """How long a call may take: what is left until the deadline, and a little to take away what was made."""
        return min(CALL_SECONDS, max(LEAST_SECONDS, self.deadline - time.monotonic()))

    def _together(self, works: Iterable[Callable[[], Any]]) -> None:
        """Do all of it, some at once, until the deadline; nobody waits for what hangs."""
        waiting: queue.SimpleQueue[Callable[[], Any]] = queue.SimpleQueue()
        for work in works:
            waiting.put(work)

        def take() -> None:
            while time.monotonic() < self.deadline:
                try:
                    waiting.get_nowait()()
                except queue.Empty:
                    return

        threads = [threading.Thread(target=take, daemon=True) for _ in range(min(MOST_AT_ONCE, waiting.qsize()))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0.0, self.deadline - time.monotonic()))

    def _open(self) -> None:
        self.client, self.credentials = self.open_client()
        from google.auth.transport.requests import Request

        # A token is what most mistakes are about; without asking for one they would be those of the next call.
        token = self.client._credentials  # noqa: SLF001  There is no public way to it.
        if not token.valid:
            token.refresh(Request())

    def _query(self, sql: str, *, dry_run: bool = False) -> None:
        from google.cloud.bigquery import QueryJobConfig

        config = QueryJobConfig(dry_run=dry_run, use_query_cache=False)
        if most := self.credentials.maximum_bytes_billed:
            config.maximum_bytes_billed = most
        job = self.client.query(sql, job_config=config, retry=None, job_retry=None, timeout=self._seconds())
        if dry_run:
            return
        try:
            job.result(retry=None, job_retry=None, timeout=self._seconds())
        except TimeoutError:
            job.cancel(retry=None, timeout=LEAST_SECONDS)
            raise

    def _read(self, table: TableName) -> str:
        """A dry run is free, and refuses what a query would refuse."""
        from google.api_core.exceptions import NotFound

        try:
            self._query(f"select 1 from {_quoted(*table)} limit 0", dry_run=True)
        except NotFound:
            if table[:2] not in self.writes:
                raise
            return NOT_THERE_YET
        return ""

    def _try_dataset(self, dataset: DatasetName) -> None:
        """All that dbt does in a dataset that it writes into."""
        from google.cloud.bigquery import DatasetReference

        made = False

        def find_or_make() -> str:
            nonlocal made
            said, made = self._find_or_make(DatasetReference(*dataset))
            return said

        if _attempt(self.datasets[dataset], find_or_make):
            self._try_tables(dataset)
        if made:
            step = self.datasets[dataset]
            _attempt(step, lambda: self._remove(DatasetReference(*dataset)), unanswered=MADE)
            if step.passed is False:
                step.message += f" {MADE}"
        self.untidy.discard(dataset)

    def _find_or_make(self, reference: Any) -> tuple[str, bool]:
        """Find the dataset where the profile says that it is, or make it; whether it was made."""
        from google.api_core.exceptions import NotFound
        from google.cloud.bigquery import Dataset

        wanted = self.credentials.location
        try:
            place = self.client.get_dataset(reference, retry=None, timeout=self._seconds()).location
        except NotFound:
            new = Dataset(reference)
            new.location = wanted
            self.untidy.add((reference.project, reference.dataset_id))
            self.client.create_dataset(new, retry=None, timeout=self._seconds())
            return "", True
        if wanted and place and wanted.lower() != place.lower():
            name = f"{reference.project}:{reference.dataset_id}"
            raise ValueError(f"Dataset {name} is in the location {place}, and the profile says {wanted}.")
        return f"In {place}.", False

    def _remove(self, reference: Any) -> str:
        """Take a dataset away that was made for the check; a run that has begun meanwhile keeps it."""
        from google.api_core.exceptions import BadRequest

        try:
            self.client.delete_dataset(reference, delete_contents=False, retry=None, timeout=self._seconds())
        except BadRequest as error:
            if "still in use" not in str(error):
                raise
        return "It is not there yet, and can be made."

    def _try_tables(self, dataset: DatasetName) -> None:
        steps = self.in_datasets[dataset]
        name = f"headless_dbt_check_{uuid.uuid4().hex[:12]}"
        table, path = _quoted(*dataset, name), ".".join((*dataset, name))
        # Should the check be killed, BigQuery itself takes the table away.
        self.untidy.add(dataset)
        kept = "options (expiration_timestamp = timestamp_add(current_timestamp(), interval 1 hour))"
        if not _attempt(steps["create a table"], lambda: self._query(f"create table {table} {kept} as select 1 as id")):
            if steps["create a table"].passed is None:
                with contextlib.suppress(Exception):
                    self._drop(path)
            return
        works: dict[str, Callable[[], None]] = {
            "write": lambda: self._query(f"insert into {table} (id) values (2)"),
            "read": lambda: self._query(f"select id from {table}"),
            "change a table": lambda: self._describe(path),
            "list tables": lambda: self._list(".".join(dataset)),
        }
        self._together(partial(_attempt, steps[name], works[name], until=self.deadline) for name in IN_A_TABLE)
        _attempt(steps["drop a table"], lambda: self._drop(path))

    def _describe(self, table: str) -> None:
        found = self.client.get_table(table, retry=None, timeout=self._seconds())
        found.description = "A check of headless-dbt"
        self.client.update_table(found, ["description"], retry=None, timeout=self._seconds())

    def _drop(self, table: str) -> None:
        self.client.delete_table(table, retry=None, timeout=self._seconds())

    def _list(self, dataset: str) -> None:
        list(self.client.list_tables(dataset, max_results=1, retry=None, timeout=self._seconds()))


def _quoted(*parts: str) -> str:
    return "`" + ".".join(part.replace("`", "") for part in parts) + "`"
