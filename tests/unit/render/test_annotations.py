"""Annotations: failures and warnings on files, as many as GitHub shows."""

import re

import pytest
from headless_dbt.locate import Place
from headless_dbt.model import Node
from headless_dbt.render.annotations import render_annotations

from tests.unit.builders import HOSTILE, make_node, make_run
from tests.unit.render.samples import FAILURES, PROBLEM


def test_failures_and_warnings_stand_on_their_files_in_the_order_of_the_causes() -> None:
    assert render_annotations(FAILURES) == [
        (
            "::error file=models/marts/fct_orders.sql,title=model.shop.fct_orders%3A error::"
            "Runtime Error in model fct_orders (models/marts/fct_orders.sql)%0A"
            '  Binder Error: Referenced column "order_totl" not found in FROM clause!%0A'
            '  Candidate bindings: "order_total"'
        ),
        (
            "::error file=models/marts/dim_customers.yml,"
            "title=test.shop.unique_dim_customers_customer_id.5a5b6cd8f4%3A fail::"
            "Got 2 results, configured to fail if != 0"
        ),
        (
            "::warning file=models/staging/stg_orders.yml,"
            "title=test.shop.accepted_values_stg_orders_order_status.7be0d1f9a2%3A warn::"
            "Got 1 result, configured to warn if != 0"
        ),
    ]


@pytest.mark.parametrize(
    ("number", "lines", "last"), [(1, 1, ""), (10, 10, ""), (11, 10, "And 2 more"), (500, 10, "And 491 more")]
)
@pytest.mark.parametrize("status", ["error", "warn"])
def test_there_are_at_most_ten_of_a_kind_and_the_last_counts_the_others(
    status: str, number: int, lines: int, last: str
) -> None:
    kind = "error" if status == "error" else "warning"

    rendered = render_annotations(make_run([make_node(f"model.shop.a{each}", status) for each in range(number)]))

    assert len(rendered) == lines
    assert all(line.startswith(f"::{kind} ") for line in rendered)
    if last:
        assert rendered[-1] == f"::{kind} title=headless-dbt::{last}: see the summary."


def _red(name: str, message: str = "", *parents: str, status: str = "error") -> Node:
    return make_node(f"model.shop.{name}", status, message=message or f"A reason like {name[::-1]}", depends_on=parents)


def _names(lines: list[str]) -> list[str]:
    return [found[1] for line in lines if (found := re.search(r"title=model\.shop\.(\w+)%3A", line))]


def test_a_failure_under_a_failure_takes_no_place_from_a_root_cause() -> None:
    behind = [_red(f"behind{each}", "", "model.shop.root_a") for each in range(9)]
    roots = [_red(f"root_{each}") for each in "abcdefghi"]

    lines = render_annotations(make_run([*behind, *roots]))

    assert _names(lines) == [f"root_{each}" for each in "abcdefghi"]
    assert lines[9:] == ["::error title=headless-dbt::And 9 more: see the summary."]
    few = render_annotations(make_run([*behind[:2], *roots[:2]]))
    assert _names(few) == ["root_a", "root_b", "behind0", "behind1"]


@pytest.mark.parametrize(("status", "kind"), [("error", "error"), ("warn", "warning")])
def test_many_nodes_behind_one_outage_leave_room_for_other_causes(status: str, kind: str) -> None:
    away = [_red(f"away{each:03}", "The warehouse is away for maintenance", status=status) for each in range(200)]
    others = [_red(f"other_{each}", status=status) for each in "abcdef"]

    lines = render_annotations(make_run([*away, *others]))

    assert _names(lines) == ["away000", "away001", "away002", *(f"other_{each}" for each in "abcdef")]
    assert lines[0].endswith("maintenance%0A%0AFor the same reason: 197 more nodes, see the summary.")
    assert not any("same reason" in line or "headless-dbt" in line for line in lines[1:])
    assert all(line.startswith(f"::{kind} ") for line in lines)


def test_each_cause_has_a_place_before_one_has_a_second() -> None:
    pairs = [_red(f"{letter}{each}", f"The reason of all {letter}") for letter in "abcdefgh" for each in range(2)]

    lines = render_annotations(make_run(pairs))

    assert _names(lines) == ["a0", "a1", "b0", "c0", "d0", "e0", "f0", "g0", "h0"]
    assert sum("1 more node, see" in line for line in lines) == 7
    # All of them are told.
    assert len(lines) == 9


def test_an_error_that_is_elsewhere_stands_there() -> None:
    node = make_node("model.shop.a", "error", message="bad", file="models/a.sql", line=3)

    [line] = render_annotations(make_run([node]), {node.unique_id: Place("macros/b,c.sql", 7)})

    assert line == "::error file=macros/b%2Cc.sql,line=7,title=model.shop.a%3A error::bad"


def test_a_node_without_a_message_or_a_file_says_its_status() -> None:
    assert render_annotations(make_run([make_node("model.shop.a", "splendid")])) == [
        "::error title=model.shop.a%3A splendid::dbt says splendid."
    ]


def test_right_under_the_error_stands_what_to_change() -> None:
    said = "The warehouse is away for maintenance"
    nodes = [make_node(f"model.shop.{name}", "error", message=said, advice="Do `this`.") for name in "abcd"]

    lines = render_annotations(make_run(nodes))

    assert lines[1] == f"::error title=model.shop.b%3A error::{said}%0A%0ADo `this`."
    assert lines[0].endswith(f"::{said}%0A%0ADo `this`.%0A%0AFor the same reason: 1 more node, see the summary.")


def test_the_problem_of_a_run_has_been_said_by_the_step_that_met_it() -> None:
    assert render_annotations(PROBLEM) == []


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_stays_in_one_command(hostile: str) -> None:
    [line] = render_annotations(make_run([make_node(f"model.{hostile}", "error", message=hostile, file=hostile)]))

    assert "\n" not in line
    assert "\r" not in line
    assert line.startswith("::error file=")


def test_long_texts_are_cut() -> None:
    [line] = render_annotations(make_run([make_node("m" * 5000, "error", message="x" * 50_000)]))

    assert len(line) < 2500
