"""Hostile text in Markdown: whatever it is, it is one piece of code and nothing else."""

import re

import pytest
from headless_dbt.bigquery_advice import RULES
from headless_dbt.render.markdown import cell, code, fenced, plain, prose, shorten
from headless_dbt.sign_in_advice import SIGN_IN, Rule
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable("table")
TEXT = st.text(max_size=120) | st.lists(
    st.sampled_from(["`", "``", "```", "~~~", "|", "\\", "\\|", "\n", " ", "\t", "<b>", "-->", "](x)", "#", "a", "*"]),
    max_size=30,
).map("".join)


@given(TEXT)
@example("`")
@example("``a`")
@example("\\")
@example("a\\|b")
def test_a_code_span_is_one_token_and_nothing_else(text: str) -> None:
    rendered = code(text)
    if not rendered:
        assert not "".join(plain(text).split())
        return

    tokens = MARKDOWN.parse(f"before {rendered} after")

    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    assert [(child.type, child.content) for child in tokens[1].children or () if child.type != "code_inline"] == [
        ("text", "before "),
        ("text", " after"),
    ]
    assert [child.type for child in tokens[1].children or ()] == ["text", "code_inline", "text"]


@given(TEXT)
def test_a_code_span_stays_in_its_cell(text: str) -> None:
    tokens = MARKDOWN.parse(f"| a | b |\n| --- | --- |\n| {cell(text) or 'x'} | after |\n\nbelow")

    cells = [tokens[at + 1] for at, token in enumerate(tokens) if token.type == "td_open"]
    assert len(cells) == 2
    assert cells[1].content == "after"
    assert len(cells[0].children or ()) == 1


@given(TEXT)
@example("a|b")
def test_a_code_span_shows_its_text(text: str) -> None:
    """On one line, outside of a table, and nothing added."""
    rendered, wanted = code(text, limit=1000), " ".join(plain(text).split())
    if rendered:
        [inner] = [child for child in MARKDOWN.parseInline(f"- {rendered}")[0].children or () if child.type != "text"]
        assert inner.content == wanted


@given(TEXT)
@example("```\n</pre>")
@example("    ```")
@example("~~~\n~~~")
def test_a_fence_is_one_block_and_shows_its_text(text: str) -> None:
    tokens = MARKDOWN.parse(f"before\n\n{fenced(text)}\n\nafter")

    assert [token.type for token in tokens] == [
        *("paragraph_open", "inline", "paragraph_close", "fence", "paragraph_open", "inline", "paragraph_close")
    ]
    assert tokens[3].info == "text"
    assert tokens[3].content == plain(text).strip("\n") + "\n" or not plain(text).strip("\n")


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("", ""),
        (" \n ", ""),
        ("a", "`a`"),
        (" a\n  b ", "`a b`"),
        ("a`b", "``a`b``"),
        ("`a", "`` `a ``"),
        ("`", "`` ` ``"),
        ("\x1b[31mred\x1b[0m", "`red`"),
    ],
)
def test_a_code_span(text: str, rendered: str) -> None:
    assert code(text) == rendered


@pytest.mark.parametrize(
    ("text", "limit", "rendered"),
    [
        ("Give it `roles/x` on `p:d`.", 1000, "Give it `roles/x` on `p:d`."),
        ("one\n\n  two", 1000, "one two"),
        ("Ask @acme. Do `this`, please", 1000, "`Ask @acme. Do``this`, please"),
        ("It is too `long for it", 18, "It is too `long f…`"),
        ("", 1000, ""),
    ],
)
def test_prose(text: str, limit: int, rendered: str) -> None:
    assert prose(text, limit) == rendered


@pytest.mark.parametrize("rule", [*RULES, *SIGN_IN], ids=lambda rule: rule.advice[:40])
def test_advice_is_prose_and_shown_as_it_is_written(rule: Rule) -> None:
    names = dict.fromkeys(re.findall("{(\\w+)}", rule.advice), "a-1")
    advice = rule.advice.format_map(names)
    assert prose(advice) == advice


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("a", "```text\na\n```"),
        ("\n\na\n\n", "```text\na\n```"),
        ("a\r\nb", "```text\na\nb\n```"),
        ("```", "````text\n```\n````"),
        ("  indented", "```text\n  indented\n```"),
    ],
)
def test_a_fence(text: str, rendered: str) -> None:
    assert fenced(text) == rendered


@given(st.text(max_size=300), st.integers(1, 50))
def test_nothing_gets_longer_than_its_limit(text: str, limit: int) -> None:
    assert len(shorten(text, limit)) <= limit
    assert shorten(text, limit) == text or shorten(text, limit).endswith("…")


@given(st.text())
def test_plain_text_has_no_control_characters_and_stays_plain(text: str) -> None:
    cleaned = plain(text)

    assert not [char for char in cleaned if ord(char) < 32 and char not in "\n\t"]
    assert not set(cleaned) & set("\x7f\x85\x9b\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    assert plain(cleaned) == cleaned


def test_plain_text_keeps_what_people_wrote() -> None:
    assert plain("schön 🦆\n\ta, b") == "schön 🦆\n\ta, b"
    assert plain("\x1b[1;31mError\x1b[0m \x1b[2K\x1b]") == "Error "
