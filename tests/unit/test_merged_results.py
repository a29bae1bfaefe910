"""One complete list of results, however the attempts ended."""

from typing import Any

import msgspec
import pytest
from headless_dbt.artifacts import Manifest, NodeResult
from headless_dbt.journal import Journal, read_invocations
from headless_dbt.merged_results import (
    INTERRUPTED,
    NOT_REACHED,
    UNIT_TEST_FAILED,
    downstream,
    merge_attempts,
    run_results_document,
    skipped_entries,
)
from headless_dbt.session_protocol import OVER_COST_LIMIT
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.builders import manifest, manifest_node, node_finished, node_start, result

RAW, A, B, C, CTE = "source.shop.raw.x", "model.shop.a", "model.shop.b", "model.shop.c", "model.shop.cte"
KNOWN = msgspec.convert(
    manifest(
        manifest_node(RAW),
        manifest_node(A, RAW),
        manifest_node(B, A),
        manifest_node(C),
        manifest_node(CTE, materialized="ephemeral"),
    ),
    Manifest,
).every()
SELECTED = (A, B, C, CTE)


def _journal(*lines: bytes) -> Journal:
    builds = read_invocations(lines)
    return builds[0] if builds else Journal()


def _merged(
    written: list[list[dict[str, Any]]], journals: list[Journal], *, complete: bool = False, stale: tuple[str, ...] = ()
) -> dict[str, tuple[str, str | None]]:
    entries = merge_attempts(written, journals, SELECTED, stale, KNOWN, complete=complete)
    assert len({entry["unique_id"] for entry in entries}) == len(entries)
    return {entry["unique_id"]: (entry["status"], entry["message"]) for entry in entries}


def test_a_complete_run_has_what_dbt_wrote() -> None:
    assert _merged([[result(A), result(B), result(C)]], [], complete=True) == dict.fromkeys(
        (A, B, C), ("success", "OK")
    )


def test_an_attempt_that_was_broken_off_is_completed_by_the_journal() -> None:
    journal = _journal(node_start(A), node_finished(A), node_start(B))

    assert _merged([[]], [journal]) == {A: ("success", "OK"), B: ("error", INTERRUPTED), C: ("skipped", NOT_REACHED)}


def test_the_last_attempt_has_the_last_word() -> None:
    first = [result(A, "error", "503"), result(B, "skipped", None), result(C)]

    assert _merged([first, [result(A), result(B)]], [], complete=True)[A] == ("success", "OK")
    killed = _journal(node_start(A), node_finished(A), node_start(B))
    assert _merged([first, []], [Journal(), killed]) == {
        A: ("success", "OK"),
        B: ("error", INTERRUPTED),
        C: ("success", "OK"),
    }


def test_the_branch_of_a_stale_source_is_skipped_in_a_complete_run_too() -> None:
    merged = _merged([[result(C)]], [], complete=True, stale=(RAW,))

    assert {unique_id: status for unique_id, (status, _) in merged.items()} == {
        A: "skipped",
        B: "skipped",
        C: "success",
    }
    assert "is stale" in str(merged[A][1])


def test_what_the_cost_limit_kept_from_beginning_was_skipped() -> None:
    refused = result(B, "error", f"Database Error in model b\n  {OVER_COST_LIMIT}\n  compiled code at x.sql")

    merged = _merged([[result(A), refused, result(C, "error", "cost-limit")]], [])

    assert merged == {A: ("success", "OK"), B: ("skipped", OVER_COST_LIMIT), C: ("error", "cost-limit")}


def test_what_dbt_wrote_is_kept_to_the_letter() -> None:
    odd = {**result(A), "a_field_of_tomorrow": [1]}

    assert merge_attempts([[odd]], [], (A,), (), KNOWN, complete=True) == [odd]


def test_all_that_hangs_on_a_source_is_downstream() -> None:
    assert downstream([RAW], KNOWN.values()) == {A: RAW, B: RAW}


def test_a_document_has_the_schema_and_the_metadata_of_dbt() -> None:
    like = {"metadata": {"dbt_version": "1.12.6", "invocation_id": "x"}, "args": {"which": "build", "target": "prod"}}

    document = run_results_document(skipped_entries([A], KNOWN), like, dbt_version="1", generated_at="now", elapsed=2.0)

    assert document["metadata"]["dbt_schema_version"].endswith("/run-results/v6.json")
    assert (document["metadata"]["dbt_version"], document["metadata"]["invocation_id"]) == ("1.12.6", "x")
    assert (document["args"], document["elapsed_time"]) == (like["args"], 2.0)
    assert [entry["status"] for entry in document["results"]] == ["skipped"]


