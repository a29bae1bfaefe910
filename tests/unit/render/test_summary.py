"""The summary: the verdict first, then causes, then what took long."""

import re

import pytest
from headless_dbt.model import Installation
from headless_dbt.render import summary
from headless_dbt.render.summary import render_summary
from markdown_it import MarkdownIt

from tests.unit.builders import make_node, make_problem, make_run
from tests.unit.render import golden
from tests.unit.render.samples import HOSTILE_TEXTS, RUNS, hostile_run


@pytest.mark.parametrize("name", RUNS)
def test_golden(name: str) -> None:
    golden.check(f"summary-{name}.md", render_summary(RUNS[name]))


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_nothing_of_the_project_comes_alive(text: str) -> None:
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(render_summary(hostile_run(text)))
    every = [token for outer in tokens for token in (outer, *(outer.children or ()))]

    assert not [token for token in every if token.type in ("link_open", "image")]
    html = [token.content for token in every if token.type in ("html_block", "html_inline")]
    assert all(re.fullmatch(r"(<details><summary>[\w :,.]*</summary>|</details>)\n?", tag) for tag in html), html
    headings = [tokens[at + 1].content for at, token in enumerate(tokens) if token.type == "heading_open"]
    assert len([heading for heading in headings if "heading" in heading and "`" not in heading]) == 0
    tables = [token for token in tokens if token.type == "tr_open"]
    cells = [token for token in tokens if token.type in ("td_open", "th_open")]
    assert len(cells) == 4 * len(tables)


def test_a_run_of_very_many_failures_and_warnings_stays_far_below_what_github_takes() -> None:
    long = {"message": "x" * 100_000, "file": "y" * 1000}
    nodes = [make_node(f"test.shop.{'z' * 300}{number}", "fail", **long) for number in range(3000)]
    nodes += [make_node(f"test.warn.{'z' * 300}{number}", "warn", **long) for number in range(3000)]

    rendered = render_summary(make_run(nodes))

    assert len(rendered.encode()) < 1024 * 1024 / 4
    assert f"And {3000 - summary.MOST_FAILURES} more causes: see report.html in the artifact." in rendered
    assert f"And {3000 - summary.MOST_WARNINGS} more warnings: see report.html in the artifact." in rendered


def test_one_more_is_said_in_the_singular() -> None:
    nodes = [make_node(f"model.shop.a{number}", "error") for number in range(summary.MOST_FAILURES + 1)]

    assert "And 1 more cause: see report.html" in render_summary(make_run(nodes))


def test_the_slowest_come_first_and_what_took_no_time_is_left_out() -> None:
    nodes = [make_node(f"model.shop.a{number}", execution_time=float(number)) for number in range(9)]

    table = render_summary(make_run(nodes)).partition("### Slowest nodes")[2]

    assert [line.split("`")[1] for line in table.splitlines() if "`model" in line] == [
        f"model.shop.a{number}" for number in (8, 7, 6, 5, 4)
    ]


def test_where_no_dbt_was_found_the_footer_is_still_a_sentence() -> None:
    installation = Installation(requested=("the environment of python3",), installed={}, python="3.12.1")

    footer = render_summary(make_run(installation=installation)).splitlines()[-1]

    assert "Installed: ," not in footer
    assert "no dbt" in footer


def test_a_failure_without_a_message_shows_no_empty_block() -> None:
    rendered = render_summary(make_run([make_node("model.shop.a", "error", message="")]))

    assert "```text\n\n```" not in rendered


def test_a_pipe_in_a_message_is_shown_as_it_is() -> None:
    """Outside of a table a backslash before a pipe would be shown."""
    rendered = render_summary(make_run([make_node("test.shop.a", "warn", message="a || b")]))

    assert "`a || b`" in rendered


def test_a_problem_is_headed_by_its_place() -> None:
    summary = render_summary(make_run(problem=make_problem(file="dbt/models/a|b.yml", line=3)))

    assert "### dbt could not work in `dbt/models/a|b.yml:3`\n\n```text\nNo connection." in summary
