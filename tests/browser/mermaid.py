"""The real Mermaid in a page of its own, as strict as GitHub has it, and what is alive in what it draws."""

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

from playwright.sync_api import Error, Page

SCRIPT = Path(__file__).parents[1] / "node_modules/mermaid/dist/mermaid.min.js"
_SETTINGS = "mermaid.initialize({startOnLoad: false, securityLevel: 'strict', suppressErrorRendering: true})"
_DRAW = """async text => {
  await mermaid.parse(text);
  const {svg} = await mermaid.render('drawn', text);
  return svg;
}"""
_FORBIDDEN = {"script", "a", "iframe", "object", "embed", "img", "image", "link", "form", "input", "animate", "set"}
_LINKS = {"href", "xlink:href", "src", "action", "formaction", "srcdoc", "data"}


def diagrams(markdown: str) -> list[str]:
    """The Mermaid blocks of a Markdown text."""
    return re.findall(r"^```mermaid\n(.*?)\n```$", markdown, re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Mermaid:
    """Draws diagrams."""

    page: Page

    @classmethod
    def on(cls, page: Page) -> "Mermaid":
        """Load Mermaid into a blank page."""
        page.add_script_tag(path=SCRIPT)
        page.evaluate(_SETTINGS)
        return cls(page)

    def draw(self, diagram: str) -> "Drawing":
        """Parse and render a diagram; one that Mermaid does not take fails the test."""
        try:
            return Drawing(self.page.evaluate(_DRAW, diagram))
        except Error as error:
            raise AssertionError(f"Mermaid does not take this:\n{diagram}\n\n{error}") from None


class Drawing(HTMLParser):
    """A drawn SVG: its words, and what in it is alive: scripts, links, event attributes, anything from outside."""

    def __init__(self, svg: str) -> None:
        super().__init__()
        self.svg = svg
        self.text = ""
        self.alive: list[str] = []
        self._in_style = False
        self.feed(svg)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_style = tag == "style"
        if tag in _FORBIDDEN:
            self.alive.append(f"<{tag}>")
        for name, value in attrs:
            foreign_link = name in _LINKS and not (value or "").startswith("#")
            if name.startswith("on") or foreign_link or _from_outside(value or ""):
                self.alive.append(f"<{tag} {name}={value!r}>")

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False

    def handle_data(self, data: str) -> None:
        if not self._in_style:
            self.text += data
        elif _from_outside(data) or "@import" in data:
            self.alive.append(data)


def _from_outside(css: str) -> bool:
    return re.search(r"url\(\s*['\"]?(?!#)", css) is not None or "javascript:" in css.lower()
