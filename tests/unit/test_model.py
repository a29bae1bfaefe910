"""What a node's status means, and what the whole of a run amounts to."""

import pytest
from headless_dbt.model import Outcome, Problem, Verdict, judge, outcome_of

from tests.unit.builders import make_node, make_problem, make_run

PASSED, WARNED, FAILED, SKIPPED = Outcome.PASSED, Outcome.WARNED, Outcome.FAILED, Outcome.SKIPPED
UNUSABLE = make_problem()
REFUSED = make_problem("The request is wrong", "threads: …", 2)
DEAR = make_problem(exit_code=1)
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
        ([PASSED, SKIPPED], DEAR, False, True, Verdict.FAILURE, 1),
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
