"""The machine's Chromium, driven by Playwright, and pages in it that are watched."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

# By these names, in this order; `make browser` looks for the same.
NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium, with a profile of its own."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    assert found, f"There is none of {', '.join(NAMES)}: `make browser` installs one."
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, headless=True, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Watch:
    """What a page did that a report must not do: errors, warnings, violations of its policy, requests.

    The only request that a page may make is for the file that was opened. Chromium says on the console what a
    policy (CSP) has stopped.
    """

    opened: set[str] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)

    def over(self, page: Page) -> None:
        """Watch a page from now on."""
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("request", self._on_request)
        page.on("popup", lambda popup: self.complaints.append(f"popup: {popup.url}"))

    def open(self, page: Page, file: Path, fragment: str = "") -> Page:
        """Open a file in it, at a fragment (``#…``) where one is given."""
        self.opened.add(file.as_uri())
        page.goto(file.as_uri() + fragment)
        return page

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"console: {message.text}")

    def _on_request(self, request: Request) -> None:
        if request.url.partition("#")[0] not in self.opened:
            self.complaints.append(f"request: {request.url}")
