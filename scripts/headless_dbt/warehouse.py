"""What the warehouse said of a query: rows, bytes, slots, and what that costs. Pure.

Each adapter has fields of its own in dbt's ``adapter_response``; what it does not say is None, never 0. That response
is of one statement of the node's last attempt; for BigQuery jobs.jsonl has every job, see bigquery_jobs.py.
Source: https://docs.getdbt.com/reference/artifacts/run-results-json and dbt-bigquery's BigQueryAdapterResponse.
"""

import contextlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from headless_dbt.artifacts import UNREADABLE
from headless_dbt.job_options import TIB
from headless_dbt.model import Cost


class Usage(msgspec.Struct, frozen=True):
    """What BigQuery said of one job, or of several: bytes processed and billed, milliseconds of slots."""

    bytes_processed: int | None = None
    bytes_billed: int | None = None
    slot_ms: int | None = None


class _Job(Usage, frozen=True):
    node: str = ""


def usage_by_node(lines: Iterable[bytes]) -> dict[str, Usage]:
    """The sum of each node's jobs, out of the lines of jobs.jsonl; the empty text has those of no node.

    A torn line is passed over.
    """
    jobs: dict[str, list[_Job]] = {}
    for line in lines:
        with contextlib.suppress(*UNREADABLE):
            job = msgspec.json.decode(line, type=_Job)
            jobs.setdefault(job.node, []).append(job)
    return {
        node: Usage(
            total(job.bytes_processed for job in of_node),
            total(job.bytes_billed for job in of_node),
            total(job.slot_ms for job in of_node),
        )
        for node, of_node in jobs.items()
    }


def usage_of(response: Mapping[str, Any]) -> Usage:
    """The bytes and slots of the statement that dbt reports."""
    return Usage(*(_number(response.get(name)) for name in ("bytes_processed", "bytes_billed", "slot_ms")))


def rows_of(response: Mapping[str, Any]) -> int | None:
    """The rows that a statement wrote or found."""
    return _number(response.get("rows_affected"))


def cost_of(bytes_billed: int | None, adapter: str, usd_per_tib: float) -> float | None:
    """What a query cost in US dollars; None where nobody can know: only BigQuery bills bytes."""
    if bytes_billed is None or adapter != "bigquery" or not usd_per_tib:
        return None
    return bytes_billed / TIB * usd_per_tib


def total_cost(billed: Iterable[int | None], adapter: str, usd_per_tib: float) -> Cost | None:
    """The cost of all bytes billed; None where nobody can know."""
    bytes_billed = total(billed)
    usd = cost_of(bytes_billed, adapter, usd_per_tib)
    if bytes_billed is None or usd is None:
        return None
    return Cost(usd=usd, usd_per_tib=usd_per_tib, bytes_billed=bytes_billed)


def total(counts: Iterable[int | None]) -> int | None:
    """The sum of the counts that are known; None where none is."""
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _number(value: Any) -> int | None:
    """A count as an adapter gives it: dbt-postgres says -1 where it does not know, others say it as text."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 63:
        return None
    return value
