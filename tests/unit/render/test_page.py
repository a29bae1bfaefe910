"""report.html: one page, in which nothing of the project comes alive."""

import base64
import json
import re
import zlib
from hashlib import sha256
from html.parser import HTMLParser

import pytest
from headless_dbt.render.page import render_page

from tests.unit.builders import make_node, make_run
from tests.unit.render import golden
from tests.unit.render.samples import BIGQUERY, FAILURES, GREEN, HOSTILE_TEXTS, PROBLEM, RUNS, hostile_run

VOID = {"meta", "input"}
# What runs, loads or sends anything, beside the links and the one script of the page.
FORBIDDEN = {"link", "img", "iframe", "form", "base", "object", "embed", "audio", "video"}


class _Page(HTMLParser):
    """Every element, its attributes, and all text; an element that is not closed is an error."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.comments: list[str] = []
        self.inside: dict[str, str] = {}
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
        if self._open and self._open[-1] in ("script", "style"):
            name = self.elements[-1][1].get("id") or self._open[-1]
            self.inside[name] = self.inside.get(name, "") + data

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


def test_golden() -> None:
    page = render_page(FAILURES)
    for tag in ("style", "script"):
        page = re.sub(rf"(<{tag}>).*?(</{tag}>)", r"\1…\2", page, flags=re.DOTALL)
    page = re.sub("sha256-[^']*", "sha256-…", re.sub(r'(id="sql">)[^<]*', r"\1…", page))
    data = json.loads(_Page(render_page(FAILURES)).inside["data"])
    page = re.sub(r'(id="data">)[^<]*', lambda match: match[1] + json.dumps(data, indent=1), page)
    golden.check("page-failures.html", page + "\n")


@pytest.mark.parametrize("name", RUNS)
def test_every_page_is_well_formed_and_allows_its_own_script_alone_and_no_network(name: str) -> None:
    page = _Page(render_page(RUNS[name]))

    (policy,) = [
        attributes["content"] or ""
        for tag, attributes in page.elements
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules == {
        "default-src": "'none'",
        "style-src": f"'{_hash(page.inside['style'])}'",
        "script-src": rules["script-src"],
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    if "script" in page.inside:
        assert rules["script-src"] == f"'{_hash(page.inside['script'])}'"
    assert not {tag for tag, _ in page.elements} & FORBIDDEN
    assert not {key for _, attributes in page.elements for key in attributes if key.startswith("on") or key == "style"}


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}"


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_no_element_and_no_attribute_comes_out_of_hostile_text(text: str) -> None:
    hostile, harmless = _Page(render_page(hostile_run(text))), _Page(render_page(hostile_run("x")))

    assert [(tag, set(attributes)) for tag, attributes in hostile.elements] == [
        (tag, set(attributes)) for tag, attributes in harmless.elements
    ]
    assert hostile.comments == []
    links = [attributes["href"] or "" for tag, attributes in hostile.elements if tag == "a"]
    assert all(link.startswith(("#", "https://github.com/acme/shop/")) for link in links)


def test_a_template_in_a_name_is_not_run() -> None:
    assert "49" not in render_page(make_run([make_node("model.{{ 7 * 7 }}")], elapsed=1))


def test_the_failed_nodes_come_first() -> None:
    nodes = json.loads(_Page(render_page(FAILURES)).inside["data"])["nodes"]

    assert len(nodes) == len(FAILURES.nodes)
    assert [node["id"] for node in nodes[:2]] == [
        "model.shop.fct_orders",
        "test.shop.unique_dim_customers_customer_id.5a5b6cd8f4",
    ]


def test_the_compiled_sql_of_every_node_is_in_it_packed() -> None:
    run = make_run([make_node("model.shop.a", compiled_code="select 1"), make_node("model.shop.b")])
    packed = _Page(render_page(run)).inside["sql"]

    assert json.loads(zlib.decompress(base64.b64decode(packed), wbits=-zlib.MAX_WBITS)) == ["select 1"]


def test_the_messages_of_passed_nodes_are_left_out() -> None:
    page = render_page(make_run([make_node("a", message="CREATE VIEW (12 rows)")]))

    assert "12 rows" not in page
    assert "CREATE VIEW" not in page


def test_what_turns_the_writing_round_is_taken_out_of_names_too() -> None:
    page = render_page(make_run([make_node("model.shop.\u202egnirts", "error", message="\u202ex", file="\u202ey")]))

    assert "\u202e" not in page


def test_a_run_without_nodes_has_no_table_of_them() -> None:
    assert ">Nodes</h2>" not in render_page(make_run())
    assert ">Nodes</h2>" in render_page(GREEN)


def test_right_under_an_error_stands_what_to_change() -> None:
    advice = '<p class="advice">There is no dataset <code>raw_shop</code> in location <code>US</code>'
    assert f"fct_orders.sql</pre>\n{advice}" in render_page(BIGQUERY)
    assert '<p class="advice">The account may not run jobs in project <code>acme-dwh</code>' in render_page(PROBLEM)
    assert 'class="advice"' not in render_page(FAILURES)
