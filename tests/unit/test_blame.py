"""Whose fault an exception of dbt is, and what the user is told to do."""

from pathlib import Path
from typing import Any

import pytest
from headless_dbt.blame import (
    build_error,
    cost_limit_error,
    dbt_unusable,
    parse_error,
    selection_error,
    selection_of,
)
from headless_dbt.job_options import TIB
from headless_dbt.session_protocol import SessionException

from tests.unit.builders import make_settings

NO_TARGET = (
    "The profile 'x' does not have a target named 'prod'. The valid target names for this profile are:\n - dev\n - ci"
)


@pytest.mark.parametrize(
    ("kind", "message", "settings", "exit_code", "sentence"),
    [
        ("DbtProfileError", NO_TARGET, {}, 2, "target: got 'prod', which is not in profiles.yml; allowed: dev, ci."),
        (
            "DbtUsageException",
            "No such option",
            {"dbt_args": ("--x",)},
            2,
            "dbt-args: got '--x', and dbt says: No such",
        ),
        ("DbtProjectError", "Could not find profile named 'x'", {}, 2, "profiles-dir: got '/project', and dbt says:"),
        (
            "DbtProfileError",
            "Could not find adapter type mysql!",
            {},
            2,
            "adapter: got 'duckdb', but the profile needs",
        ),
        (
            "DbtProfileError",
            "Could not find adapter type mysql!",
            {"requirements": Path("/own.txt")},
            2,
            "requirements: got '/own.txt', which lacks the adapter",
        ),
        ("CompilationError", "no such ref", {}, 3, "The project cannot be parsed: no such ref"),
    ],
)
def test_what_fails_in_parse(kind: str, message: str, settings: dict[str, Any], exit_code: int, sentence: str) -> None:
    error = parse_error(make_settings(**settings), SessionException(kind, message))

    assert error.exit_code == exit_code
    assert str(error).startswith(sentence)


@pytest.mark.parametrize(
    ("settings", "kind", "named"),
    [
        ({"select": "a:b"}, "DbtRuntimeError", "select"),
        ({"exclude": "a:b"}, "DbtRuntimeError", "select"),
        ({"selector": "nightly"}, "DbtRuntimeError", "selector"),
        ({"dbt_args": ("--resource-type", "banana")}, "NoneType", "dbt-args"),
        ({"select": "a", "dbt_args": ("--state", "x")}, "DbtUsageException", "dbt-args"),
    ],
)
def test_what_fails_in_list_is_the_selection(settings: dict[str, Any], kind: str, named: str) -> None:
    error = selection_error(make_settings(**settings), SessionException(kind, "Runtime Error\n  no such thing"))

    assert error.exit_code == 2
    assert str(error).startswith(f"{named}: got ")
    assert "no such thing" in str(error)


def test_what_fails_in_list_where_nobody_selects_is_the_project() -> None:
    error = selection_error(make_settings(), SessionException("DbtRuntimeError", "Found a cycle: a --> b"))

    assert error.exit_code == 3
    assert str(error).startswith("The project cannot be parsed: Found a cycle: a --> b")


@pytest.mark.parametrize(
    ("kind", "begun", "exit_code", "sentence"),
    [
        ("DbtUsageException", False, 2, "dbt-args: got ''"),
        ("DbtDatabaseError", False, 3, "dbt build could not begin: lost"),
        ("DbtDatabaseError", True, 1, "dbt build ended early: lost"),
    ],
)
def test_what_fails_in_build(kind: str, begun: bool, exit_code: int, sentence: str) -> None:
    error = build_error(make_settings(), SessionException(kind, "lost"), begun=begun)

    assert error.exit_code == exit_code
    assert str(error).startswith(sentence)


def test_what_fails_elsewhere_is_dbts_own() -> None:
    assert str(dbt_unusable("dbt deps")(SessionException("X", "no hub"))) == "dbt deps failed: no hub"


def test_what_was_spent_and_what_may_be_is_said() -> None:
    error = cost_limit_error(make_settings(cost_limit=5.0, cost_per_tib=6.25), 2 * TIB)

    assert error.exit_code == 1
    assert str(error).startswith("Queries for $12.50 at $6.25 per TiB were run, and `cost-limit` is $5. ")


def test_a_selection_is_named_as_a_person_would() -> None:
    assert selection_of(make_settings(select="a", exclude="b")) == "select 'a', exclude 'b'"
    assert selection_of(make_settings()) == "the whole project"
