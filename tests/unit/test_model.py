"""What a node's status means, and what the whole of a run amounts to."""

import pytest
from headless_dbt.model import Outcome, Problem, Verdict, count_blocked, judge, outcome_of

from tests.unit.builders import make_node, make_problem, make_run

PASSED, WARNED, FAILED, SKIPPED = Outcome.PASSED, Outcome.WARNED, Outcome.FAILED, Outcome.SKIPPED
UNUSABLE = make_problem()
REFUSED = make_problem("The request is wrong", "threads: …", 2)
CANCELLED = make_problem("The run was cancelled", "SIGINT ended it.", 130)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("success", PASSED),
        ("pass", PASSED),
        ("no-op", PASSED),
        ("reused", PASSED),
        ("warn", WARNED),
        ("skipped", SKIPPED),
        ("error", FAILED),
        ("fail", FAILED),
        ("partial success", FAILED),
        ("runtime error", FAILED),
        # Whatever dbt thinks of next.
        ("splendid", FAILED),
        ("Success", FAILED),
        ("", FAILED),
    ],
)
def test_an_unknown_status_never_passes(status: str, outcome: Outcome) -> None:
    assert outcome_of(status) is outcome


@pytest.mark.parametrize(
    ("outcomes", "problem", "build", "docs", "status", "exit_code"),
    [
        ([PASSED], None, True, True, Verdict.SUCCESS, 0),
        ([PASSED, WARNED], None, True, True, Verdict.WARN, 0),
        ([], None, True, True, Verdict.WARN, 0),
        ([PASSED], None, True, False, Verdict.WARN, 0),
        ([PASSED, FAILED], None, True, True, Verdict.FAILURE, 1),
        ([FAILED, WARNED, SKIPPED], None, False, False, Verdict.FAILURE, 1),
        ([PASSED, SKIPPED], None, True, True, Verdict.FAILURE, 1),
        ([WARNED, SKIPPED], None, True, True, Verdict.FAILURE, 1),
        ([PASSED], None, False, True, Verdict.FAILURE, 1),
        ([], None, False, True, Verdict.FAILURE, 1),
        ([], UNUSABLE, False, True, Verdict.ERROR, 3),
        ([PASSED], UNUSABLE, True, True, Verdict.ERROR, 3),
        ([PASSED, SKIPPED], UNUSABLE, False, True, Verdict.ERROR, 3),
        ([], REFUSED, False, True, Verdict.ERROR, 2),
        ([FAILED], UNUSABLE, False, True, Verdict.FAILURE, 1),
        ([], CANCELLED, False, True, Verdict.CANCELLED, 130),
        ([FAILED, SKIPPED], CANCELLED, False, True, Verdict.CANCELLED, 130),
        ([PASSED], CANCELLED, True, True, Verdict.CANCELLED, 130),
    ],
)
def test_the_verdict_of_a_run(  # noqa: PLR0913, PLR0917
    outcomes: list[Outcome], problem: Problem | None, build: bool, docs: bool, status: Verdict, exit_code: int
) -> None:
    assert judge(outcomes, problem, build_succeeded=build, docs_succeeded=docs) == (status, exit_code)


def test_a_node_blocks_everything_below_it_that_was_skipped() -> None:
    nodes = [
        make_node("model.a", "error"),
        make_node("model.b", "skipped"),
        make_node("model.c", "skipped"),
        make_node("model.d", "success"),
    ]
    parents = {"model.b": ("model.a",), "model.c": ("model.b",), "model.d": ()}

    assert count_blocked(nodes, parents) == {"model.a": 2}


def test_the_foot_of_a_diamond_is_blocked_once() -> None:
    nodes = [make_node("top", "error"), *(make_node(name, "skipped") for name in ("left", "right", "foot"))]
    parents = {"left": ("top",), "right": ("top",), "foot": ("left", "right")}

    assert count_blocked(nodes, parents) == {"top": 3}


def test_two_failures_above_the_same_node_both_block_it() -> None:
    nodes = [make_node("a", "error"), make_node("b", "fail"), make_node("c", "skipped")]

    assert count_blocked(nodes, {"c": ("a", "b")}) == {"a": 1, "b": 1}


def test_the_way_to_a_blocked_node_may_lead_through_one_that_was_not_selected() -> None:
    nodes = [make_node("a", "error"), make_node("c", "skipped")]

    assert count_blocked(nodes, {"b": ("a",), "c": ("b",)}) == {"a": 1}


def test_what_was_skipped_for_another_reason_is_nobodys_fault() -> None:
    nodes = [make_node("a", "error"), make_node("b", "skipped"), make_node("c", "success")]

    assert count_blocked(nodes, {"c": ("a",)}) == {"a": 0}


def test_a_circle_in_a_broken_manifest_does_not_hang() -> None:
    nodes = [make_node("a", "error"), make_node("b", "skipped")]

    assert count_blocked(nodes, {"a": ("b",), "b": ("a",)}) == {"a": 1}


def test_a_failed_test_blocks_what_dbt_skipped_below_the_tested_node() -> None:
    """In `dbt build` a failed test holds back the children of its parent, although none of them depends on it."""
    nodes = [
        make_node("model.shop.a"),
        make_node("test.shop.unique_a", "fail"),
        make_node("model.shop.b", "skipped"),
        make_node("model.shop.c", "skipped"),
    ]
    parents = {
        "test.shop.unique_a": ("model.shop.a",),
        "model.shop.b": ("model.shop.a",),
        "model.shop.c": ("model.shop.b",),
    }

    assert count_blocked(nodes, parents) == {"test.shop.unique_a": 2}


def test_failed_nodes_come_with_those_that_block_most_first() -> None:
    run = make_run(
        [
            make_node("a", "error", blocks=1),
            make_node("b", "success"),
            make_node("c", "fail", blocks=5),
            make_node("d", "strange", blocks=1),
        ]
    )

    assert [node.unique_id for node in run.failed] == ["c", "a", "d"]
    assert [node.unique_id for node in run.with_outcome(PASSED)] == ["b"]
