"""How a text becomes a value, and the sentence that refuses it."""

from collections.abc import Callable
from typing import Any

import pytest
from headless_dbt import parsing
from headless_dbt.errors import RequestError
from headless_dbt.inputs import INPUTS
from hypothesis import given
from hypothesis import strategies as st

BY_NAME = {declared.name: declared for declared in INPUTS}


@pytest.mark.parametrize(
    ("name", "given_text", "value"),
    [
        ("project-dir", "dbt/my shop", "dbt/my shop"),
        ("target", "prod", "prod"),
        ("target", "schön", "schön"),
        ("select", "", ""),
        ("select", "a\n  b+\n\ttag:x\n", "a b+ tag:x"),
        ("select", "-x --target=y", "-x --target=y"),
        ("select", "$(id) `id` 'a' \"b\"", "$(id) `id` 'a' \"b\""),
        ("vars", "", ""),
        ("vars", "{}", "{}"),
        ("vars", '{"day": "2026-01-31"}', '{"day": "2026-01-31"}'),
        ("vars", "day: 2026-01-31\nname: x", "day: 2026-01-31\nname: x"),
        ("full-refresh", "true", True),
        ("full-refresh", "FALSE", False),
        ("fail-fast", "True", True),
        ("threads", "", None),
        ("threads", "1", 1),
        ("threads", "016", 16),
        ("dbt-args", "", ()),
        ("dbt-args", "--empty --sample '3 days'", ("--empty", "--sample", "3 days")),
        ("dbt-args", "'$(id)' a\\ b", ("$(id)", "a b")),
        ("adapter", "bigquery", "bigquery"),
        ("adapter", "dbt-duckdb", "duckdb"),
        ("adapter", "dbt_sqlserver", "sqlserver"),
        ("adapter", "athena-community", "athena-community"),
        ("dbt-version", "", ""),
        ("dbt-version", "1.11", "1.11"),
        ("dbt-version", "1.11.16", "1.11.16"),
        ("dbt-version", "1.12.0rc1", "1.12.0rc1"),
        ("dbt-version", "2.0.0", "2.0.0"),
        ("adapter-version", "2.0.1", "2.0.1"),
        ("python-version", "", ""),
        ("python-version", "3.11", "3.11"),
        ("python-version", "3.12.4", "3.12.4"),
        ("python-version", "/usr/bin/python3", "/usr/bin/python3"),
        ("issue-labels", "", ()),
        ("issue-labels", "a, b  c ,, ,d", ("a", "b c", "d")),
        ("artifact-name", "nightly dbt.v1", "nightly dbt.v1"),
        ("artifact-name", "x" * 200, "x" * 200),
        ("env", "", ()),
        ("env", "A=1\n\n  # no\n B = x=y \nC=", (("A", "1"), ("B", "x=y"), ("C", ""))),
        ("gcp-credentials", '{\n"type": "x"}', '{\n"type": "x"}'),
    ],
)
def test_a_text_becomes_a_value(name: str, given_text: str, value: object) -> None:
    parsed = BY_NAME[name].parse(name, given_text)

    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(
    ("name", "given_text", "allowed"),
    [
        ("project-dir", "a\nb", "one line without control characters"),
        ("project-dir", "a\x00b", "one line without control characters"),
        ("requirements", "a\tb", "one line without control characters"),
        ("target", "-t", "a name without spaces that does not begin with '-'"),
        ("target", "a b", "a name without spaces that does not begin with '-'"),
        ("target", "a\n", "a name without spaces that does not begin with '-'"),
        ("selector", "--all", "a name without spaces that does not begin with '-'"),
        ("vars", "{a: [}", "a YAML or JSON mapping such as"),
        ("vars", "just text", "a YAML or JSON mapping such as"),
        ("vars", "- a\n- b", "a YAML or JSON mapping such as"),
        ("vars", "null", "a YAML or JSON mapping such as"),
        ("vars", "a: 1\n---\nb: 2", "a YAML or JSON mapping such as"),
        ("vars", "a: !!python/object/apply:os.system [id]", "a YAML or JSON mapping such as"),
        ("vars", "a: 'x\x00'", "a YAML or JSON mapping such as"),
        # PyYAML lets these three out as ValueError and RecursionError.
        ("vars", "day: 2026-02-31", "a YAML or JSON mapping such as"),
        ("vars", "mask: 0x_", "a YAML or JSON mapping such as"),
        ("vars", "{a: " * 1000, "a YAML or JSON mapping such as"),
        ("full-refresh", "yes", "true, false"),
        ("docs", "1", "true, false"),
        ("docs", "on", "true, false"),
        ("threads", "0", "a whole number from 1"),
        ("threads", "-1", "a whole number from 1"),
        ("threads", "1.5", "a whole number from 1"),
        ("threads", "٣", "a whole number from 1"),
        ("threads", "1e3", "a whole number from 1"),
        ("threads", "9" * 10, "a whole number from 1"),
        ("dbt-args", "--vars '{a: b}", "arguments with balanced quotes"),
        ("dbt-args", "a\\", "arguments with balanced quotes"),
        ("adapter", "", "bigquery, duckdb, or the short name of an adapter's package"),
        ("adapter", "BigQuery", "bigquery, duckdb, or the short name of an adapter's package"),
        ("adapter", "duckdb --index-url http://x", "bigquery, duckdb, or the short name of an adapter's package"),
        ("adapter", "-r", "bigquery, duckdb, or the short name of an adapter's package"),
        ("adapter", "../evil", "bigquery, duckdb, or the short name of an adapter's package"),
        ("dbt-version", "3.0.0", "a version of dbt-core 1 such as"),
        ("dbt-version", "latest", "a version of dbt-core 1 such as"),
        ("dbt-version", "1.", "a version such as 1.11.16"),
        ("dbt-version", "1.11.16\n", "a version such as 1.11.16"),
        ("dbt-version", "1.x", "a version such as 1.11.16"),
        ("adapter-version", ">=1.11", "a version such as 1.11.16"),
        ("adapter-version", "1", "a version such as 1.11.16"),
        ("python-version", "3.10", "a version from 3.11"),
        ("python-version", "3", "a version from 3.11"),
        ("python-version", "3.x", "a version from 3.11"),
        ("python-version", "python3.12", "a version from 3.11"),
        ("artifact-name", "a/b", "at most 200 characters"),
        ("artifact-name", 'a"b', "at most 200 characters"),
        ("artifact-name", "a\nb", "at most 200 characters"),
        ("artifact-name", "x" * 201, "at most 200 characters"),
        ("artifact-retention-days", "none", "a whole number from 1"),
        ("env", "A=1\nB", "lines of KEY=value"),
        ("env", "1A=1", "lines of KEY=value"),
        ("env", "=1", "lines of KEY=value"),
        ("env", "A B=1", "lines of KEY=value"),
    ],
)
def test_a_wrong_text_is_refused_in_one_sentence(name: str, given_text: str, allowed: str) -> None:
    with pytest.raises(RequestError) as caught:
        BY_NAME[name].parse(name, given_text)

    sentence = str(caught.value)
    assert sentence.startswith(f"{name}: got ")
    assert f"; allowed: {allowed}" in sentence
    assert sentence.endswith(f"Correct the input `{name}` and run again.")
    assert "\n" not in sentence
    assert caught.value.exit_code == 2


