"""Whether and when a build is tried again, and what of it. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from headless_dbt.model import Outcome, outcome_of
from headless_dbt.transient import transient_cause


def retry_causes(adapter: str, entries: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Why what failed may heal by itself: the distinct causes, or none where any failure has no such cause.

    ``entries`` are results as in run_results.json. Skipped nodes have no cause of their own.
    """
    causes = [
        transient_cause(adapter, entry["status"], entry["message"] or "")
        for entry in entries
        if outcome_of(entry["status"]) is Outcome.FAILED
    ]
    found = tuple(dict.fromkeys(cause for cause in causes if cause is not None))
    return () if None in causes else found


def still_to_build(entries: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """The unique ids of what failed or was skipped. Hooks are left out: dbt runs them in every build."""
    return frozenset(
        entry["unique_id"]
        for entry in entries
        if outcome_of(entry["status"]) in (Outcome.FAILED, Outcome.SKIPPED)
        and not entry["unique_id"].startswith("operation.")
    )


def delay_before(attempt: int, base: float, luck: float) -> float:
    """Seconds to wait before an attempt (2, 3, …): ``base``, doubled each time, give or take a quarter.

    ``luck`` is from 0 to 1; it keeps runs that failed together from coming back together.
    """
    return float(base * 2 ** (attempt - 2) * (0.75 + luck / 2))


def state_for(entries: Iterable[Mapping[str, Any]], pending: frozenset[str]) -> list[dict[str, Any]]:
    """Results by which dbt's own ``result:error`` selects exactly what is pending."""
    return [
        {**entry, "status": "error" if entry["unique_id"] in pending else "success"}
        for entry in entries
        if not entry["unique_id"].startswith("operation.")
    ]
