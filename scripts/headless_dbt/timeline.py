"""When each node could have begun, and which chain of nodes no number of threads would have made faster. Pure.

What waited for what is read off the times themselves: a dependency counts where it had ended before the node began. So
a test that dbt build puts between two models is one, and one that ran an hour later in a run of its own is none.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from headless_dbt.model import Node

# Clocks of threads are read one after the other.
_SLACK = 0.002
_TESTS = ("test", "unit_test")
Span = tuple[float, float]


def spans_of(nodes: Iterable[Node]) -> dict[str, Span]:
    """When each node that ran began and ended, in seconds since the epoch; without the freshness checks before it."""
    spans = {}
    for node in nodes:
        if node.resource_type not in ("source", "exposure") and node.started_at and node.completed_at and node.tries:
            began, ended = moment(node.started_at), moment(node.completed_at)
            if began is not None and ended is not None and ended >= began:
                spans[node.unique_id] = (began, ended)
    return spans


def moment(text: str) -> float | None:
    """A time in ISO 8601 (UTC where it says nothing) as seconds since the epoch."""
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else datetime.fromisoformat(f"{text}+00:00")).timestamp()
    except (ValueError, OverflowError):
        return None


def waited_for(nodes: Sequence[Node], spans: Mapping[str, Span]) -> dict[str, list[str]]:
    """What each node that ran had waited for: unique_id to unique ids, both with a span."""
    before: dict[str, list[str]] = {unique_id: [] for unique_id in spans}
    hooks = [node.unique_id for node in nodes if node.resource_type == "operation" and node.unique_id in spans]
    parents_of = {node.unique_id: node.depends_on for node in nodes}
    tests: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    for node in nodes:
        if node.resource_type in _TESTS and node.unique_id in spans:
            for tested in node.depends_on:
                tests.setdefault(tested, []).append((node.unique_id, node.depends_on))
    for node in nodes:
        if node.unique_id not in spans:
            continue
        parents = [parent for parent in dict.fromkeys(node.depends_on) if parent in spans]
        # A hook waits for all that was before it, and all that is after it waits for the hook.
        candidates = [*spans] if node.resource_type == "operation" else [*parents] or hooks
        if node.resource_type == "unit_test":
            # It runs before what it tests, although it depends on it, and after all that this is made of.
            candidates += [name for parent in parents for name in parents_of[parent] if name in spans]
            for parent in parents:
                if _ended_before(spans[node.unique_id], spans[parent]):
                    before[parent].append(node.unique_id)
        elif node.resource_type not in _TESTS:
            # dbt build lets a node wait for the tests of its parents.
            every = set(node.depends_on)
            of_parents = (test for parent in parents for test in tests.get(parent, ()))
            candidates += [test for test, tested in of_parents if every.issuperset(tested)]
        before[node.unique_id] += [
            each
            for each in candidates
            # What takes less than the slack would seem to have ended before its own beginning.
            if each != node.unique_id and _ended_before(spans[each], spans[node.unique_id])
        ]
    return before


def waiting_times(spans: Mapping[str, Span], before: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """How long each node waited for a thread, in seconds, after all that it waited for had ended."""
    start = min((began for began, _ in spans.values()), default=0.0)
    return {
        unique_id: max(0.0, began - max((spans[each][1] for each in before[unique_id]), default=start))
        for unique_id, (began, _) in spans.items()
    }


def critical_path(spans: Mapping[str, Span], before: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The chain of nodes, each of which waited for the one before it, that took longest all in all."""
    took: dict[str, float] = {}
    behind: dict[str, str] = {}
    # Whatever a node waited for had ended before it began.
    for unique_id in sorted(spans, key=lambda name: spans[name]):
        began, ended = spans[unique_id]
        longest = max(before[unique_id], key=lambda name: took.get(name, 0.0), default="")
        took[unique_id] = ended - began + took.get(longest, 0.0)
        if longest and longest in took:
            behind[unique_id] = longest
    if not took:
        return ()
    path = [max(took, key=lambda name: took[name])]
    while path[-1] in behind:
        path.append(behind[path[-1]])
    return tuple(reversed(path))


def _ended_before(first: Span, then: Span) -> bool:
    return first[1] <= then[0] + _SLACK and first[0] <= then[0]