def test_a_refused_text_is_quoted_and_cut_where_it_is_long() -> None:
    with pytest.raises(RequestError) as caught:
        parsing.boolean("docs", "n\n" * 5000)

    assert "got 'n\\nn\\n" in str(caught.value)
    assert "...'" in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("name", ["env", "dbt-env"])
def test_a_bad_line_of_assignments_is_named_by_its_number_alone(name: str) -> None:
    with pytest.raises(RequestError) as caught:
        BY_NAME[name].parse(name, "A=1\n\nhunter2 is my password\n")

    assert "something else in line 3" in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("separator", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028"])
def test_only_a_line_break_ends_an_assignment(separator: str) -> None:
    assert parsing.assignments("dbt-env", f"A=x{separator}y\r\nB=z") == (("A", f"x{separator}y"), ("B", "z"))


_PARSERS: list[Callable[[str, str], Any]] = [declared.parse for declared in INPUTS]


@given(st.sampled_from(_PARSERS), st.text(max_size=60))
def test_any_text_is_either_a_value_or_a_sentence(parse: Callable[[str, str], Any], text: str) -> None:
    sentence = ""
    try:
        parse("the-input", text)
    except RequestError as error:
        sentence = str(error)

    assert not sentence or sentence.startswith("the-input: got ")
    assert "\n" not in sentence


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), max_size=5))
def test_words_are_what_a_shell_would_make_of_quoted_arguments(arguments: list[str]) -> None:
    quoted = " ".join("'" + argument.replace("'", "'\\''") + "'" for argument in arguments)

    assert parsing.words("dbt-args", quoted) == tuple(arguments)
