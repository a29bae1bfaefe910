"""report.html: one page, in which nothing of the project comes alive."""

from html.parser import HTMLParser

import pytest
from headless_dbt.render.page import render_page

from tests.unit.builders import make_node, make_run
from tests.unit.render import golden
from tests.unit.render.samples import FAILURES, GREEN, HOSTILE_TEXTS, RUNS, hostile_run

VOID = {"meta"}
ATTRIBUTES = {"lang", "charset", "http-equiv", "content", "name", "class", "id"}


class _Page(HTMLParser):
    """Every element, its attributes, and all text; an element that is not closed is an error."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.comments: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


def test_golden() -> None:
    golden.check("page-failures.html", render_page(FAILURES) + "\n")


@pytest.mark.parametrize("name", RUNS)
def test_every_page_is_well_formed_and_forbids_scripts_and_the_network(name: str) -> None:
    page = _Page(render_page(RUNS[name]))

    policies = [
        attributes["content"]
        for tag, attributes in page.elements
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'"]
    assert not {tag for tag, _ in page.elements} & {"script", "link", "img", "iframe", "a", "form", "base", "object"}


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_no_element_and_no_attribute_comes_out_of_hostile_text(text: str) -> None:
    hostile, harmless = _Page(render_page(hostile_run(text))), _Page(render_page(hostile_run("x")))

    assert [(tag, set(attributes)) for tag, attributes in hostile.elements] == [
        (tag, set(attributes)) for tag, attributes in harmless.elements
    ]
    assert {name for _, attributes in hostile.elements for name in attributes} <= ATTRIBUTES
    assert hostile.comments == []


def test_a_template_in_a_name_is_not_run() -> None:
    assert "49" not in render_page(make_run([make_node("model.{{ 7 * 7 }}")], elapsed=1))


def test_every_node_has_an_anchor_and_the_failed_ones_come_first() -> None:
    rows = [attributes["id"] for tag, attributes in _Page(render_page(FAILURES)).elements if "id" in attributes and tag]

    assert len(rows) == len(FAILURES.nodes)
    assert rows[:2] == ["model.shop.fct_orders", "test.shop.unique_dim_customers_customer_id.5a5b6cd8f4"]
    assert rows[-1] == "model.shop.stg_orders"


def test_the_messages_of_passed_nodes_are_left_out() -> None:
    page = render_page(make_run([make_node("a", message="CREATE VIEW (12 rows)")]))

    assert "12 rows" not in page
    assert "CREATE VIEW" not in page


def test_what_turns_the_writing_round_is_taken_out_of_names_too() -> None:
    page = render_page(make_run([make_node("model.shop.\u202egnirts", "error", message="\u202ex", file="\u202ey")]))

    assert "\u202e" not in page


def test_a_run_without_nodes_has_no_table_of_them() -> None:
    assert "<h2>Nodes</h2>" not in render_page(make_run())
    assert "<h2>Nodes</h2>" in render_page(GREEN)
