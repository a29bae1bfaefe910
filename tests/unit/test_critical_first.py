"""The order by the way to the end, on a queue like dbt's; on dbt's own: integration/test_schedule.py."""

import threading
from queue import PriorityQueue
from typing import Any

import pytest
from headless_dbt.critical_first import NoSeamError, install, ways_to_the_end


class _Graph(dict[str, list[str]]):
    """Nodes and their children."""

    def successors(self, node: str) -> list[str]:
        return self[node]


GRAPH = _Graph({"a": ["c"], "b": ["d"], "c": ["d"], "d": [], "new": []})


def test_the_way_is_the_longest_of_what_hangs_on_a_node() -> None:
    ways = ways_to_the_end(GRAPH, {"a": 1.0, "b": 10.0, "c": 2.0, "d": 4.0})

    assert ways == {"a": 7.0, "b": 14.0, "c": 6.0, "d": 4.0, "new": 3.0}


def test_without_times_the_way_is_a_number_of_nodes() -> None:
    assert ways_to_the_end(GRAPH, {})["a"] == 3.0


def _queue_class() -> Any:
    class Queue:
        def __init__(self, graph: _Graph) -> None:
            self.inner: PriorityQueue[tuple[float, str]] = PriorityQueue()
            self.in_progress: set[str] = set()
            self.queued: set[str] = set()
            self.some_task_done = threading.Condition()
            for node, score in self._get_scores(graph).items():
                self.inner.put((score, node))
                self.queued.add(node)

        def _get_scores(self, graph: _Graph) -> dict[str, float]:
            return dict.fromkeys(graph, 0.0)

        def get(self, block: bool = True, timeout: float | None = None) -> str:
            _, node = self.inner.get(block, timeout)
            self.in_progress.add(node)
            return node

        def mark_done(self, node: str) -> None:
            with self.some_task_done:
                self.in_progress.remove(node)
                self.some_task_done.notify_all()

    return Queue


def test_the_longest_way_is_handed_out_first_and_no_more_than_there_are_threads() -> None:
    queue_class = _queue_class()
    install(queue_class, {"a": 1.0, "b": 10.0, "c": 2.0, "d": 4.0}, lambda: 2)
    queue = queue_class(_Graph({"a": [], "b": [], "c": []}))

    assert [queue.get(), queue.get()] == ["b", "c"]
    third: list[str] = []
    waiting = threading.Thread(target=lambda: third.append(queue.get()))
    waiting.start()
    waiting.join(0.2)
    assert third == []

    queue.mark_done("c")
    waiting.join(5)

    assert third == ["a"]


@pytest.mark.parametrize("missing", ["get", "_get_scores", "in_progress", "parameters"])
def test_a_version_without_the_seam_keeps_its_own_order(missing: str) -> None:
    class Bare:
        pass

    class Other:
        def _get_scores(self, graph: object) -> None:
            self.some_task_done = self.inner = self.queued = None

        def get(self, block: bool = True, timeout: float | None = None) -> None:
            pass

    class Changed(Other):
        def get(self, priority: int) -> None:  # type: ignore[override]
            pass

    queue_class: Any = {"get": Bare, "_get_scores": Bare, "in_progress": Other, "parameters": Changed}[missing]
    before = dict(vars(queue_class))

    with pytest.raises(NoSeamError, match=r"GraphQueue\."):
        install(queue_class, {}, lambda: 1)

    assert dict(vars(queue_class)) == before
