"""One complete run_results.json out of the attempts of a run, however each of them ended. Pure.

Each entry has the shape of dbt's run-results v6: https://schemas.getdbt.com/dbt/run-results/v6.json. Entries that
dbt wrote are kept as they are.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from headless_dbt.artifacts import ManifestNode, NodeResult
from headless_dbt.journal import Journal
from headless_dbt.lineage import turned
from headless_dbt.session_protocol import OVER_COST_LIMIT

SCHEMA = "https://schemas.getdbt.com/dbt/run-results/v6.json"
INTERRUPTED = "Started, but did not finish: the run ended before."
NOT_REACHED = "Not run: the run ended before its turn."

Entry = dict[str, Any]


def merge_attempts(  # noqa: PLR0913  Each is a source of its own.
    written: Sequence[Sequence[Entry]],
    journals: Sequence[Journal],
    selected: Iterable[str],
    stale_sources: Iterable[str],
    known: Mapping[str, ManifestNode],
    *,
    complete: bool,
) -> list[Entry]:
    """Every selected node's last result, each once.

    ``written`` are the results that dbt wrote in each attempt, ``journals`` those that its log tells. An attempt that
    was broken off has written none, or only a part of them; the journal has the rest. In a run that is not
    ``complete``, a selected node of which neither knows is skipped. What a stale source feeds is skipped too.
    """
    merged: dict[str, Entry] = {}
    for attempt in range(max(len(written), len(journals))):
        of_dbt = written[attempt] if attempt < len(written) else ()
        # dbt 2 gives ephemeral models a result too, by which nothing is to be seen.
        results = {
            entry["unique_id"]: _with_every_key(entry) for entry in of_dbt if not _is_part(entry["unique_id"], known)
        }
        journal = journals[attempt] if attempt < len(journals) else Journal()
        for unique_id, result in journal.finished.items():
            if not _is_part(unique_id, known):
                results.setdefault(unique_id, _from_journal(result, known.get(unique_id)))
        for unique_id in sorted(journal.unfinished):
            if not _is_part(unique_id, known):
                results.setdefault(unique_id, _entry(unique_id, "error", INTERRUPTED, known.get(unique_id)))
        merged |= results
    stale = downstream(stale_sources, known.values())
    for unique_id in selected:
        if unique_id in merged or unique_id not in known or _is_part(unique_id, known):
            continue
        if unique_id in stale:
            source = known[stale[unique_id]].relation_name or stale[unique_id]
            merged[unique_id] = _entry(
                unique_id, "skipped", f"Skipped: the source {source} is stale.", known[unique_id]
            )
        elif not complete:
            merged[unique_id] = _entry(unique_id, "skipped", NOT_REACHED, known[unique_id])
    return [_not_begun(entry, known) for entry in merged.values()]


def _not_begun(entry: Entry, known: Mapping[str, ManifestNode]) -> Entry:
    """A node that the cost limit kept from beginning is an error to dbt, and was skipped."""
    if entry["status"] != "error" or OVER_COST_LIMIT not in (entry["message"] or ""):
        return entry
    return _entry(entry["unique_id"], "skipped", OVER_COST_LIMIT, known.get(entry["unique_id"]))


def _is_part(unique_id: str, known: Mapping[str, ManifestNode]) -> bool:
    """Whether a node is an ephemeral model: it is part of others, and dbt-core gives no result for it."""
    return unique_id in known and known[unique_id].config.materialized == "ephemeral"


def skipped_entries(unique_ids: Iterable[str], known: Mapping[str, ManifestNode]) -> list[Entry]:
    """Entries of nodes that have not run yet."""
    return [_entry(unique_id, "skipped", NOT_REACHED, known.get(unique_id)) for unique_id in unique_ids]


def run_results_document(
    entries: Sequence[Entry], like: Mapping[str, Any], *, dbt_version: str, generated_at: str, elapsed: float
) -> dict[str, Any]:
    """run_results.json with these entries; ``like`` is the last one that dbt wrote, or empty.

    ``generated_at`` is in ISO 8601, ``elapsed`` in seconds.
    """
    metadata = {
        "dbt_version": dbt_version,
        "generated_at": generated_at,
        "invocation_id": None,
        "invocation_started_at": None,
        "env": {},
        **like.get("metadata", {}),
        "dbt_schema_version": SCHEMA,
    }
    return {
        "metadata": metadata,
        "results": list(entries),
        "elapsed_time": elapsed,
        "args": like.get("args", {"which": "build"}),
    }


def _from_journal(result: NodeResult, known: ManifestNode | None) -> Entry:
    entry = _entry(result.unique_id, result.status, result.message, known)
    return {
        **entry,
        "timing": msgspec.to_builtins(result.timing),
        "thread_id": result.thread_id or "",
        "execution_time": result.execution_time,
        "adapter_response": result.adapter_response,
        "failures": result.failures,
    }


def _entry(unique_id: str, status: str, message: str | None, known: ManifestNode | None) -> Entry:
    return {
        "status": status,
        "timing": [],
        "thread_id": "",
        "execution_time": 0.0,
        "adapter_response": {},
        "message": message,
        "failures": None,
        "unique_id": unique_id,
        "compiled": None,
        "compiled_code": None,
        "relation_name": known.relation_name if known else None,
        "batch_results": None,
    }


def _with_every_key(entry: Entry) -> Entry:
    """An entry that dbt wrote; dbt 2 leaves out keys that the schema requires."""
    return entry if "failures" in entry and "compiled" in entry else _entry(entry["unique_id"], "", None, None) | entry


def downstream(sources: Iterable[str], known: Iterable[ManifestNode]) -> dict[str, str]:
    """All that depends on these sources: unique_id to the source that it hangs on."""
    children = turned({node.unique_id: node.depends_on.nodes for node in known})
    found: dict[str, str] = {}
    for source in sources:
        waiting = list(children.get(source, ()))
        while waiting:
            child = waiting.pop()
            if child not in found:
                found[child] = source
                waiting.extend(children.get(child, ()))
    return found
