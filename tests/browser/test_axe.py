"""axe finds what it should find, also in a page whose policy allows no script."""

from collections.abc import Callable

from playwright.sync_api import Page

from tests.browser.axe import serious_violations

PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>x</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>p { background: #fff; color: %s; }</style></head>
<body><main><h1>x</h1><p>words</p>%s</main></body>
</html>"""


def test_a_page_in_order_has_none(render_to_file: Callable[..., Page]) -> None:
    assert serious_violations(render_to_file(PAGE % ("#000", ""))) == []


def test_what_stands_in_the_way_is_found(render_to_file: Callable[..., Page]) -> None:
    found = serious_violations(render_to_file(PAGE % ("#ccc", "<button></button>")))
    assert [violation.partition(" (")[0] for violation in found] == ["button-name", "color-contrast"]
    assert '["button"]: <button></button>' in found[0]
