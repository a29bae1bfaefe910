"""The failure issue, as people read it in their mail."""

import pytest
from headless_dbt.model import Verdict
from headless_dbt.render.issue import MOST_OPEN, render_body, render_healed, render_title
from markdown_it import MarkdownIt

from tests.unit.builders import make_context, make_node, make_problem, make_request, make_run
from tests.unit.render import golden
from tests.unit.render.samples import (
    FAILURES,
    GREEN,
    HOSTILE_TEXTS,
    INSTALLATION_FAILED,
    PROBLEM,
    WARNINGS,
    hostile_run,
)

ARTIFACT = "https://github.com/acme/shop/actions/runs/42/artifacts/7"
OLDER = ("model.shop.dim_products", "test.shop.not_null_dim_products_product_id.0123456789")


@pytest.mark.parametrize(
    ("name", "rendered"),
    [
        ("failures", f"{render_title(FAILURES)}\n\n{render_body(FAILURES, (), ARTIFACT)}\n"),
        ("failures-and-older-ones", f"{render_title(FAILURES)}\n\n{render_body(FAILURES, OLDER, ARTIFACT)}\n"),
        ("problem", f"{render_title(PROBLEM)}\n\n{render_body(PROBLEM, (), '')}\n"),
        (
            "installation-failed",
            f"{render_title(INSTALLATION_FAILED)}\n\n{render_body(INSTALLATION_FAILED, (), '')}\n",
        ),
        ("closed-green", f"{render_healed(GREEN)}\n"),
    ],
)
def test_golden(name: str, rendered: str) -> None:
    golden.check(f"issue-{name}.md", rendered)


@pytest.mark.parametrize(
    ("nodes", "title"),
    [
        ([make_node("model.shop.a", "error")], "dbt failed on prod: a"),
        (
            [make_node("model.shop.a", "error"), make_node("b", "fail", name="b", blocks=3)],
            "dbt failed on prod: b and 1 more",
        ),
        ([make_node("x", "fail", name="line\nbreak \u202e\x1b[31m")], "dbt failed on prod: line break"),
    ],
)
def test_the_title_names_what_blocks_most(nodes: list[object], title: str) -> None:
    assert render_title(make_run(nodes)) == title  # type: ignore[arg-type]


def test_the_title_of_a_run_that_is_broken_as_a_whole_names_the_problem() -> None:
    assert render_title(PROBLEM) == "dbt failed on prod: dbt could not work"


def test_the_title_of_a_run_that_only_skipped_does_not_speak_of_no_failures() -> None:
    run = make_run([make_node("model.shop.a", "skipped")], status=Verdict.FAILURE)

    assert "0 failures" not in render_title(run)


def test_a_title_is_one_line_and_short_enough_for_github() -> None:
    run = make_run(
        [make_node("x", "error", name="n" * 400)], request=make_request(make_context(), target="a\u2028b" * 90)
    )

    assert len(render_title(run)) <= 256
    assert len(render_title(run).splitlines()) == 1


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_nothing_of_the_project_comes_alive(text: str) -> None:
    body = render_body(hostile_run(text), (text, "model.shop.b"), "")
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(body)
    every = [token for outer in tokens for token in (outer, *(outer.children or ()))]

    assert not [token for token in every if token.type in ("html_block", "html_inline", "image")]
    assert [token.attrs["href"] for token in every if token.type == "link_open"] == [
        "https://github.com/acme/shop/actions/runs/42"
    ]


def test_outside_of_text_and_code_a_body_mentions_nobody() -> None:
    body = render_body(hostile_run("@acme/team #1"), ("@acme/team #1",), "")

    for token in MarkdownIt("commonmark").parse(body):
        for child in token.children or ():
            assert child.type == "code_inline" or "@acme" not in child.content


def test_the_list_of_older_failures_is_cut() -> None:
    body = render_body(FAILURES, tuple(f"model.shop.a{number}" for number in range(MOST_OPEN + 7)), "")

    assert body.count("\n- `model.shop.a") == MOST_OPEN
    assert "\n- and 7 more\n" in body


def test_a_body_of_the_longest_texts_leaves_room_for_the_marker() -> None:
    long = {"message": "x" * 100_000, "file": "f" * 1000, "blocks": 3}
    run = make_run(
        [make_node(f"model.{'z' * 1000}{number}", "error", **long) for number in range(100)],
        problem=make_problem(message="y" * 100_000),
    )

    assert len(render_body(run, tuple("o" * 1000 for _ in range(1000)), "https://artifact")) < 60_000


def test_the_closing_comment_of_a_warned_run_is_a_sentence() -> None:
    assert "the run is with warnings" not in render_healed(WARNINGS)


def test_outside_of_github_there_are_no_links() -> None:
    assert "](" not in render_body(make_run([make_node("a", "error")], request=make_request()), (), "")
