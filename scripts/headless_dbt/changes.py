"""What changed against the previous run of the same request. Pure.

Of the previous run only what the comparison needs is decoded: its run.json may be one of many megabytes, and of an
older headless-dbt.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from headless_dbt.model import Changes, Node, Outcome, PaceChange, Previous, Request, Run, StatusChange, outcome_of

# A node is slower where it took so many times as long as before, and so many seconds longer: less is the weather.
TIMES, SECONDS = 1.5, 5.0
_WELL = (Outcome.PASSED, Outcome.WARNED)


class PreviousNode(msgspec.Struct, frozen=True, kw_only=True):
    """One node's result in the previous run, as in its run.json."""

    unique_id: str
    status: str
    execution_time: float = 0.0
    tries: int = 1


class PreviousRun(msgspec.Struct, frozen=True, kw_only=True):
    """The previous run, as far as it is compared: a part of its run.json, and the whole of previous.json."""

    schema_version: int
    status: str
    started_at: str
    elapsed: float = 0.0
    request: Request
    problem: Any = None
    nodes: tuple[PreviousNode, ...]


def changes_since(previous: PreviousRun, run: Run) -> Changes:
    """Compare a run with the one before."""
    before = {node.unique_id: node for node in previous.nodes}
    now = {node.unique_id: node for node in run.nodes}
    failed = [_status_change(node, before) for node in _failed_in_the_order_of_causes(run, now)]
    paces = [
        PaceChange(unique_id=unique_id, before=before[unique_id].execution_time, now=node.execution_time)
        for unique_id, node in now.items()
        if unique_id in before and _has_a_pace(node) and _has_a_pace(before[unique_id])
    ]
    return Changes(
        previous=_told(previous, run),
        # Where the previous run ended early, nobody knows of a node without a result.
        broken=tuple(each for each in failed if not _failed(each.before) and (each.before or previous.problem is None)),
        still_failing=tuple(each for each in failed if _failed(each.before)),
        mended=tuple(
            _status_change(node, before)
            for unique_id, node in now.items()
            if node.outcome in _WELL and unique_id in before and outcome_of(before[unique_id].status) not in _WELL
        ),
        added=tuple(name for name in now if name not in before) if previous.problem is None else (),
        removed=tuple(name for name in before if name not in now) if run.problem is None else (),
        slower=_by_difference(each for each in paces if _is_slower(each.before, each.now)),
        faster=_by_difference(each for each in paces if _is_slower(each.now, each.before)),
    )


def _told(previous: PreviousRun, run: Run) -> Previous:
    then, here = previous.request.context, run.request.context
    name, url = f"the run of {previous.started_at}" if previous.started_at else "an earlier run", ""
    # What comes from a file may be anything; only a number of a run makes a link.
    if then.run_id.isdecimal():
        name = f"run {then.run_id}"
        url = then.run_url if then.server_url.startswith(("https://", "http://")) else ""
        if (then.repository, then.run_id) == (here.repository, here.run_id) and then.run_attempt.isdecimal():
            name, url = f"attempt {then.run_attempt}", url and f"{url}/attempts/{then.run_attempt}"
    return Previous(
        name=name,
        url=url,
        started_at=previous.started_at,
        elapsed=previous.elapsed,
        sha=then.sha,
        status=previous.status,
        nodes=len(previous.nodes),
    )


def _failed_in_the_order_of_causes(run: Run, nodes: Mapping[str, Node]) -> Iterator[Node]:
    of_causes = [unique_id for cause in run.causes for unique_id in (*cause.nodes, *cause.explains)]
    for unique_id in dict.fromkeys([*of_causes, *(node.unique_id for node in run.failed)]):
        if unique_id in nodes and nodes[unique_id].outcome is Outcome.FAILED:
            yield nodes[unique_id]


def _status_change(node: Node, before: Mapping[str, PreviousNode]) -> StatusChange:
    then = before.get(node.unique_id)
    return StatusChange(unique_id=node.unique_id, before=then.status if then else "", now=node.status)


def _failed(status: str) -> bool:
    return bool(status) and outcome_of(status) is Outcome.FAILED


def _has_a_pace(node: Node | PreviousNode) -> bool:
    """Whether its time says something: of what failed it does not, nor of what was taken over from an earlier run."""
    return node.tries > 0 and outcome_of(node.status) in _WELL


def _is_slower(before: float, now: float) -> bool:
    return now >= before * TIMES and now - before >= SECONDS


def _by_difference(found: Iterable[PaceChange]) -> tuple[PaceChange, ...]:
    return tuple(sorted(found, key=lambda each: -abs(each.now - each.before)))
