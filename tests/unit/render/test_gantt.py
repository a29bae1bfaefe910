"""The critical path as a chart."""

import pytest
from headless_dbt.render.gantt import MOST_BARS, critical_nodes, render_gantt
from msgspec.structs import replace

from tests.unit.builders import make_node, make_run
from tests.unit.render.samples import EVERYTHING


def _chain(number: int) -> list[str]:
    nodes = [
        make_node(
            f"model.shop.m{at}",
            started_at=f"2026-01-31T06:{at:02}:00Z",
            completed_at=f"2026-01-31T06:{at:02}:{10 + at}Z",
            execution_time=10.0 + at,
        )
        for at in range(number)
    ]
    return render_gantt(make_run(nodes, critical_path=tuple(node.unique_id for node in nodes))).splitlines()


def test_each_node_is_a_bar_from_its_beginning_to_its_end() -> None:
    chart = render_gantt(EVERYTHING)

    assert chart.startswith("```mermaid\ngantt\n")
    assert "\n  model stg_orders :4000, 14000\n" in chart
    assert "\n  model fct_orders :crit, 16000, 46000\n" in chart


def test_of_a_long_path_the_longest_are_shown_in_their_order() -> None:
    bars = [line.split(" :")[0].strip() for line in _chain(20) if " :" in line]
    assert bars == [f"model m{at}" for at in range(20 - MOST_BARS, 20)]


@pytest.mark.parametrize(("elapsed", "axis"), [(59.0, "%S.%L s"), (60.0, "%H:%M:%S")])
def test_a_short_run_has_parts_of_seconds(elapsed: float, axis: str) -> None:
    assert f"\n  axisFormat {axis}\n" in render_gantt(replace(EVERYTHING, elapsed=elapsed))


def test_a_bar_of_no_time_can_be_seen() -> None:
    at = {"started_at": "2026-01-31T06:00:00Z", "completed_at": "2026-01-31T06:00:00Z"}
    nodes = [make_node("model.shop.a", **at), make_node("model.shop.b", **at)]
    assert "model a :0, 1\n" in render_gantt(make_run(nodes, critical_path=("model.shop.a", "model.shop.b")))


def test_one_node_is_no_path() -> None:
    assert _chain(1) == []
    assert render_gantt(make_run()) == ""


def test_a_node_that_is_not_there_is_passed_over() -> None:
    assert critical_nodes(replace(EVERYTHING, critical_path=("gone",))) == []
