"""Hostile text in GitHub-flavoured Markdown: always inside code, where nothing of it can come alive.

Inside a code span or a fence GitHub makes no mention, reference, link, image or HTML; what has to be kept out
is only what ends the code.
"""

import re

# ANSI escape sequences, and control characters other than the line break and the tab.
_CONTROL = re.compile(
    r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[@-_]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)


_ASCII_CONTROL = bytes(code for code in (*range(32), 127) if chr(code) not in "\t\n")

# By its hidden comments the failure issue finds its own parts again; a text that holds one is not to be taken for it.
_OUR_COMMENT = re.compile(r"<!--(\s*headless-dbt:)")
# GitHub's parser knows no code span whose fence is longer than 80 backticks, and counts those of a block up to 255.
_MANY_TICKS = re.compile("(`{40})`+")
# Signs and words that GitHub's Markdown, or what comes after it, makes more of than text.
_LIVELY = re.compile(r"[^A-Za-z0-9 ,.;:()'/…-]|:(?! |$)|www\.|\bGH(?:SA)?-|[0-9a-f]{7}", re.IGNORECASE)


def plain(text: str) -> str:
    """``text`` without colours, control characters and what turns the direction of writing round."""
    # Most texts are in order, and a page has tens of millions of characters.
    if text.isascii() and "<!--" not in text and len(text.encode().translate(None, _ASCII_CONTROL)) == len(text):
        return text
    return _OUR_COMMENT.sub("<!\u2011\u2011\\1", _CONTROL.sub("", text.replace("\r\n", "\n")))


def code(text: str, limit: int = 200) -> str:
    """``text`` as a code span on one line; cut at ``limit`` characters."""
    line = shorten(_few_ticks(" ".join(plain(text).split())), limit)
    if not line:
        return ""
    fence = "`" * (_longest_run(line) + 1)
    padding = " " if line.startswith("`") or line.endswith("`") else ""
    return fence + padding + line + padding + fence


def prose(text: str, limit: int = 1000) -> str:
    """A sentence of ours in the midst of a line, in which backticks enclose code; what is no plain word is code too."""
    pieces = shorten(" ".join(plain(text).split()), limit).split("`")
    return "".join(
        piece if place % 2 == 0 and not _LIVELY.search(piece) else code(piece, limit)
        for place, piece in enumerate(pieces)
    )


def cell(text: str, limit: int = 200) -> str:
    """``text`` as a code span inside a table cell, which a pipe would end even there, unless it is escaped."""
    return code(text, limit).replace("|", "\\|")


def fenced(text: str, language: str = "text", limit: int = 4000) -> str:
    """``text`` as a fenced block whose fence no line of it can close; cut at ``limit`` characters."""
    body = shorten(_few_ticks(plain(text).strip("\n")), limit)
    fence = "`" * max(3, _longest_run(body) + 1)
    return f"{fence}{language}\n{body}\n{fence}"


def shorten(text: str, limit: int) -> str:
    """``text``, cut to ``limit`` characters with an ellipsis where it is longer."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _few_ticks(text: str) -> str:
    return _MANY_TICKS.sub(r"\1…", text)


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
