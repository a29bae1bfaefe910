"""One complete run_results.json out of the attempts of a run, however each of them ended. Pure.

Each entry has the shape of dbt's run-results v6: https://schemas.getdbt.com/dbt/run-results/v6.json. Entries that
dbt wrote are kept as they are.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from headless_dbt.artifacts import ManifestNode, NodeConfig, NodeResult
from headless_dbt.journal import TESTS, Journal
from headless_dbt.lineage import turned
from headless_dbt.model import Outcome, outcome_of
from headless_dbt.session_protocol import OVER_COST_LIMIT

SCHEMA = "https://schemas.getdbt.com/dbt/run-results/v6.json"
INTERRUPTED = "Started, but did not finish: the run ended before."
NOT_REACHED = "Not run: the run ended before its turn."
BROKEN_OFF = "Broken off by dbt, because another node had failed."
NO_RESULT = "It was selected, and dbt, which calls itself done, says nothing of it."
UNIT_TEST_FAILED = "What the model made is not what was expected. dbt 2 does not say how it differs."
# What every build reports, where it gets to it.
_REPORTED = ("model.", "seed.", "snapshot.", *TESTS)

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
    ``complete``, a selected node of which neither knows is skipped; so it is where something failed, which may have
    ended the build, and else it is an error. What a stale source feeds is skipped too.
    """
    merged: dict[str, Entry] = {}
    for attempt in range(max(len(written), len(journals))):
        of_dbt = written[attempt] if attempt < len(written) else ()
        results = {entry["unique_id"]: _with_every_key(entry) for entry in of_dbt}
        journal = journals[attempt] if attempt < len(journals) else Journal()
        for unique_id, result in journal.finished.items():
            results[unique_id] = _as_told(results.get(unique_id), result, known.get(unique_id))
            if complete and unique_id in journal.cancelled:
                results[unique_id] = _entry(unique_id, "skipped", BROKEN_OFF, known.get(unique_id))
        # dbt 2 gives ephemeral models a result too, by which nothing is to be seen, unless it is an error.
        results = {
            unique_id: entry
            for unique_id, entry in results.items()
            if not _is_part(unique_id, known) or outcome_of(entry["status"]) is Outcome.FAILED
        }
        for unique_id in sorted(journal.unfinished):
            if not _is_part(unique_id, known):
                results.setdefault(unique_id, _entry(unique_id, "error", INTERRUPTED, known.get(unique_id)))
        merged |= results
    merged |= _without_result(merged, selected, downstream(stale_sources, known.values()), known, complete=complete)
    return [_not_begun(entry, known) for entry in merged.values()]


def _without_result(
    merged: Mapping[str, Entry],
    selected: Iterable[str],
    stale: Mapping[str, str],
    known: Mapping[str, ManifestNode],
    *,
    complete: bool,
) -> dict[str, Entry]:
    """What is to be said of selected nodes of which dbt said nothing. ``stale`` is the source that feeds a node."""
    broken = any(outcome_of(entry["status"]) is Outcome.FAILED for entry in merged.values())
    found = {}
    for unique_id in selected:
        if unique_id in merged or unique_id not in known or _is_part(unique_id, known):
            continue
        if unique_id in stale:
            source = known[stale[unique_id]].relation_name or stale[unique_id]
            said = ("skipped", f"Skipped: the source {source} is stale.")
        elif not complete or (broken and unique_id.startswith(_REPORTED)):
            said = ("skipped", NOT_REACHED)
        elif unique_id.startswith(_REPORTED):
            said = ("error", NO_RESULT)
        else:
            continue
        found[unique_id] = _entry(unique_id, *said, known[unique_id])
    return found


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


def _as_told(written: Entry | None, result: NodeResult, known: ManifestNode | None) -> Entry:
    """The result that dbt wrote, with what its log tells better: dbt 2 writes little of a test that did not pass."""
    told = _from_journal(result, known)
    if written is None:
        return told | {"message": told["message"] or _count(told, known)}
    if not result.unique_id.startswith(TESTS):
        return written
    if written["status"] != result.status:
        written = written | {name: told[name] for name in ("status", "message", "failures")}
    is_bare = written["message"] in {"", "Error", "Warn"}
    return written | {"message": _count(written, known) or written["message"]} if is_bare else written


def _count(entry: Entry, known: ManifestNode | None) -> str:
    """What dbt-core says of a test by its failures; an empty text of anything else."""
    if not entry["unique_id"].startswith(TESTS) or entry["status"] not in {"fail", "warn"}:
        return ""
    if entry["unique_id"].startswith("unit_test."):
        return UNIT_TEST_FAILED
    failures, config = entry["failures"], known.config if known else NodeConfig()
    verb, condition = ("fail", config.error_if) if entry["status"] == "fail" else ("warn", config.warn_if)
    return f"Got {failures} result{'s' * (failures != 1)}, configured to {verb} if {condition or '!= 0'}"


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
