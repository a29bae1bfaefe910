"""The jobs that a dbt session begins on BigQuery: labelled, counted, and none left running.

Runs inside dbt's own interpreter; session.py loads it by path where dbt has loaded Google's client. Every job of
dbt-bigquery begins with one of three public methods of ``google.cloud.bigquery.Client``; these are wrapped, which
needs nothing of dbt-bigquery's own and so holds for each of its versions.

dbt's own cancel is not enough: it goes through every job that the run has ever begun, one after the other, knows none
of the loads of seeds, asks without a location where the profile names none, and the first error ends it
(``BigQueryConnectionManager.cancel_open`` of dbt-bigquery 1.12.1).
Source: https://cloud.google.com/python/docs/reference/bigquery/latest/google.cloud.bigquery.client.Client and
https://cloud.google.com/bigquery/docs/labels-intro#requirements
"""

import functools
import hashlib
import inspect
import json
import re
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# The methods that begin a job, with the class of their `job_config`.
BEGINNERS = {"query": "QueryJobConfig", "load_table_from_file": "LoadJobConfig", "copy_table": "CopyJobConfig"}
LONGEST_LABEL = 63
CALL_SECONDS = 3.0
# An id that is taken may be unknown for a moment all the same: googleapis/python-bigquery#2134.
FIND_SECONDS = 20.0
CANCELLED = "Not begun: the run is being cancelled."


class NotBegunError(Exception):
    """A job that was not begun, and why."""


@dataclass
class _Entry:
    """A job that may be running. ``job`` is Google's object, once the service has answered."""

    client: Any
    job_id: str
    project: str | None
    location: str | None
    node: str
    job: Any = None
    submitting: bool = True
    taken: bool = False


