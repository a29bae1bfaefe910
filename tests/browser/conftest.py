"""A browser for each worker, a watched page for each test."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.chromium import Watch, chromium
from tests.browser.mermaid import Mermaid


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


@pytest.fixture
def watch() -> Watch:
    """What the page of this test has done; a test that wants to see complaints takes them out of it."""
    return Watch()


@pytest.fixture
def page(browser: Browser, watch: Watch) -> Iterator[Page]:
    """An empty page. At the end it fails the test that used it where it did what a report must not do."""
    with browser.new_context() as context:
        page = context.new_page()
        watch.over(page)
        yield page
    assert watch.complaints == []


@pytest.fixture
def render_to_file(page: Page, watch: Watch, tmp_path: Path) -> Callable[..., Page]:
    """A function that writes a page to a file, and opens it as a reader does: ``render_to_file(html, "#fragment")``."""

    def opened(html: str, fragment: str = "") -> Page:
        file = tmp_path / "report.html"
        file.write_text(html, "utf-8")
        return watch.open(page, file, fragment)

    return opened


@pytest.fixture(scope="module")
def mermaid(browser: Browser) -> Iterator[Mermaid]:
    """The real Mermaid, which fails the tests that used it where something in it asked the network."""
    watch = Watch()
    with browser.new_context() as context:
        page = context.new_page()
        watch.over(page)
        yield Mermaid.on(page)
    assert watch.complaints == []