LINES = tuple(line for unique_id in (A, B, C) for line in (node_start(unique_id), node_finished(unique_id)))


@given(st.integers(0, len(b"".join(LINES))))
def test_any_prefix_of_a_journal_gives_every_selected_node_once(cut: int) -> None:
    lines = b"".join(LINES)[:cut].splitlines(keepends=True)
    whole = sum(line.rstrip(b"\n") + b"\n" in LINES for line in lines)

    merged = _merged([], [_journal(*lines)])

    assert merged.keys() == {A, B, C}
    statuses = [merged[unique_id][0] for unique_id in (A, B, C)]
    assert statuses == (["success"] * (whole // 2) + ["error"] * (whole % 2) + ["skipped"] * 3)[:3]


@pytest.mark.parametrize("selected", [(), ("metric.shop.unknown",)])
def test_what_is_not_known_is_not_invented(selected: tuple[str, ...]) -> None:
    assert merge_attempts([], [], selected, (), KNOWN, complete=False) == []


TEST, UNIT = "test.shop.t", "unit_test.shop.a.u"
TESTS = msgspec.convert(
    manifest(
        manifest_node(A), manifest_node(TEST, A, config={"error_if": ">5", "warn_if": ">2"}), manifest_node(UNIT, A)
    ),
    Manifest,
).every()


@pytest.mark.parametrize(
    ("unique_id", "written", "finished", "said"),
    [
        # What dbt 2 writes of a test, and what its log tells.
        (TEST, ("fail", "Error", 6), ("fail", "", 6), ("fail", "Got 6 results, configured to fail if >5", 6)),
        (TEST, ("warn", "Warn", 1), ("warn", "", 1), ("warn", "Got 1 result, configured to warn if >2", 1)),
        (TEST, ("fail", "Error", 1), ("error", "no column", None), ("error", "no column", None)),
        (TEST, None, ("fail", "", 6), ("fail", "Got 6 results, configured to fail if >5", 6)),
        (UNIT, ("error", "Error", None), ("fail", "", 1), ("fail", UNIT_TEST_FAILED, 1)),
        (TEST, ("pass", "Pass", 0), ("pass", "", 0), ("pass", "Pass", 0)),
        # What dbt-core writes stays, and so does what is written of a model.
        (TEST, ("fail", "Got 6 results, and more", 6), ("fail", "", 6), ("fail", "Got 6 results, and more", 6)),
        (A, ("error", "Error", None), ("success", "", None), ("error", "Error", None)),
    ],
)
def test_of_a_test_the_log_knows_more_than_the_results_of_dbt_2(
    unique_id: str,
    written: tuple[str, str, int | None] | None,
    finished: tuple[str, str, int | None],
    said: tuple[str, str, int | None],
) -> None:
    entries = [] if written is None else [result(unique_id, written[0], message=written[1], failures=written[2])]
    status, message, failures = finished
    journal = Journal({unique_id: NodeResult(unique_id, status, message, failures=failures)})

    [entry] = merge_attempts([entries], [journal], [unique_id], (), TESTS, complete=True)

    assert (entry["status"], entry["message"], entry["failures"]) == said


def test_a_selected_node_without_a_result_is_never_a_success() -> None:
    def statuses(**of_a: str) -> dict[str, str]:
        entries = merge_attempts([[result(A, **of_a)]], [Journal()], (A, C, CTE), (), KNOWN, complete=True)
        return {entry["unique_id"]: entry["status"] for entry in entries}

    assert statuses() == {A: "success", C: "error"}
    # Something that failed may have ended the build.
    assert statuses(status="error") == {A: "error", C: "skipped"}


@pytest.mark.parametrize(("complete", "status"), [(True, "skipped"), (False, "error")])
def test_what_dbt_broke_off_because_another_failed_has_not_failed(complete: bool, status: str) -> None:
    journal = Journal({A: NodeResult(A, "error", "stopped"), C: NodeResult(C, "error", "no")}, cancelled=frozenset({A}))
    entries = merge_attempts([[]], [journal], (A, C), (), KNOWN, complete=complete)
    assert {entry["unique_id"]: entry["status"] for entry in entries} == {A: status, C: "error"}


@pytest.mark.parametrize("status", ["success", "error"])
def test_an_ephemeral_model_is_seen_where_it_is_an_error(status: str) -> None:
    entries = merge_attempts([[result(CTE, status)]], [Journal()], (CTE,), (), KNOWN, complete=True)
    assert [entry["status"] for entry in entries] == ([status] if status == "error" else [])
