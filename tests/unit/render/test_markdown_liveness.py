"""Whatever the text is: in code, wherever the renderings use code, nothing of it comes alive on GitHub.

``test_markdown.py`` looks at the tokens of another parser; this asks GitHub's own, in each surrounding that there is.
"""

from dataclasses import replace

import pytest
from headless_dbt.render.markdown import cell, code, fenced, plain, prose, shorten
from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.render.liveness import living_things

# fmt: off
PIECES = [
    "`", "``", "```", "~~~", "|", "\\", "\\|", "\n", "\n\n", "\r", "\r\n", " ", "    ", "\t", "\n- ", "\n> ", "\n---\n",
    "<!--", "-->", "<!-- x -->", "<b>", "</b>", "</code>", "</pre>", "</summary>", "</details>", "<script>",
    "<img src=x>", "@acme", "@acme/team", "#12", "GH-12", "acme/shop#12", "0123456789abcdef", "![", "](", "](x)", "[x",
    "[^1]: ", "# ", "http://evil.example", "www.evil.example", "&lt;", "&#64;", "**", "_", "~~", "$", "$$", ":tada:",
    "::", "::error::", "```mermaid\n", "\n```\n", "\n~~~\n", "> [!NOTE]\n", "- [ ] ",
    "\x00", "\x1b[31m", "\x1b", "\u202e", "\u200f", "\u2028", "\ufeff", "\u200b", "\u00a0", "a", "b", "é", "…", "🦆",
]
# fmt: on
TEXT = st.lists(st.sampled_from(PIECES), max_size=20).map("".join) | st.text(max_size=60)

COMMENT = "<!-- headless-dbt:v1:0123456789abcdef:abc= -->"
# Where the renderings put a code span. What is around it is alive or not by itself; the text adds nothing to it.
SPANS = {
    "alone": "{}",
    "paragraph": "before {} after",
    "next to others": "**dbt on {}** of {}: {}, {}",
    "list item": "- {}\n- {}: after",
    "nested list item": "- before\n  - {} after\n    1. {}",
    "heading": "### {}\n\nafter",
    "bold": "**{}** in {}: after",
    "link": "[{}](https://github.com/acme/shop), after",
    "below a hidden comment": COMMENT + "\n{} after\n" + COMMENT,
    "before a hidden comment": "{} after " + COMMENT,
    "folded": "<details><summary>before</summary>\n\n{} after\n\n- {}\n\n</details>\n\nbelow",
    "below the summary": "<details>\n<summary>before</summary>\n\n### {}\n\n</details>",
}
ROW = "| a | b |\n| --- | ---: |\n| {} | after |\n| before | {} |\n\nbelow"
BLOCKS = {
    "alone": "{}",
    "below a paragraph": "before\n\n{}\n\nafter",
    "without an empty line": "before\n{}\nafter",
    "below a heading": "### before\n\n{}\n\n### after",
    "below a hidden comment": COMMENT + "\n{}\n" + COMMENT,
    "folded": "<details><summary>before</summary>\n\n{}\n\n</details>\n\nbelow",
    "several": "{}\n\n{}\n\nafter",
}
LISTED = {
    "list item": ("- before\n\n{}\n\n- after", "  "),
    "nested list item": ("- before\n  - before\n\n{}\n\n- after", "    "),
    "numbered": ("1. before\n{}\n2. after", "   "),
}


def same_but_for_the_code(rendered: str, harmless: str, shown: str) -> None:
    """All that is alive and all that is visible is as with a harmless text; only the code is another."""
    wanted = living_things(harmless)
    headings = tuple(heading.replace("x", shown) for heading in wanted.headings)
    assert living_things(rendered) == replace(wanted, code=(shown,) * len(wanted.code), headings=headings)


@pytest.mark.parametrize("around", SPANS.values(), ids=SPANS)
@given(text=TEXT)
@example(text="`")
@example(text="\\")
@example(text="`` ` ```")
@example(text="``` @acme\n# <b>")
@example(text="x" * 250 + "`@acme")
def test_nothing_in_a_code_span_comes_alive(around: str, text: str) -> None:
    shown = shorten(" ".join(plain(text).split()), 200)
    if not shown:
        assert code(text) == ""
        return

    same_but_for_the_code(around.replace("{}", code(text)), around.replace("{}", "`x`"), shown)


@given(st.lists(st.sampled_from([*PIECES, "Give it `a b`. ", "word ", ": ", "deadbeef1"])).map("".join) | TEXT)
@example("$x``y")
@example("`a`$x`b`@acme")
def test_nothing_in_prose_comes_alive(text: str) -> None:
    living = living_things(f"before\n\n**Advice** {prose(text)}\n\nafter")
    assert living == replace(living_things("before\n\n**Advice** x\n\nafter"), text=living.text, code=living.code)
    assert living.text.startswith("before\nAdvice")
    assert living.text.endswith("after")


@given(text=TEXT)
@example(text="a|b")
@example(text="\\|")
@example(text="\\\\|")
@example(text="`|`|")
def test_nothing_in_a_table_cell_comes_alive(text: str) -> None:
    shown = shorten(" ".join(plain(text).split()), 200)
    if not shown:
        assert cell(text) == ""
        return

    same_but_for_the_code(ROW.replace("{}", cell(text)), ROW.replace("{}", "`x`"), shown)


@pytest.mark.parametrize("around", BLOCKS.values(), ids=BLOCKS)
@given(text=TEXT)
@example(text="")
@example(text="```\n@acme")
@example(text="    ```\n\t@acme\n ~~~\n")
def test_nothing_in_a_fence_comes_alive(around: str, text: str) -> None:
    shown = plain(text).strip("\n") + "\n"

    same_but_for_the_code(around.replace("{}", fenced(text)), around.replace("{}", "```text\nx\n```"), shown)


@pytest.mark.parametrize(("around", "indent"), LISTED.values(), ids=LISTED)
@given(text=TEXT)
def test_nothing_in_an_indented_fence_comes_alive(around: str, indent: str, text: str) -> None:
    """In a list item every line of a fence is indented, or the item ends and the fence with it."""
    shown = plain(text).strip("\n") + "\n"

    def indented(block: str) -> str:
        return "\n".join(indent + line for line in block.split("\n"))

    same_but_for_the_code(
        around.replace("{}", indented(fenced(text))), around.replace("{}", indented("```text\nx\n```")), shown
    )


# cmark-gfm knows no code span whose fence is longer than 80 backticks, and takes a longer code fence for one of 255.
@pytest.mark.parametrize("run", [80, 81, 150])
def test_a_run_of_very_many_backticks_keeps_a_code_span_whole(run: int) -> None:
    text = "`" * run + " @acme <b>"

    assert living_things(f"before {code(text)} after").text == "before after"
    assert living_things(f"| a |\n| --- |\n| {cell(text)} |").text == "a"


@pytest.mark.parametrize("run", [255, 256, 1000])
def test_a_run_of_very_many_backticks_keeps_a_fence_whole(run: int) -> None:
    assert living_things(f"before\n\n{fenced('`' * run + chr(10) + '@acme <b>')}\n\nafter").text == "before\nafter"
