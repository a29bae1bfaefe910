"""report.html as people use it: opened from a file, searched, sorted, followed, by mouse and by keyboard."""

from collections.abc import Callable
from urllib.parse import quote

import pytest
from headless_dbt.model import Run
from headless_dbt.render.page import render_page
from playwright.sync_api import Page, expect

from tests.browser.axe import serious_violations
from tests.unit.builders import make_node, make_run
from tests.unit.render.samples import BIGQUERY, EVERYTHING, HOSTILE_TEXTS, RUNS, hostile_run

Opened = Callable[..., Page]
BROKEN, STAGED = "model.shop.fct_orders", "model.shop.stg_orders"
MANY = make_run(
    [
        make_node(
            f"model.shop.m{number:04}", execution_time=float(number % 97), tags=("nightly",) if number % 2 else ()
        )
        for number in range(3000)
    ]
)


def _names(page: Page) -> list[str]:
    return page.locator("#body tr:not(.room) td.name").all_inner_texts()


@pytest.mark.parametrize("name", RUNS)
def test_every_page_opens_from_a_file_without_a_complaint(render_to_file: Opened, name: str) -> None:
    page = render_to_file(render_page(RUNS[name]))

    expect(page.locator("h1")).to_be_visible()
    if RUNS[name].nodes:
        expect(page.locator("#count")).to_have_text(f"{len(RUNS[name].nodes)} nodes")


def test_the_search_and_the_choices_filter(render_to_file: Opened) -> None:
    page = render_to_file(render_page(EVERYTHING))

    page.locator("#search").fill("orders stg")
    assert sorted(_names(page)) == ["stg_orders", "unique_stg_orders_order_id"]
    page.locator("#filter-type").select_option("model")
    assert _names(page) == ["stg_orders"]
    page.locator("#reset").click()
    assert len(_names(page)) == len(EVERYTHING.nodes)
    page.locator("#filter-status").select_option("error")
    assert _names(page) == ["fct_orders"]
    page.locator("#reset").click()
    page.locator("#filter-tag").select_option("hourly")
    assert _names(page) == ["raw_orders"]
    page.locator("#reset").click()
    page.locator("#filter-path").select_option("models")
    assert sorted(_names(page)) == ["fct_orders", "stg_orders"]


def test_a_click_on_a_heading_sorts_and_another_turns_it_round(render_to_file: Opened) -> None:
    page = render_to_file(render_page(EVERYTHING))
    heading = page.locator("th.seconds")

    heading.locator("button").click()
    assert _names(page)[:2] == ["fct_orders", "stg_orders"]
    assert heading.get_attribute("aria-sort") == "descending"
    heading.locator("button").click()
    assert _names(page)[-1] == "fct_orders"
    heading.locator("button").click()
    assert heading.get_attribute("aria-sort") == "none"


def test_a_node_tells_all_that_is_known_of_it(render_to_file: Opened) -> None:
    page = render_to_file(render_page(EVERYTHING), f"#{STAGED}")
    panel = page.locator("#panel")

    expect(panel.locator("#panel-title")).to_have_text("stg_orders")
    for words in ("One row for each order.", "Data team", "2,600", "5.0 GiB", "$0.03", "Waited for a thread", "1 test"):
        expect(panel).to_contain_text(words)
    expect(panel.locator("pre.sql")).to_have_text("select 1 as order_id")
    link = panel.get_by_role("link", name="models/staging/stg_orders.sql")
    assert link.get_attribute("href") == (
        f"https://github.com/acme/shop/blob/{EVERYTHING.request.context.sha}/models/staging/stg_orders.sql"
    )


def test_the_panel_tells_what_to_change_right_under_the_error(render_to_file: Opened) -> None:
    page = render_to_file(render_page(BIGQUERY), "#model.shop.fct_orders")
    advice = page.locator("#panel pre.failed + p.advice")

    expect(advice).to_contain_text("There is no dataset raw_shop in location US of project acme-dwh.")
    expect(advice.locator("code").nth(-1)).to_have_text("bq --location=US mk --dataset acme-dwh:raw_shop")


def test_the_lineage_leads_from_node_to_node_out_of_dbt_and_to_the_exposure(render_to_file: Opened) -> None:
    page = render_to_file(render_page(EVERYTHING), f"#{BROKEN}")
    lineage = page.locator(".lineage")

    lineage.get_by_role("link", name="stg_orders, model").click()
    expect(page.locator("#panel-title")).to_have_text("stg_orders")
    assert page.evaluate("location.hash") == f"#{STAGED}"
    page.get_by_label("How far").select_option("1000")
    for name in ("shop-extract, step", "payments, source", "fct_revenue, model", "Revenue board, exposure"):
        expect(lineage.get_by_role("link", name=name)).to_be_visible()
    page.go_back()
    expect(page.locator("#panel-title")).to_have_text("fct_orders")


