"""The command lines of one run, argument by argument."""

from pathlib import Path

import pytest
from headless_dbt.dbt_commands import check_dbt_args, is_built
from headless_dbt.errors import RequestError

from tests.unit.builders import HOSTILE, make_commands

PROJECT = [
    *("--project-dir", "/project", "--profiles-dir", "/project", "--target", "prod"),
    *("--log-path", "/runs/1", "--log-format-file", "json", "--log-level-file", "debug", "--log-file-max-bytes", "0"),
    *("--write-json", "--no-use-colors"),
]
WRITTEN = [*PROJECT, "--target-path", "/runs/1/attempts/1"]
LISTED = ["--output", "json", "--output-keys", "unique_id", "--log-level", "none"]


def test_the_commands_of_a_plain_request() -> None:
    commands = make_commands()

    assert commands.deps() == ["deps", *PROJECT]
    assert commands.parse() == ["parse", *WRITTEN]
    assert commands.list_selected() == ["list", *WRITTEN, *LISTED]
    assert commands.build() == ["build", *WRITTEN]
    assert commands.source_freshness(["source.shop.raw.orders", "source.shop.raw.items"]) == [
        *("source", "freshness", *WRITTEN),
        *("--select", "source:shop.raw.orders", "source:shop.raw.items"),
    ]


def test_docs_of_what_is_compiled_do_not_compile_it_again() -> None:
    assert "--no-compile" in make_commands().docs(Path("/d"), compiled=True)


def test_docs_go_to_a_folder_of_their_own() -> None:
    assert make_commands().docs(Path("/runs/1/docs"), compiled=False) == [
        *("docs", "generate", "--static", *PROJECT, "--target-path", "/runs/1/docs")
    ]


def test_every_input_of_the_build_becomes_its_flag() -> None:
    commands = make_commands(
        select="a b+",
        exclude="tag:slow",
        vars="{day: 1}",
        full_refresh=True,
        fail_fast=True,
        threads=8,
        dbt_args=("--empty", "--sample", "3 days"),
    )

    assert commands.build() == [
        *("build", *PROJECT, "--vars", "{day: 1}", "--target-path", "/runs/1/attempts/1"),
        *("--select=a b+", "--exclude=tag:slow", "--threads", "8", "--full-refresh", "--fail-fast"),
        *("--empty", "--sample", "3 days"),
    ]


def test_a_selector_is_one_argument() -> None:
    assert make_commands(selector="nightly").build() == ["build", *WRITTEN, "--selector=nightly"]


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("name", ["select", "exclude", "selector"])
def test_a_hostile_selection_stays_one_argument(name: str, hostile: str) -> None:
    commands = make_commands(**{name: hostile})

    assert [*commands.build()] == ["build", *WRITTEN, f"--{name}={hostile}"]
    assert commands.list_selected() == ["list", *WRITTEN, f"--{name}={hostile}", *LISTED]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_variables_stay_one_argument(hostile: str) -> None:
    build = make_commands(vars=hostile).build()

    assert build[build.index("--vars") + 1] == hostile


@pytest.mark.parametrize(
    ("exclude", "without", "argument"),
    [
        ("", ["source.shop.raw.orders"], "--exclude=source:shop.raw.orders+"),
        ("a", ["source.shop.raw.orders"], "--exclude=a source:shop.raw.orders+"),
        ("", ["source.shop.raw.a", "source.pkg.raw.b"], "--exclude=source:shop.raw.a+ source:pkg.raw.b+"),
    ],
)
def test_the_branches_of_stale_sources_are_left_out(exclude: str, without: list[str], argument: str) -> None:
    assert make_commands(exclude=exclude).build(without=without) == ["build", *WRITTEN, argument]


def test_what_changes_the_parse_is_passed_on_to_every_command_that_parses() -> None:
    given = ("--empty", "--profile", "other", "--warn-error", "--warn-error-options={error: all}", "--store-failures")
    passed = ["--profile", "other", "--warn-error", "--warn-error-options={error: all}"]
    commands = make_commands(dbt_args=given)

    assert commands.deps() == ["deps", *PROJECT]
    assert commands.parse() == ["parse", *WRITTEN, *passed]
    assert commands.list_selected() == ["list", *WRITTEN, *passed, *LISTED]
    assert commands.source_freshness(["source.a.b.c"])[-6:] == [*passed, "--select", "source:a.b.c"][-6:]
    assert commands.docs(Path("/d"), compiled=True)[-4:] == passed
    assert commands.build() == ["build", *WRITTEN, *given]


