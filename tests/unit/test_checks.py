"""What a check found, told and judged."""

import json

import pytest
from headless_dbt.checks import check_error, line_of, read_checks
from headless_dbt.model import Check


def _check(name: str, *, passed: bool | None, message: str = "") -> Check:
    return Check(name=name, subject="acme.shop", passed=passed, message=message)


def test_each_line_of_the_session_is_a_check() -> None:
    lines = [json.dumps({"name": "read", "subject": "a.b", "passed": None, "message": "Not tried.", "more": 1})]

    assert read_checks(lines, "bigquery") == (Check(name="read", subject="a.b", passed=None, message="Not tried."),)


@pytest.mark.parametrize(("adapter", "known"), [("bigquery", True), ("duckdb", False)])
def test_what_bigquery_refuses_comes_with_what_to_change(adapter: str, known: bool) -> None:
    message = "Dataset acme-dwh:shop is in the location EU, and the profile says US."
    step = {"name": "dataset", "subject": "acme-dwh.shop", "passed": False, "message": message}

    [check] = read_checks([json.dumps(step)], adapter)

    assert ("Set `location` in profiles.yml to `EU`" in check.advice) is known
    assert (check.advice in line_of(check)) is True


@pytest.mark.parametrize(
    ("check", "line"),
    [
        (_check("read", passed=True), "  ✓ read: acme.shop"),
        (_check("read", passed=False, message="403\n  denied"), "  ✗ read: acme.shop. 403 denied"),
        (_check("read", passed=None, message="Not tried."), "  - read: acme.shop. Not tried."),
    ],
)
def test_a_check_is_one_line(check: Check, line: str) -> None:
    assert line_of(check) == line


def test_all_that_passed_is_no_error() -> None:
    assert check_error([_check("read", passed=True)]) is None


def test_what_failed_is_named_and_what_was_not_tried_has_not_passed() -> None:
    checks = [_check("a", passed=True), *(_check(name, passed=False) for name in "bcdef"), _check("g", passed=None)]

    error = check_error(checks)

    assert error is not None
    assert error.exit_code == 3
    assert str(error) == "6 of 7 checks did not pass: b, acme.shop; c, acme.shop; d, acme.shop, and 2 more."
    untried = check_error([_check("g", passed=None)])
    assert str(untried) == "1 of 1 checks did not pass: g, acme.shop."
