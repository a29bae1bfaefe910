"""When nodes could have begun, and which chain took longest."""

from typing import Any

import pytest
from headless_dbt.model import Node
from headless_dbt.timeline import critical_path, moment, spans_of, waited_for, waiting_times

from tests.unit.builders import make_node


def ran(unique_id: str, began: float, ended: float, *parents: str, **more: Any) -> Node:
    def at(seconds: float) -> str:
        return f"2026-01-31T06:00:{seconds:09.6f}Z"

    return make_node(unique_id, started_at=at(began), completed_at=at(ended), depends_on=parents, **more)


A, B, C, TEST, UNIT = "model.shop.a", "model.shop.b", "model.shop.c", "test.shop.t", "unit_test.shop.b.u"


def _read(*nodes: Node) -> tuple[dict[str, list[str]], dict[str, float], tuple[str, ...]]:
    spans = spans_of(nodes)
    before = waited_for(nodes, spans)
    return before, waiting_times(spans, before), critical_path(spans, before)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:01Z", 1.0),
        ("1970-01-01T00:00:01", 1.0),
        ("1970-01-01T01:00:01+01:00", 1.0),
        ("1970-01-01T00:00:01.500000123Z", 1.5),
        ("", None),
        ("soon", None),
    ],
)
def test_a_moment_is_seconds_in_utc(text: str, seconds: float | None) -> None:
    assert moment(text) == (pytest.approx(seconds) if seconds is not None else None)


def test_what_did_not_run_here_has_no_span() -> None:
    nodes = [
        ran(A, 0, 1),
        ran("source.shop.raw.s", 0, 1),
        ran(B, 0, 1, tries=0),
        ran(C, 2, 1),
        make_node("model.shop.skipped", "skipped"),
    ]
    assert spans_of(nodes).keys() == {A}


def test_a_node_waits_from_the_end_of_its_last_parent() -> None:
    before, waiting, path = _read(ran(A, 0, 2), ran(B, 0, 5), ran(C, 6, 7, A, B))

    assert before[C] == [A, B] or before[C] == [B, A]
    assert waiting[C] == pytest.approx(1)
    assert waiting[A] == 0
    assert path == (B, C)


def test_the_longest_chain_counts_and_not_the_last_node() -> None:
    _, _, path = _read(ran(A, 0, 30), ran(B, 0, 1), ran(C, 38, 39, B))
    assert path == (A,)


def test_a_test_between_two_models_is_waited_for_where_it_ended_before() -> None:
    test = ran(TEST, 2, 4, A)
    assert _read(ran(A, 0, 2), test, ran(B, 4, 5, A))[2] == (A, TEST, B)
    # `dbt run`, and then `dbt test`.
    assert _read(ran(A, 0, 2), ran(B, 2, 5, A), ran(TEST, 6, 7, A))[0][B] == [A]


def test_a_test_of_something_else_too_is_not_waited_for() -> None:
    nodes = (ran(A, 0, 2), ran(C, 0, 2), ran(TEST, 2, 4, A, C), ran(B, 4, 5, A))
    assert _read(*nodes)[0][B] == [A]


def test_a_unit_test_comes_before_its_model_and_after_what_that_is_made_of() -> None:
    before, waiting, path = _read(ran(A, 0, 2), ran(UNIT, 3, 4, B), ran(B, 4, 5, A))

    assert sorted(before[B]) == [A, UNIT]
    assert before[UNIT] == [A]
    assert waiting[UNIT] == pytest.approx(1)
    assert path == (A, UNIT, B)


def test_hooks_stand_before_and_after_all() -> None:
    first, last = ran("operation.shop.start", 0, 1), ran("operation.shop.end", 9, 10)
    before, waiting, path = _read(first, ran(A, 1, 3), ran(B, 3, 9, A), last)

    assert before[A] == ["operation.shop.start"]
    assert waiting[A] == 0
    assert path == ("operation.shop.start", A, B, "operation.shop.end")


@pytest.mark.parametrize("took", [0, 0.001])
def test_a_hook_that_takes_no_time_does_not_wait_for_itself(took: float) -> None:
    first, last = ran("operation.shop.start", 0, took), ran("operation.shop.end", 3, 3 + took)
    before, _, path = _read(first, ran(A, 1, 3), last)

    assert before["operation.shop.start"] == []
    assert before["operation.shop.end"] == ["operation.shop.start", A]
    assert path[:2] == ("operation.shop.start", A)


def test_hooks_that_began_together_end_the_path_too() -> None:
    _, _, path = _read(ran("operation.shop.one", 0, 0.001), ran("operation.shop.two", 0, 0.001))
    assert path == ("operation.shop.one", "operation.shop.two")


def test_nothing_has_no_path() -> None:
    assert _read() == ({}, {}, ())


def test_a_node_without_a_name_is_no_way_of_its_own() -> None:
    """As in results that nobody should write."""
    spans = {"": (0.0, 1.0), "model.p.a": (2.0, 3.0)}
    assert critical_path(spans, {"": (), "model.p.a": ()})
    assert critical_path(spans, {"": ("",), "model.p.a": ("",)})