def test_the_causes_link_to_their_nodes(render_to_file: Opened) -> None:
    page = render_to_file(render_page(EVERYTHING))

    page.locator(".causes a").first.click()
    expect(page.locator("#panel-title")).to_have_text("fct_orders")
    expect(page.locator("#panel pre.failed")).to_contain_text("order_totl")


def test_everything_can_be_done_with_the_keyboard(render_to_file: Opened) -> None:
    page = render_to_file(render_page(EVERYTHING))

    page.keyboard.press("/")
    page.keyboard.type("raw")
    assert len(_names(page)) == 2
    page.keyboard.press("Escape")
    assert len(_names(page)) == len(EVERYTHING.nodes)
    page.locator("#search").blur()
    page.keyboard.press("n")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    second = _names(page)[1]
    expect(page.locator("#panel-title")).to_have_text(second)
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()
    page.keyboard.press("f")
    expect(page.locator("#panel-title")).to_have_text("fct_orders")
    page.keyboard.press("Escape")
    page.keyboard.press("t")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#bar")).to_contain_text("raw_orders: success")
    page.keyboard.press("Enter")
    expect(page.locator("#panel-title")).to_have_text("raw_orders")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()


def test_the_timeline_has_a_bar_for_each_node_that_ran(render_to_file: Opened) -> None:
    page = render_to_file(render_page(EVERYTHING))
    box = page.locator("#canvas").bounding_box()
    assert box is not None

    # fct_orders is the longest of them, and the last, on the thread of the first.
    row = 30
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + row)
    expect(page.locator("#bar")).to_contain_text("fct_orders: error · 30 s, began after 16 s · on the critical path")
    page.mouse.click(box["x"] + box["width"] * 0.8, box["y"] + row)
    expect(page.locator("#panel-title")).to_have_text("fct_orders")


def test_only_the_rows_that_can_be_seen_are_in_the_page(render_to_file: Opened) -> None:
    page = render_to_file(render_page(MANY))

    assert page.locator("#body tr").count() < 100
    assert page.locator("#table").get_attribute("aria-rowcount") == "3001"
    page.locator("#rows").evaluate("element => { element.scrollTop = element.scrollHeight }")
    last = min(MANY.nodes, key=lambda node: (node.execution_time, -int(node.name[1:]))).name
    expect(page.locator("#body").get_by_role("link", name=last, exact=True)).to_be_visible()
    page.keyboard.press("n")
    page.keyboard.press("End")
    expect(page.locator(f'#body a:text-is("{last}")')).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("fragment", ["", f"#{STAGED}", f"#{BROKEN}"])
def test_axe_finds_nothing_serious(render_to_file: Opened, page: Page, scheme: str, fragment: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    opened = render_to_file(render_page(EVERYTHING), fragment)
    expect(opened.locator("#count")).to_be_visible()

    assert serious_violations(opened) == []


@pytest.mark.parametrize("run", [EVERYTHING, BIGQUERY], ids=["everything", "bigquery"])
@pytest.mark.parametrize("fragment", ["", f"#{STAGED}", f"#{BROKEN}"])
def test_a_phone_shows_it_without_scrolling_sideways(
    render_to_file: Opened, page: Page, run: Run, fragment: str
) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    opened = render_to_file(render_page(run), fragment)

    assert opened.evaluate("document.documentElement.scrollWidth") <= 360
    if fragment:
        assert opened.locator("#panel").evaluate("panel => panel.scrollWidth <= panel.clientWidth")


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_hostile_names_are_words(render_to_file: Opened, text: str) -> None:
    run = hostile_run(text)
    page = render_to_file(render_page(run), f"#{quote(run.nodes[0].unique_id)}")

    expect(page.locator("#count")).to_be_visible()
    harmless = {"a", "button", "code", "dd", "div", "dl", "dt", "h2", "h3", "li", "option", "p", "path", "pre", "rect"}
    harmless |= {"section", "select", "span", "svg", "text", "title", "ul"}
    tags = page.evaluate("[...document.querySelectorAll('#panel-body *')].map(each => each.tagName.toLowerCase())")
    assert set(tags) <= harmless
    addresses = page.evaluate("[...document.querySelectorAll('a')].map(each => each.getAttribute('href'))")
    assert all(address.startswith(("#", "https://github.com/acme/shop/")) for address in addresses)


def test_an_address_that_names_nothing_opens_nothing(render_to_file: Opened) -> None:
    page = render_to_file(render_page(EVERYTHING), "#%E0%A4%A")
    expect(page.locator("#count")).to_be_visible()
    expect(page.locator("#panel")).to_be_hidden()
