"""What is tried of a warehouse, and what is said of what hangs. The real client is in integration/test_check.py."""

import time
from types import SimpleNamespace
from typing import Any

import pytest
from headless_dbt.bigquery_check import try_bigquery, try_connection

WRITES, READS = [("acme", "shop")], [("acme", "raw", "orders")]


def _broken() -> tuple[Any, Any]:
    raise ValueError("no key")


def _hangs() -> tuple[Any, Any]:
    time.sleep(3)
    return SimpleNamespace(), SimpleNamespace()


def test_without_credentials_nothing_else_is_tried() -> None:
    steps = try_bigquery(_broken, WRITES, READS, 5)

    assert (steps[0]["name"], steps[0]["passed"], steps[0]["message"]) == ("credentials", False, "no key")
    assert {(step["passed"], step["message"]) for step in steps[1:]} == {(None, "Not tried.")}
    assert [(step["name"], step["subject"]) for step in steps[1:4]] == [
        ("run a job", "BigQuery"),
        ("source", "acme.raw.orders"),
        ("dataset", "acme.shop"),
    ]


def test_what_hangs_has_not_passed_and_is_not_waited_for() -> None:
    began = time.monotonic()

    steps = try_bigquery(_hangs, WRITES, READS, 0.2)

    assert time.monotonic() - began < 2
    assert (steps[0]["passed"], steps[0]["message"]) == (None, "No answer in time.")
    assert not any(step["passed"] for step in steps)


@pytest.mark.parametrize("kind", [TimeoutError, type("ReadTimeout", (type("Timeout", (OSError,), {}),), {})])
def test_no_answer_is_no_refusal(kind: type[Exception]) -> None:
    def wait() -> None:
        raise kind("read timed out")

    step = try_connection("postgres", wait)

    assert (step["passed"], step["message"]) == (None, "No answer in time.")


def test_another_warehouse_has_its_connection_tried() -> None:
    def refuse() -> None:
        raise RuntimeError

    assert try_connection("duckdb", lambda: None) == {
        "name": "connection",
        "subject": "duckdb",
        "passed": True,
        "message": "",
    }
    assert try_connection("duckdb", refuse)["message"] == "RuntimeError"
