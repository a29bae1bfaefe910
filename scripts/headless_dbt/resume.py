"""What of an earlier run may be taken over, and what is to be built. Pure.

A node is taken over when it passed then and its code is the same now: its own SQL or CSV, its config, where it is
built, what it reads, and the macros that it uses, also through others. One changed node among them, and everything is
built: what was built from it then is not what would be built from it now.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headless_dbt.code_manifest import Code, CodeManifest
from headless_dbt.inputs import DEFAULTS
from headless_dbt.lineage import reachable, turned
from headless_dbt.model import Outcome, Request, outcome_of

# What must be the same in both requests; a full refresh is not half a one.
_SAME_INPUTS = ("project-dir", "target", "vars", "env", "full-refresh", "dbt-args")


@dataclass(frozen=True)
class Earlier:
    """An earlier run: what it was asked for, its results as in run_results.json, and its code."""

    request: Request
    entries: tuple[Mapping[str, Any], ...]
    code: Code


@dataclass(frozen=True)
class Takeover:
    """``taken`` are the results that are taken over; without any, ``reason`` says why everything is built.

    ``with_hooks`` is whether the project's hooks have to run, although they may be all that is left.
    """

    taken: tuple[Mapping[str, Any], ...]
    reason: str = ""
    with_hooks: bool = False


def take_over(
    earlier: Earlier, request: Request, code: Code, manifest: CodeManifest, selected: Iterable[str]
) -> Takeover:
    """Decide what of the earlier run stands."""
    for name in _SAME_INPUTS:
        before, now = earlier.request.inputs.get(name, ""), request.inputs.get(name, "")
        if before != now:
            return Takeover((), f"the input `{name}` was {before!r} then and is {now!r} now")
    if earlier.code.surroundings != code.surroundings:
        return Takeover(
            (),
            "the connection, dbt's version, `dbt_project.yml`, a variable, an environment variable that the project "
            "reads, or a macro that changes dbt's own is another one now",
        )
    wanted = frozenset(selected)
    well = {entry["unique_id"]: entry for entry in earlier.entries if _is_well(entry)}
    passed = {unique_id: entry for unique_id, entry in well.items() if unique_id in wanted}
    for unique_id in passed:
        if earlier.code.nodes.get(unique_id, "") != code.nodes.get(unique_id, ""):
            return Takeover((), f"the code of {unique_id} has changed since")
    rebuilt = _built_on(wanted - passed.keys(), manifest, wanted)
    taken = tuple(entry for unique_id, entry in passed.items() if unique_id not in rebuilt)
    if not taken:
        reason = "what passed in it is made of what is still to be built" if passed else "nothing selected passed in it"
        return Takeover((), reason)
    with_hooks = any(hook not in well for hook in code.hooks)
    left = [name for name in wanted - passed.keys() if not manifest.is_ephemeral(name)]
    if with_hooks and not left and not rebuilt & wanted and hook_carrier(passed) is None:
        return Takeover((), "a hook of it did not pass, and dbt runs hooks only beside a node")
    return Takeover(taken, with_hooks=with_hooks)


def _is_well(entry: Mapping[str, Any]) -> bool:
    return outcome_of(entry["status"]) in (Outcome.PASSED, Outcome.WARNED)


def _built_on(pending: Iterable[str], manifest: CodeManifest, wanted: Iterable[str]) -> set[str]:
    """What depends on something that is still to be built: it would be older than what it is made of."""
    fresh = [unique_id for unique_id in pending if not manifest.is_ephemeral(unique_id)]
    children = turned({unique_id: manifest.parents(unique_id) for unique_id in {*manifest.nodes, *wanted}})
    return reachable(children, fresh)


def hook_carrier(unique_ids: Iterable[str]) -> str | None:
    """A node that can be built once more, so that dbt runs the hooks, which it does in no empty build: a test.

    A test changes nothing. Without one the answer is None.
    """
    return min((name for name in unique_ids if name.startswith("test.")), default=None)


def _given(request: Request, name: str) -> str:
    return request.inputs.get(name) or DEFAULTS.get(name, "")


def closest(requests: Sequence[Request], request: Request, *, same: bool) -> list[int]:
    """Which of these requests, the newest first, are most like this one: their indices, the most similar first.

    Several jobs of one workflow run leave an artifact each. With ``same`` only a request with the very same inputs will
    do.
    """

    def differences(other: Request) -> int:
        names = (request.inputs.keys() | other.inputs.keys()) - {"resume-from"}
        return sum(_given(request, name) != _given(other, name) for name in names)

    ranked = sorted(range(len(requests)), key=lambda index: (differences(requests[index]), index))
    return [index for index in ranked if not same or not differences(requests[index])]
