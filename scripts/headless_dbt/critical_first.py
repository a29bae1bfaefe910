"""Ready nodes in the order of their way to the end, the longest first: a seam in dbt-core's own queue.

Runs inside dbt's own interpreter; session.py loads it by path. dbt-core gives each node a score by its depth, and hands
out ready nodes by it; but it hands them all out at once, to a pool of threads that works them off in the order in
which they came. Two methods of ``dbt.graph.queue.GraphQueue`` are replaced: the one that scores, and the one that
hands out, which here waits until a thread is free, so that a score counts when there is a choice. What they lean on is
looked at first, and where anything of it is not as expected dbt's own order stays.
Source: core/dbt/graph/queue.py and core/dbt/task/runnable.py of dbt-core, 1.8 to 1.12.
"""

import functools
import inspect
import statistics
from collections.abc import Callable, Mapping
from typing import Any

# What the replaced methods read of a queue, once it is made.
LEANED_ON = ("in_progress", "some_task_done", "inner", "queued")


class NoSeamError(Exception):
    """What is leaned on, and this version of dbt does not have."""


def install(queue_class: Any, seconds: Mapping[str, float], threads: Callable[[], int]) -> None:
    """Let queues of this class hand out by the way to the end. Raises NoSeamError, and then changes nothing.

    ``seconds`` is how long each node took last time, by unique id; ``threads`` tells how many there are.
    """
    for name, parameters in (("_get_scores", ["self", "graph"]), ("get", ["self", "block", "timeout"])):
        method = getattr(queue_class, name, None)
        if method is None or list(inspect.signature(method).parameters) != parameters:
            raise NoSeamError(f"GraphQueue.{name}({', '.join(parameters)})")
    source = inspect.getsource(queue_class)
    if missing := [name for name in LEANED_ON if f"self.{name}" not in source]:
        raise NoSeamError(f"GraphQueue.{missing[0]}")
    hand_out = queue_class.get

    def score(_: Any, graph: Any) -> dict[str, float]:
        return {node: -way for node, way in ways_to_the_end(graph, seconds).items()}

    @functools.wraps(hand_out)
    def get(queue: Any, block: bool = True, timeout: float | None = None) -> Any:  # noqa: FBT001, FBT002  As dbt's own.
        with queue.some_task_done:
            queue.some_task_done.wait_for(lambda: len(queue.in_progress) < threads(), timeout)
        return hand_out(queue, block, timeout)

    queue_class._get_scores = score  # noqa: SLF001  The seam.
    queue_class.get = get


def ways_to_the_end(graph: Any, seconds: Mapping[str, float]) -> dict[str, float]:
    """The seconds from the beginning of each node to the end of what hangs on it, at the longest.

    A node that was not there last time is taken for a usual one.
    """
    usual = statistics.median(seconds.values()) if seconds else 1.0
    ways: dict[str, float] = {}
    waiting = list(graph)
    while waiting:
        children = list(graph.successors(waiting[-1]))
        if unknown := [child for child in children if child not in ways]:
            waiting += unknown
            continue
        node = waiting.pop()
        ways[node] = seconds.get(node, usual) + max((ways[child] for child in children), default=0.0)
    return ways
