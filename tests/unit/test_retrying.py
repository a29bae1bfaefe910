"""Whether and when a build is tried again, and what of it."""

from typing import Any

import pytest
from headless_dbt.retrying import delay_before, retry_causes, state_for, still_to_build

A, B, C, HOOK = "model.shop.a", "model.shop.b", "test.shop.c", "operation.shop.shop-on-run-end-0"
PASSING, LASTING = "503 Service Unavailable", "Binder Error"


def _entry(unique_id: str, status: str, message: str | None = None) -> dict[str, Any]:
    return {"unique_id": unique_id, "status": status, "message": message}


@pytest.mark.parametrize(
    ("entries", "causes"),
    [
        ([], ()),
        ([_entry(A, "success")], ()),
        ([_entry(A, "skipped")], ()),
        ([_entry(A, "error", PASSING), _entry(B, "skipped"), _entry(C, "warn")], ("service unavailable",)),
        (
            [_entry(A, "error", PASSING), _entry(B, "error", "Connection refused")],
            ("service unavailable", "connection refused"),
        ),
        ([_entry(A, "error", PASSING), _entry(B, "error", PASSING)], ("service unavailable",)),
        ([_entry(A, "error", PASSING), _entry(B, "error", LASTING)], ()),
        ([_entry(A, "error", PASSING), _entry(C, "fail", "Got 2 results")], ()),
        ([_entry(A, "error", None)], ()),
        ([_entry(A, "splendid", PASSING)], ()),
    ],
)
def test_a_build_is_tried_again_when_every_failure_may_pass(
    entries: list[dict[str, Any]], causes: tuple[str, ...]
) -> None:
    assert retry_causes("duckdb", entries) == causes


def test_what_failed_or_was_skipped_is_still_to_build_and_hooks_never() -> None:
    entries = [_entry(A, "error"), _entry(B, "skipped"), _entry(C, "pass"), _entry(HOOK, "error")]

    assert still_to_build(entries) == {A, B}


def test_the_state_marks_what_is_pending_as_errors_and_the_rest_as_successes() -> None:
    entries = [_entry(A, "skipped"), _entry(B, "error"), _entry(C, "fail"), _entry(HOOK, "success")]

    assert {entry["unique_id"]: entry["status"] for entry in state_for(entries, frozenset({A, C}))} == {
        A: "error",
        B: "success",
        C: "error",
    }
    assert entries[0]["status"] == "skipped"


@pytest.mark.parametrize(
    ("attempt", "luck", "seconds"), [(2, 0.5, 30), (3, 0.5, 60), (4, 0.5, 120), (2, 0, 22.5), (2, 1, 37.5)]
)
def test_the_delay_doubles_give_or_take_a_quarter(attempt: int, luck: float, seconds: float) -> None:
    assert delay_before(attempt, 30, luck) == seconds
