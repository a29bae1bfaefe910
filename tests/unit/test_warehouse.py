"""What the warehouse said, and what that costs."""

from typing import Any

import pytest
from headless_dbt.model import Cost
from headless_dbt.warehouse import TIB, bytes_of, cost_of, rows_of, total, total_cost

from tests.unit.builders import make_node


@pytest.mark.parametrize(
    ("said", "rows"),
    [
        (12, 12),
        (0, 0),
        ("12", 12),
        (-1, None),
        (None, None),
        (True, None),
        (1.5, None),
        (float("nan"), None),
        ("many", None),
        ("9" * 30, None),
        ("٣", None),
        (2**63, None),
        ([], None),
    ],
)
def test_rows_are_a_count_or_nothing(said: Any, rows: int | None) -> None:
    assert rows_of({"rows_affected": said}) == rows


def test_what_is_not_said_is_none() -> None:
    assert rows_of({}) is None
    assert bytes_of({"bytes_billed": 10, "slot_ms": 3}) == (None, 10, 3)


@pytest.mark.parametrize(
    ("billed", "adapter", "price", "cost"),
    [
        (TIB, "bigquery", 6.25, 6.25),
        (0, "bigquery", 6.25, 0.0),
        (None, "bigquery", 6.25, None),
        (TIB, "bigquery", 0.0, None),
        (TIB, "snowflake", 6.25, None),
        (TIB, "", 6.25, None),
    ],
)
def test_a_cost_is_never_invented(billed: int | None, adapter: str, price: float, cost: float | None) -> None:
    assert cost_of(billed, adapter, price) == cost


def test_the_cost_of_a_run_is_that_of_its_nodes() -> None:
    nodes = [make_node("a", bytes_billed=TIB, cost=6.25), make_node("b", bytes_billed=TIB), make_node("c")]

    assert total_cost(nodes, 6.25) == Cost(usd=6.25, usd_per_tib=6.25, bytes_billed=TIB)
    assert total_cost(nodes[1:], 6.25) is None


def test_a_total_is_of_what_is_known() -> None:
    assert total([1, None, 0, 2]) == 3
    assert total([0]) == 0
    assert total([None]) is None
