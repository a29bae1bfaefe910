"""What of an earlier run may be taken over, and what is to be built. Pure.

A node is taken over when it passed then and its code is the same now: its own SQL or CSV, its config, where it is
built, what it reads, and the macros that it uses, also through others. One changed node among them, and everything is
built: what was built from it then is not what would be built from it now.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headless_dbt.code_manifest import CodeManifest
from headless_dbt.model import Outcome, Request, outcome_of

# What must be the same in both requests; a full refresh is not half a one.
_SAME_INPUTS = ("project-dir", "target", "vars", "env", "full-refresh", "dbt-args")


@dataclass(frozen=True)
class Earlier:
    """An earlier run: what it was asked for, its results as in run_results.json, and its code.

    ``project`` is the fingerprint of its dbt_project.yml.
    """

    request: Request
    entries: tuple[Mapping[str, Any], ...]
    code: CodeManifest
    project: str = ""


@dataclass(frozen=True)
class Takeover:
    """``taken`` are the results that are taken over; without any, ``reason`` says why everything is built."""

    taken: tuple[Mapping[str, Any], ...]
    reason: str = ""


def take_over(
    earlier: Earlier, request: Request, code: CodeManifest, selected: Iterable[str], project: str = ""
) -> Takeover:
    """Decide what of the earlier run stands."""
    for name in _SAME_INPUTS:
        before, now = earlier.request.inputs.get(name, ""), request.inputs.get(name, "")
        if before != now:
            return Takeover((), f"the input `{name}` was {before!r} then and is {now!r} now")
    if earlier.project != project:
        return Takeover((), "`vars`, `dispatch` or `quoting` in dbt_project.yml have changed since")
    wanted = frozenset(selected)
    passed = {
        entry["unique_id"]: entry
        for entry in earlier.entries
        if entry["unique_id"] in wanted and outcome_of(entry["status"]) in (Outcome.PASSED, Outcome.WARNED)
    }
    for unique_id in passed:
        if earlier.code.fingerprint(unique_id) != code.fingerprint(unique_id):
            return Takeover((), f"the code of {unique_id} has changed since")
    rebuilt = _built_on(wanted - passed.keys(), code, wanted)
    taken = tuple(entry for unique_id, entry in passed.items() if unique_id not in rebuilt)
    return Takeover(taken, "" if taken else "nothing that is selected passed in it")


def _built_on(pending: Iterable[str], code: CodeManifest, wanted: Iterable[str]) -> set[str]:
    """What depends on something that is still to be built: it would be older than what it is made of."""
    fresh = {unique_id for unique_id in pending if not code.is_ephemeral(unique_id)}
    children: dict[str, list[str]] = {}
    for unique_id in {*code.nodes, *wanted}:
        for parent in code.parents(unique_id):
            children.setdefault(parent, []).append(unique_id)
    found: set[str] = set()
    waiting = [child for unique_id in fresh for child in children.get(unique_id, ())]
    while waiting:
        child = waiting.pop()
        if child not in found:
            found.add(child)
            waiting.extend(children.get(child, ()))
    return found


def closest(requests: Sequence[Request], request: Request, *, same: bool) -> int | None:
    """Which of these requests, the newest first, is most like this one: its index.

    Several jobs of one workflow run leave an artifact each. With ``same`` only a request with the very same inputs will
    do.
    """

    def differences(other: Request) -> int:
        names = (request.inputs.keys() | other.inputs.keys()) - {"resume-from"}
        return sum(request.inputs.get(name, "") != other.inputs.get(name, "") for name in names)

    ranked = sorted(range(len(requests)), key=lambda index: (differences(requests[index]), index))
    if not ranked or (same and differences(requests[ranked[0]])):
        return None
    return ranked[0]
