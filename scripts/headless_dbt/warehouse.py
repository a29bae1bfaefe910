"""What the warehouse said of a query: rows, bytes, slots, and what that costs. Pure.

Each adapter has fields of its own in dbt's ``adapter_response``; what it does not say is None, never 0.
Source: https://docs.getdbt.com/reference/artifacts/run-results-json and dbt-bigquery's BigQueryAdapterResponse.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from headless_dbt.model import Cost, Node

TIB = 1 << 40


def rows_of(response: Mapping[str, Any]) -> int | None:
    """The rows that a statement wrote or found."""
    return _number(response.get("rows_affected"))


def bytes_of(response: Mapping[str, Any]) -> tuple[int | None, int | None, int | None]:
    """The bytes processed, the bytes billed, and the milliseconds of slots."""
    processed, billed, slots = (_number(response.get(name)) for name in ("bytes_processed", "bytes_billed", "slot_ms"))
    return processed, billed, slots


def cost_of(bytes_billed: int | None, adapter: str, usd_per_tib: float) -> float | None:
    """What a query cost in US dollars; None where nobody can know: only BigQuery bills bytes."""
    if bytes_billed is None or adapter != "bigquery" or not usd_per_tib:
        return None
    return bytes_billed / TIB * usd_per_tib


def total_cost(nodes: Iterable[Node], usd_per_tib: float) -> Cost | None:
    """The cost of all nodes that have one."""
    billed = [node.bytes_billed or 0 for node in nodes if node.cost is not None]
    if not billed:
        return None
    return Cost(usd=sum(billed) / TIB * usd_per_tib, usd_per_tib=usd_per_tib, bytes_billed=sum(billed))


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
