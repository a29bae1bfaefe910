"""The oracle can fail: it sees each thing that comes alive, and sees none of them inside code."""

from dataclasses import asdict

import pytest

from tests.unit.render.liveness import Living, living_things

SHA = "0123456789abcdef0123456789abcdef01234567"
URL = "https://example.com/x"

# A Markdown text, the field of Living it shows up in, and what is found there.
ALIVE = [
    ("to @acme.", "mentions", ("@acme",)),
    ("to @acme/data-team, and (@bob)", "mentions", ("@acme/data-team", "@bob")),
    ("**@acme** /@x", "mentions", ("@acme", "@x")),
    ("| a |\n| --- |\n| @acme |", "mentions", ("@acme",)),
    ("<details><summary>`@acme`</summary></details>", "mentions", ("@acme",)),
    ("<!-- hidden --> `@acme`", "mentions", ("@acme",)),
    ("fixes #12", "references", ("#12",)),
    ("GH-12, acme/shop#12, acme#12", "references", ("GH-12", "acme/shop#12", "acme#12")),
    (f"{SHA} {SHA[:7]}", "references", (SHA, SHA[:7])),
    (f"acme/shop@{SHA[:7]} acme@{SHA}", "references", (f"acme/shop@{SHA[:7]}", f"acme@{SHA}")),
    ("GHSA-abcd-1234-efgh", "references", ("GHSA-abcd-1234-efgh",)),
    (f"[a]({URL}) <{URL}>", "links", (URL, URL)),
    (f"[a][b]\n\n[b]: {URL}", "links", (URL,)),
    (f"{URL} www.example.com bob@example.com", "links", (URL, "http://www.example.com", "mailto:bob@example.com")),
    (f'<a href="{URL}">x</a>', "links", (URL,)),
    ("[a](javascript:alert(1))", "links", ("javascript:alert(1)",)),
    (f"![a]({URL})", "images", (URL,)),
    (f"<img src='{URL}' onerror=x>", "images", (URL,)),
    ("a <b>b</b>", "html", ("<b>", "</b>")),
    ("*a* <em>b</em>", "html", ("<em>", "</em>")),
    ("<details>\n\na\n\n</details>", "html", ("<details>", "</details>")),
    ("a\n<script>alert(1)</script>", "html", ("<script>", "</script>")),
    ("<!DOCTYPE html>", "html", ("<!DOCTYPE html>",)),
    ("a <?php x ?>", "html", ("<?php x ?>",)),
    ("a <!-- b -->", "comments", (" b ",)),
    ("<!-- a\n\n@b #1 -->\nc", "comments", (" a\n\n@b #1 ",)),
    ("```mermaid\na --> b\n```", "mermaid", ("a --> b\n",)),
    ("# a `b`\n\nc\n===", "headings", ("a b", "c")),
    ("<h2>a</h2>", "headings", ("a",)),
    ("- [ ] a\n- [x] b", "boxes", 2),
    ("a[^1]\n\n[^1]: b", "other", ("footnote",)),
    ("a $x^2$ b, $$y$$", "other", ("$x^2$", "$$y$$")),
    ("a $`x^2`$ b", "other", ("$`x^2`$",)),
    ("```math\nx\n```", "other", ("```math",)),
    ("```geojson\n{}\n```", "other", ("```geojson",)),
    (":tada: :+1: :100:", "other", (":tada:", ":+1:", ":100:")),
    ("> [!WARNING]\n> a", "other", ("[!WARNING]",)),
    ("a `b` **c**\n\nd", "text", "a c\nd"),
    ("a `b`\n\n```\nc\n```", "code", ("b", "c\n")),
]


@pytest.mark.parametrize(("markdown", "field", "found"), ALIVE)
def test_each_living_thing_is_seen(markdown: str, field: str, found: object) -> None:
    assert getattr(living_things(markdown), field) == found


def dead(living: Living) -> bool:
    return not any(value for field, value in asdict(living).items() if field not in ("text", "code"))


@pytest.mark.parametrize("markdown", [markdown for markdown, _, _ in ALIVE])
def test_inside_code_nothing_is_seen(markdown: str) -> None:
    block = living_things(f"before\n\n`````text\n{markdown}\n`````\n\nafter")
    span = living_things(f"before ```` {' '.join(markdown.split())} ```` after")

    assert (dead(block), block.text, block.code) == (True, "before\nafter", (f"{markdown}\n",))
    assert (dead(span), span.text, span.code) == (True, "before after", (" ".join(markdown.split()),))


@pytest.mark.parametrize(
    "markdown",
    [
        "dbt failed: 3 failures, 2 warnings and 12 passed, in 1 min 10 s, at 10:30:15.",
        "It cost $5 and then $6; 50% of it. See report.html in the artifact, and #anchor or a::b and 1:2.",
        "an e-mail@ address, a_b_c, 123456, a-b, [x], feedback, 1.11.2, models/staging/stg_orders.sql",
        "> quoted [!NOTE]\n\n| a | b |\n| --- | ---: |\n| c | d |\n\n1. one\n   - two",
        "~~gone~~ ***strong*** &lt;b&gt; 1 < 2 > 0",
    ],
)
def test_harmless_text_is_not_called_alive(markdown: str) -> None:
    assert dead(living_things(markdown))


@pytest.mark.parametrize("markdown", ["<div title='\n\n@acme", "a\n<!-- never closed\n\n@acme", "<a <b @acme>", "</b>"])
def test_broken_html_is_html_or_text_and_never_nothing(markdown: str) -> None:
    assert not dead(living_things(markdown))


def test_a_link_and_a_comment_make_no_mention() -> None:
    living = living_things("[@acme #1 :tada:](x) <!-- @bob #2 :tada: -->")

    assert (living.mentions, living.references, living.other) == ((), (), ())
    assert living.comments == (" @bob #2 :tada: ",)
