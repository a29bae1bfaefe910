"""Annotations: failures and warnings on files, as many as GitHub shows."""

import pytest
from headless_dbt.render.annotations import render_annotations

from tests.unit.builders import HOSTILE, make_node, make_run
from tests.unit.render.samples import FAILURES, PROBLEM


def test_failures_and_warnings_stand_on_their_files_those_that_block_most_first() -> None:
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


def test_a_node_without_a_message_or_a_file_says_its_status() -> None:
    assert render_annotations(make_run([make_node("model.shop.a", "splendid")])) == [
        "::error title=model.shop.a%3A splendid::dbt says splendid."
    ]


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
