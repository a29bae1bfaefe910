"""What the warehouse said, and what that costs."""

from typing import Any

import pytest
from headless_dbt.job_options import TIB
from headless_dbt.model import Cost
from headless_dbt.warehouse import Usage, cost_of, rows_of, total, total_cost, usage_by_node, usage_of


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
    assert usage_of({"bytes_billed": 10, "slot_ms": 3}) == Usage(None, 10, 3)


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


def test_the_cost_of_a_run_is_that_of_all_bytes_billed() -> None:
    assert total_cost([TIB, None, TIB], "bigquery", 6.25) == Cost(usd=12.5, usd_per_tib=6.25, bytes_billed=2 * TIB)
    assert total_cost([None], "bigquery", 6.25) is None
    assert total_cost([TIB], "snowflake", 6.25) is None
    assert total_cost([TIB], "bigquery", 0) is None


def test_the_usage_of_a_node_is_that_of_all_its_jobs() -> None:
    lines = (
        b'{"node": "model.a", "job": "1", "bytes_processed": 5, "bytes_billed": 10, "slot_ms": 1}',
        b'{"node": "model.a", "job": "2", "bytes_processed": 5, "bytes_billed": null, "slot_ms": 2}',
        b'{"node": "", "job": "3", "bytes_billed": 7}',
        b'{"node": "seed.b", "job": "4", "type": "load", "bytes_billed": null}',
        b'{"node": "model.a", "bytes_bil',
        b"",
    )

    assert usage_by_node(lines) == {"model.a": Usage(10, 10, 3), "": Usage(None, 7, None), "seed.b": Usage()}


def test_a_total_is_of_what_is_known() -> None:
    assert total([1, None, 0, 2]) == 3
    assert total([0]) == 0
    assert total([None]) is None
