"""The watch sees what a page must not do; else the tests that rely on it would prove nothing."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser.chromium import Watch

HEAD = "<!doctype html><html lang=en><meta charset=utf-8><title>x</title>"
POLICY = "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'\">"


def test_a_page_that_does_nothing_is_left_in_peace(render_to_file: Callable[..., Page], watch: Watch) -> None:
    page = render_to_file(f"{HEAD}{POLICY}<h1 id=top>x</h1>", "#top")
    page.reload()
    page.evaluate("location.hash = 'elsewhere'")
    page.screenshot()
    assert page.title() == "x"
    assert watch.complaints == []


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("<script>console.error('oh')</script>", "console: oh"),
        ("<script>console.warn('oh')</script>", "console: oh"),
        ("<script>throw new Error('oh')</script>", "error: oh"),
        ("<script>Promise.reject(new Error('oh'))</script>", "error: oh"),
        ("<script>fetch('http://127.0.0.1:9/x').catch(() => 0)</script>", "request: http://127.0.0.1:9/x"),
        ("<script src=other.js></script>", "other.js"),
        ("<img alt=x src=http://127.0.0.1:9/x.png>", "request: http://127.0.0.1:9/x.png"),
        ("<iframe title=x src=other.html></iframe>", "other.html"),
        ("<script>window.open('about:blank')</script>", "popup: about:blank"),
        (f"{POLICY}<script>1</script>", "Content Security Policy"),
        (f"{POLICY}<style>h1 {{ color: red }}</style>", "Content Security Policy"),
        (f"{POLICY}<h1 style='color: red'>x</h1>", "Content Security Policy"),
        (f"{POLICY}<h1 onclick='x()'>x</h1><img alt=x src=data:image/png,>", "Content Security Policy"),
    ],
)
def test_a_page_that_misbehaves_is_told(
    render_to_file: Callable[..., Page], watch: Watch, body: str, complaint: str
) -> None:
    render_to_file(HEAD + body).wait_for_timeout(100)
    assert any(complaint in told for told in watch.complaints), watch.complaints
    watch.complaints.clear()