class BigQueryJobs:
    """The jobs of one session.

    ``options`` are those of session_protocol.JobsOptions: ``labels`` go to each job, and the node's unique id. Once
    more than ``most_bytes`` are billed the next node is not begun, and fails with the text ``refusal``; None is no
    limit. The file ``ledger`` gets one JSON line for each job that has ended. ``node_of`` tells the unique id of the
    node that the calling thread works on, or an empty text.
    """

    def __init__(self, options: Mapping[str, Any], node_of: Callable[[], str]) -> None:
        """Begin with no job."""
        self._labels = {name: label_value(value) for name, value in options["labels"].items()}
        self._most_bytes = options["most_bytes"]
        self._refusal = options["refusal"]
        self._ledger = Path(options["ledger"])
        self._node_of = node_of
        self._lock = threading.Lock()
        self._open: dict[str, _Entry] = {}
        self._begun: set[str] = set()
        self._closed = False
        self.bytes_billed = 0
        self.refused = False

    def watch(self, bigquery: Any) -> None:
        """Wrap the methods of ``google.cloud.bigquery.Client`` through which dbt begins jobs, and finds them again."""
        for name, config_class in BEGINNERS.items():
            method = getattr(bigquery.Client, name)
            begin = self._beginner(method, getattr(bigquery, config_class), gives_names=name != "query")
            setattr(bigquery.Client, name, begin)
        bigquery.Client.get_job = self._finder(bigquery.Client.get_job)

    def settle(self) -> None:
        """Count what has ended, and cancel what has not: the command that began it waits for it no more.

        Nothing that is tried again may run beside what was lost sight of.
        """
        self._count_ended()
        self._cancel(seconds=2 * CALL_SECONDS)

    def close(self) -> None:
        """Begin no further job, and cancel all that run."""
        self._closed = True
        self._cancel(seconds=2 * CALL_SECONDS)

    def _beginner(
        self, method: Callable[..., Any], config_class: Callable[[], Any], *, gives_names: bool
    ) -> Callable[..., Any]:
        signature = inspect.signature(method)

        @functools.wraps(method)
        def begin(*positional: Any, **named: Any) -> Any:
            call = signature.bind(*positional, **named)
            config = call.arguments["job_config"] = call.arguments.get("job_config") or config_class()
            node = self._node_of()
            # The user's own labels stay.
            config.labels = {**self._labels, **({"node": label_value(node)} if node else {}), **(config.labels or {})}
            if getattr(config, "dry_run", None):
                return method(*call.args, **call.kwargs)
            named_by_caller = call.arguments.get("job_id")
            job_id = named_by_caller or str(uuid.uuid4())
            # Of a query that its caller does not name, as dbt-bigquery before 1.10, Google's client retries the job.
            if gives_names:
                call.arguments["job_id"] = job_id
            client = call.arguments["self"]
            entry = self._enter(
                _Entry(client, job_id, call.arguments.get("project"), call.arguments.get("location"), node)
            )
            try:
                entry.job = method(*call.args, **call.kwargs)
            except Exception as error:
                entry.taken = _code(error) == 409
                entry.location = entry.location or _location_told(error, job_id)
                if _is_refusal(error) or not (named_by_caller or gives_names):
                    self._leave(entry)
                raise
            finally:
                entry.submitting = False
            return entry.job

        return begin

    def _finder(self, method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def find(client: Any, job_id: Any, *positional: Any, **named: Any) -> Any:
            entry = self._open.get(job_id)
            # dbt asks without the location where the profile names none, and is then told that there is no such job.
            if entry is not None and entry.location and not positional:
                named.setdefault("location", entry.location)
            deadline = time.monotonic() + (FIND_SECONDS if entry is not None and entry.taken else 0)
            while True:
                try:
                    job = method(client, job_id, *positional, **named)
                except Exception as error:
                    if _code(error) != 404 or self._closed or time.monotonic() >= deadline:
                        raise
                    time.sleep(0.5)
                    continue
                if entry is not None:
                    entry.job = job
                return job

        return find

    def _enter(self, entry: _Entry) -> _Entry:
        self._count_ended()
        if self._closed:
            raise NotBegunError(CANCELLED)
        with self._lock:
            over = self._most_bytes is not None and self.bytes_billed > self._most_bytes
            # What has begun is finished, and hooks may have to clean up.
            if over and entry.node and entry.node not in self._begun and not entry.node.startswith("operation."):
                self.refused = True
                raise NotBegunError(self._refusal)
            self._begun.add(entry.node)
            self._open[entry.job_id] = entry
        return entry

    def _leave(self, entry: _Entry) -> bool:
        with self._lock:
            return self._open.pop(entry.job_id, None) is not None

    def _entries(self) -> list[_Entry]:
        with self._lock:
            return list(self._open.values())

    def _count_ended(self) -> None:
        for entry in self._entries():
            if entry.job is not None and entry.job.state == "DONE" and self._leave(entry):
                self._count(entry)

    def _count(self, entry: _Entry) -> None:
        job = entry.job
        line = {
            "node": entry.node,
            "project": job.project,
            "location": job.location,
            "job": job.job_id,
            "type": getattr(job, "job_type", None),
            "bytes_processed": getattr(job, "total_bytes_processed", None),
            "bytes_billed": getattr(job, "total_bytes_billed", None),
            "slot_ms": getattr(job, "slot_millis", None),
            "failed": bool(getattr(job, "error_result", None)),
        }
        with self._lock:
            self.bytes_billed += line["bytes_billed"] or 0
            with self._ledger.open("a", encoding="utf-8") as ledger:
                ledger.write(json.dumps(line) + "\n")

    def _cancel(self, seconds: float) -> None:
        """Cancel all open jobs at once; one that is just being submitted as soon as it is there."""
        deadline = time.monotonic() + seconds
        while entries := self._entries():
            calls = [threading.Thread(target=self._cancel_one, args=(entry,), daemon=True) for entry in entries]
            for call in calls:
                call.start()
            for call in calls:
                call.join(max(0.0, deadline - time.monotonic()))
            if time.monotonic() >= deadline:
                return
            time.sleep(0.05)

    def _cancel_one(self, entry: _Entry) -> None:
        submitting = entry.submitting
        try:
            if entry.job is not None:
                entry.job.cancel(retry=None, timeout=CALL_SECONDS)
            else:
                place = {"project": entry.project, "location": entry.location}
                entry.client.cancel_job(entry.job_id, **place, retry=None, timeout=CALL_SECONDS)
        except Exception as error:  # noqa: BLE001  Whatever it is, the next round tries again.
            if submitting or not _is_refusal(error):
                return
        self._leave(entry)


def label_value(text: str) -> str:
    """A text as BigQuery takes it for a label; what is too long ends in a hash, so that it stays one of its kind."""
    value = re.sub(r"[^a-z0-9_-]", "_", text.lower())
    if len(value) <= LONGEST_LABEL:
        return value
    return f"{value[: LONGEST_LABEL - 9]}_{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _location_told(error: Exception, job_id: str) -> str | None:
    """Where a job is whose id is taken: the service names it as ``project:location.id``."""
    told = re.search(rf":([\w-]+)\.{re.escape(job_id)}\b", str(error))
    return told[1] if told else None


def _is_refusal(error: Exception) -> bool:
    """Whether the service has said no, so that there is no such job; 409 says that there is one."""
    code = _code(error)
    return 400 <= code < 500 and code not in (408, 409, 429)


def _code(error: Exception) -> int:
    """The status that the service answered with, or 0."""
    code = getattr(error, "code", None)
    return code if isinstance(code, int) else 0
