"""What changed against the previous run."""

import time
from typing import Any

import msgspec
import pytest
from headless_dbt.changes import PreviousRun, changes_since
from headless_dbt.model import Cause, Changes, Node, Run

from tests.unit.builders import make_context, make_node, make_problem, make_request, make_run


def as_previous(run: Run) -> PreviousRun:
    """A run as the next one reads it from its run.json."""
    return msgspec.json.decode(msgspec.json.encode(run), type=PreviousRun)


def compare(then: dict[str, str], now: dict[str, str], **changes: Any) -> Changes:
    """The changes between two runs, given as statuses by name."""
    before = make_run(make_node(name, status) for name, status in then.items())
    return changes_since(as_previous(before), make_run([make_node(*each) for each in now.items()], **changes))


def told(changes: Changes) -> dict[str, list[tuple[str, str, str]]]:
    """What of the three lists is not empty."""
    lists = {"broken": changes.broken, "still_failing": changes.still_failing, "mended": changes.mended}
    return {name: [(each.unique_id, each.before, each.now) for each in found] for name, found in lists.items() if found}


@pytest.mark.parametrize(
    ("then", "now", "where"),
    [
        ("success", "error", "broken"),
        ("warn", "fail", "broken"),
        ("skipped", "error", "broken"),
        ("error", "fail", "still_failing"),
        # A status that nobody knows counts as failed.
        ("melted", "error", "still_failing"),
        ("success", "melted", "broken"),
        ("melted", "success", "mended"),
        ("error", "success", "mended"),
        ("fail", "warn", "mended"),
        ("skipped", "success", "mended"),
        ("success", "success", ""),
        ("success", "warn", ""),
        # What is skipped says nothing of itself.
        ("success", "skipped", ""),
        ("error", "skipped", ""),
        ("skipped", "skipped", ""),
    ],
)
def test_a_node_is_in_one_list_at_most(then: str, now: str, where: str) -> None:
    expected = {where: [("model.shop.a", then, now)]} if where else {}
    assert told(compare({"model.shop.a": then}, {"model.shop.a": now})) == expected


def test_what_failed_stands_in_the_order_of_the_causes() -> None:
    now = dict.fromkeys(("model.a.x", "model.a.y", "model.a.z", "model.a.w"), "error")
    causes = (Cause(key="1", nodes=("model.a.z",), explains=("model.a.y",)), Cause(key="2", nodes=("model.a.x",)))
    changes = compare(
        {"model.a.w": "error", **dict.fromkeys(("model.a.x", "model.a.y"), "success")}, now, causes=causes
    )
    assert [each.unique_id for each in changes.broken] == ["model.a.z", "model.a.y", "model.a.x"]
    assert [each.unique_id for each in changes.still_failing] == ["model.a.w"]


def test_nodes_come_and_go() -> None:
    changes = compare(
        {"model.a.old": "success", "model.a.x": "success"}, {"model.a.x": "success", "model.a.new": "error"}
    )
    assert (changes.added, changes.removed) == (("model.a.new",), ("model.a.old",))
    assert told(changes) == {"broken": [("model.a.new", "", "error")]}


def test_a_run_that_ended_early_does_not_say_what_is_new_or_gone() -> None:
    died = make_run([make_node("model.a.x")], problem=make_problem())
    whole = make_run([make_node("model.a.x"), make_node("model.a.y", "error")])
    after = changes_since(as_previous(died), whole)
    assert (after.added, told(after), after.previous.status) == ((), {}, "error")
    assert changes_since(as_previous(whole), died).removed == ()


def paces(then: float, now: float, before: dict[str, Any] | None = None, **after: Any) -> tuple[int, int]:
    """How many are slower and faster of one node that took so long then and now."""
    was, has = ({"status": "success", **(more or {})} for more in (before, after))
    previous = as_previous(make_run([make_node("model.a.x", execution_time=then, **was)]))
    changes = changes_since(previous, make_run([make_node("model.a.x", execution_time=now, **has)]))
    return len(changes.slower), len(changes.faster)


def test_slower_is_half_as_much_again_and_five_seconds() -> None:
    assert paces(10, 15) == (1, 0)
    assert paces(10, 14.9) == (0, 0)
    assert paces(1, 5.9) == (0, 0)
    assert paces(100, 140) == (0, 0)
    assert paces(15, 10) == (0, 1)
    assert paces(0, 5) == (1, 0)


def test_only_the_time_of_what_ran_and_passed_counts() -> None:
    assert paces(1, 60, status="warn") == (1, 0)
    assert paces(1, 60, status="error") == (0, 0)
    assert paces(60, 1, before={"status": "skipped"}) == (0, 0)
    assert paces(1, 60, tries=0) == (0, 0)
    assert paces(60, 1, before={"tries": 0}) == (0, 0)


def test_the_largest_difference_comes_first() -> None:
    def run(*times: float) -> Run:
        return make_run(make_node(f"model.a.{name}", execution_time=each) for name, each in enumerate(times))

    changes = changes_since(as_previous(run(10, 10, 90, 50)), run(20, 40, 10, 10))
    assert [(each.unique_id, each.before, each.now) for each in changes.slower] == [
        ("model.a.1", 10, 40),
        ("model.a.0", 10, 20),
    ]
    assert [each.unique_id for each in changes.faster] == ["model.a.2", "model.a.3"]


def test_the_previous_run_is_told() -> None:
    then = make_run([make_node()], request=make_request(make_context(run_id="41", sha="f00")))
    now = make_run(request=make_request(make_context()))
    previous = changes_since(as_previous(then), now).previous
    assert (previous.name, previous.url) == ("run 41", "https://github.com/acme/shop/actions/runs/41")
    assert (previous.sha, previous.status, previous.nodes, previous.elapsed) == ("f00", "success", 1, 187.4)

    again = make_run(request=make_request(make_context(run_attempt="2")))
    previous = changes_since(as_previous(now), again).previous
    assert (previous.name, previous.url) == ("attempt 1", "https://github.com/acme/shop/actions/runs/42/attempts/1")


def test_a_run_of_no_workflow_is_named_after_its_time() -> None:
    previous = changes_since(as_previous(make_run(request=make_request())), make_run()).previous
    assert (previous.name, previous.url) == ("the run of 2026-01-31T06:00:00Z", "")


@pytest.mark.parametrize("hostile", [{"run_id": "4)](javascript:alert(1)"}, {"server_url": "javascript:alert(1)//"}])
def test_a_file_cannot_make_a_link_of_its_own(hostile: dict[str, str]) -> None:
    then = make_run(request=make_request(make_context(**{"run_id": "41", **hostile})))
    assert changes_since(as_previous(then), make_run()).previous.url == ""


def test_fifteen_thousand_nodes_take_no_time() -> None:
    nodes: list[Node] = [
        make_node(f"model.shop.{number}", depends_on=(f"model.shop.{number - 1}",), message="OK " * 20)
        for number in range(15_000)
    ]
    run = make_run(nodes)
    content = msgspec.json.encode(run)
    start = time.perf_counter()
    changes_since(msgspec.json.decode(content, type=PreviousRun), run)
    assert time.perf_counter() - start < 0.5
