"""Who depends on whom: walks over ``unique_id → what it depends on``. Pure."""

from collections.abc import Iterable, Mapping, Sequence

# Every unique_id with the unique ids that it depends on; those that are not in it depend on nothing.
Graph = Mapping[str, Sequence[str]]


def reachable(graph: Graph, starts: Iterable[str]) -> set[str]:
    """All that ``starts`` depend on, directly or not; over a graph that was ``turned``, all that depends on them.

    A start is among them only where there is a way to it from a start.
    """
    found: set[str] = set()
    waiting = [parent for start in starts for parent in graph.get(start, ())]
    while waiting:
        parent = waiting.pop()
        if parent not in found:
            found.add(parent)
            waiting.extend(graph.get(parent, ()))
    return found


def turned(graph: Graph) -> dict[str, list[str]]:
    """The same graph from the other side: every unique_id with those that depend on it."""
    children: dict[str, list[str]] = {}
    for unique_id, parents in graph.items():
        for parent in parents:
            children.setdefault(parent, []).append(unique_id)
    return children
