"""What of a Markdown text comes alive on GitHub, found with GitHub's own parser, cmark-gfm.

What GitHub makes after parsing (mentions, references, emoji, mathematics, alerts, diagrams) is found as GitHub does:
in the text of the HTML, never inside code or links. Where GitHub looks up whether a user, an issue or a commit
exists, this takes it that it does: what could come alive is alive.
"""

import re
from collections import Counter
from dataclasses import dataclass
from html.parser import HTMLParser

from cmarkgfm.cmark import Options, markdown_to_html_with_extensions  # type: ignore[import-untyped]

_EXTENSIONS = ("table", "autolink", "strikethrough", "tasklist")
_OPTIONS = Options.CMARK_OPT_GITHUB_PRE_LANG | Options.CMARK_OPT_FOOTNOTES
# What cmark writes instead of raw HTML where that is not allowed.
_OMITTED = "<!-- raw HTML omitted -->"

_MENTION = re.compile(r"(?<!\w)@[a-z0-9][\w-]*(?:/[\w.-]+)?", re.IGNORECASE)
_REFERENCE = re.compile(
    r"""(?<!\w)(?:
        (?:[\w.-]+(?:/[\w.-]+)?)?\#[0-9]+
      | GH-[0-9]+
      | GHSA(?:-[a-z0-9]{4}){3}
      | (?:[\w.-]+(?:/[\w.-]+)?@)?[0-9a-f]{7,40}
    )(?!\w)""",
    re.IGNORECASE | re.VERBOSE,
)
_MATHS = re.compile(r"\$\$[^$]+\$\$|(?<![\w$])\$[^\s$](?:[^$\n]*[^\s$])?\$(?![\w$])")
_EMOJI = re.compile(r":(?:[0-9]*[a-z_+-][a-z0-9_+-]*|100|1234):", re.IGNORECASE)
_ALERT = re.compile(r"\s*\[!(?:note|tip|important|warning|caution)\]", re.IGNORECASE)
_DRAWN = ("math", "geojson", "topojson", "stl")


@dataclass(frozen=True)
class Living:
    """What a Markdown text amounts to on GitHub.

    ``html`` are raw tags, without the hidden ``comments``; ``boxes`` counts those that can be ticked; ``text`` is what
    is visible outside of code, a line each; ``code`` are the spans and blocks as they are shown.
    """

    mentions: tuple[str, ...]
    references: tuple[str, ...]
    links: tuple[str, ...]
    images: tuple[str, ...]
    html: tuple[str, ...]
    comments: tuple[str, ...]
    mermaid: tuple[str, ...]
    headings: tuple[str, ...]
    boxes: int
    other: tuple[str, ...]
    text: str
    code: tuple[str, ...]


def living_things(markdown: str) -> Living:
    """Parse as GitHub does, and collect what is alive."""
    safe = _html(markdown, _OPTIONS)
    page = _walk(_html(markdown, _OPTIONS | Options.CMARK_OPT_UNSAFE))
    # A tag that is only there when raw HTML is allowed is raw. One that swallows the rest may show no tag at all.
    raw = tuple((Counter(page.tags) - Counter(_walk(safe).tags)).elements())
    if _OMITTED in safe and not raw and not page.comments:
        raw = ("raw HTML",)
    return Living(
        mentions=tuple(page.mentions),
        references=tuple(page.references),
        links=tuple(page.links),
        images=tuple(page.images),
        html=raw,
        comments=tuple(page.comments),
        mermaid=tuple(page.mermaid),
        headings=tuple(page.headings),
        boxes=page.boxes,
        other=tuple(page.other),
        text="\n".join(" ".join(line.split()) for line in "".join(page.text).split("\n") if line.strip()),
        code=tuple(page.code),
    )


def _html(markdown: str, options: int) -> str:
    return str(markdown_to_html_with_extensions(markdown, options=options, extensions=_EXTENSIONS))


def _walk(html: str) -> "_Page":
    page = _Page()
    page.feed(html)
    page.close()
    page.end_of_text()
    return page


class _Page(HTMLParser):
    """A walk through HTML, as GitHub's filters take it: text by text, and never inside code or a link."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.mentions: list[str] = []
        self.references: list[str] = []
        self.links: list[str] = []
        self.images: list[str] = []
        self.comments: list[str] = []
        self.mermaid: list[str] = []
        self.headings: list[str] = []
        self.boxes = 0
        self.other: list[str] = []
        self.text: list[str] = []
        self.code: list[str] = []
        self._open = Counter[str]()
        self._data = ""
        self._language = ""
        self._may_be_alert = False
        self._may_be_maths = False

    def set_cdata_mode(self, elem: str, **_: bool) -> None:
        """What stands in a script is text here, so that nothing after an unclosed one is overlooked."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.end_of_text()
        self.tags.append(self.get_starttag_text() or tag)
        given = {name: value or "" for name, value in attrs}
        match tag:
            case "a":
                self.links.append(given.get("href", ""))
            case "img":
                self.images.append(given.get("src", ""))
            case "input":
                self.boxes += 1
            case "blockquote":
                self._may_be_alert = True
            case "pre":
                self._language = given.get("lang", "").lower()
            case "code":
                self._may_be_maths = bool(self.text) and self.text[-1].endswith("$")
            case "h1" | "h2" | "h3" | "h4" | "h5" | "h6":
                self.headings.append("")
            case "sup" if given.get("class") == "footnote-ref":
                self.other.append("footnote")
        if tag not in ("img", "input", "br", "hr"):
            self._open[tag] += 1

    def handle_endtag(self, tag: str) -> None:
        self.end_of_text()
        self.tags.append(f"</{tag}>")
        self._open[tag] = max(0, self._open[tag] - 1)
        if tag == "pre":
            self._language = ""

    def handle_data(self, data: str) -> None:
        self._data += data

    def handle_comment(self, data: str) -> None:
        self.end_of_text()
        self.comments.append(data)

    def handle_decl(self, decl: str) -> None:
        self.tags.append(f"<!{decl}>")

    def handle_pi(self, data: str) -> None:
        self.tags.append(f"<?{data}>")

    def unknown_decl(self, data: str) -> None:
        self.tags.append(f"<![{data}]>")

    def end_of_text(self) -> None:
        """Take up what is one text in the page: GitHub looks at each by itself."""
        data, self._data = self._data, ""
        if not data:
            return
        if self.headings and any(self._open[f"h{level}"] for level in range(1, 7)):
            self.headings[-1] += data
        if self._open["code"] or self._open["pre"]:
            self._take_code(data)
            return
        self.text.append(data)
        if data.startswith("$") and self._may_be_maths:
            self.other.append(f"$`{self.code[-1]}`$")
        self._may_be_maths = False
        if data.strip():
            if self._may_be_alert and (alert := _ALERT.match(data)):
                self.other.append(alert[0].strip())
            self._may_be_alert = False
        if not self._open["a"]:
            self.mentions += _MENTION.findall(data)
            self.references += _REFERENCE.findall(data)
            self.other += [*_MATHS.findall(data), *_EMOJI.findall(data)]

    def _take_code(self, data: str) -> None:
        if self._language == "mermaid":
            self.mermaid.append(data)
            return
        if self._language in _DRAWN:
            self.other.append(f"```{self._language}")
        self.code.append(data)