def test_what_changes_the_selection_is_passed_on_to_list_alone() -> None:
    given = ("--resource-type=model", "--state", "/old state", "--defer", "--indirect-selection", "cautious")
    commands = make_commands(dbt_args=given)

    assert commands.list_selected() == ["list", *WRITTEN, *given, *LISTED]
    assert commands.parse() == ["parse", *WRITTEN]
    assert commands.build() == ["build", *WRITTEN, *given]


@pytest.mark.parametrize("flag", ["--resource-type", "--resource-types", "--exclude-resource-type"])
def test_a_flag_of_several_values_is_passed_on_with_all_of_them(flag: str) -> None:
    """`dbt build --resource-type model seed --empty` builds both: dbt takes values up to the next option."""
    commands = make_commands(dbt_args=(flag, "model", "seed", "--empty"))

    assert commands.list_selected() == ["list", *WRITTEN, flag, "model", "seed", *LISTED]


def test_a_flag_whose_value_is_missing_is_left_for_dbt_to_refuse() -> None:
    assert make_commands(dbt_args=("--profile",)).parse() == ["parse", *WRITTEN, "--profile"]


@pytest.mark.parametrize(
    ("argument", "instead"),
    [
        ("--target", "target"),
        ("--target=x", "target"),
        ("-t", "target"),
        ("-tx", "target"),
        ("-t=x", "target"),
        # click reads this as `-d -t x`.
        ("-dtx", "target"),
        ("-qx", "fail-fast"),
        ("--select=a", "select"),
        ("-s", "select"),
        ("-sa", "select"),
        ("-m", "select"),
        ("--models=a", "select"),
        ("--model", "select"),
        ("--exclude", "exclude"),
        ("--selector=x", "selector"),
        ("--vars={}", "vars"),
        ("--full-refresh", "full-refresh"),
        ("-f", "full-refresh"),
        ("--fail-fast", "fail-fast"),
        ("-x", "fail-fast"),
        ("--threads=4", "threads"),
        ("--project-dir", "project-dir"),
        ("--profiles-dir=x", "profiles-dir"),
    ],
)
def test_an_argument_that_has_an_input_is_refused_and_the_input_named(argument: str, instead: str) -> None:
    with pytest.raises(RequestError) as caught:
        check_dbt_args(["--empty", argument])

    assert str(caught.value) == (
        f"dbt-args: got {argument!r}; allowed: arguments of dbt build that have no input of their own. "
        f"Use the input `{instead}`."
    )


@pytest.mark.parametrize(
    "argument",
    [
        *("--target-path", "--target-path=x", "--log-path=x", "--log-format-file", "--log-level-file=info"),
        *("--log-file-max-bytes=1", "--no-write-json", "--help", "-h", "--version", "-v", "-vx"),
    ],
)
def test_an_argument_that_would_hide_what_happened_is_refused(argument: str) -> None:
    with pytest.raises(RequestError, match="arguments of dbt build that do not change where and what dbt writes"):
        check_dbt_args([argument])


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--empty"],
        ["--store-failures", "--no-partial-parse", "-d", "-q"],
        ["--resource-type", "model", "test"],
        ["--event-time-start", "2026-01-31", "--warn-error-options", "{error: all}"],
        ["--targets-are-fine", "--selection"],
        ["-", "--"],
    ],
)
def test_other_arguments_are_dbts_own_business(arguments: list[str]) -> None:
    check_dbt_args(arguments)


@pytest.mark.parametrize(
    ("unique_id", "built"),
    [
        ("model.shop.a", True),
        ("seed.shop.a", True),
        ("snapshot.shop.a", True),
        ("test.shop.a.0123", True),
        ("unit_test.shop.a.b", True),
        ("exposure.shop.a", True),
        ("source.shop.raw.a", False),
        ("metric.shop.a", False),
        ("semantic_model.shop.a", False),
        ("analysis.shop.a", False),
        ("models", False),
        ("", False),
    ],
)
def test_only_what_build_builds_counts_as_selected(unique_id: str, built: bool) -> None:
    assert is_built(unique_id) is built
