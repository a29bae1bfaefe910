"""The failure issue, as people read it in their mail, and that nothing of the project comes alive in it."""

import re
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from headless_dbt.incident_state import KnownCause, Moment, State, Suspect, section
from headless_dbt.model import Cause, Exposure, Run
from headless_dbt.render.comments import render_closing, render_news
from headless_dbt.render.issue import render_body, render_title
from headless_dbt.render.lineage import render_neighbourhood
from headless_dbt.render.told import Told
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.unit.builders import make_context, make_node, make_problem, make_request, make_run
from tests.unit.render import golden
from tests.unit.render.liveness import living_things
from tests.unit.render.samples import BIGQUERY, BINDER_ERROR, HOSTILE_TEXTS, INSTALLATION_FAILED, PROBLEM, hostile_run

ARTIFACT = "https://github.com/acme/shop/actions/runs/42/artifacts/7"
NOW = datetime(2026, 2, 3, 6, 30, tzinfo=UTC)
SINCE = Moment(run="40", at="2026-02-01T06:02:11Z", sha="b" * 40)
BOARD = Exposure(
    unique_id="exposure.shop.board",
    name="Weekly revenue dashboard",
    kind="dashboard",
    url="https://bi/1",
    depends_on=("model.shop.fct_weekly_revenue",),
)
SUSPECTS = (
    Suspect(sha="8f14e45fceea167a5a36dedd4bea2543d8f3a1b0", subject="Rename order_total to total", author="grace"),
    Suspect(sha="c9f0f895fb98ab9159f51fd0297e236d1c2f3e4d", subject="Add the discount to orders", author="ada"),
)

ORDERS = make_node(
    "model.shop.fct_orders",
    "error",
    message=BINDER_ERROR,
    file="dbt/models/marts/fct_orders.sql",
    line=12,
    depends_on=("model.shop.stg_orders", "model.shop.stg_payments"),
    blocks=2,
    compiled_code='select\n    order_id,\n    "order_totl"\nfrom "shop"."staging"."stg_orders"',
)
RED_TEST = make_node(
    "test.shop.unique_dim_customers_customer_id.5a5b6cd8f4",
    "fail",
    message="Got 2 results, configured to fail if != 0",
    file="dbt/models/marts/dim_customers.yml",
    name="unique_dim_customers_customer_id",
    depends_on=("model.shop.dim_customers",),
    compiled_code="select customer_id\nfrom shop.marts.dim_customers\ngroup by 1 having count(*) > 1",
)
REQUEST = make_request(make_context(), project_dir="dbt", vars='{"day": "2026-01-31"}')
FAILURES = make_run(
    [
        make_node("model.shop.stg_orders"),
        make_node("model.shop.stg_payments"),
        make_node("model.shop.dim_customers"),
        ORDERS,
        RED_TEST,
        make_node("model.shop.fct_revenue", "skipped", depends_on=("model.shop.fct_orders",)),
        make_node("model.shop.fct_weekly_revenue", "skipped", depends_on=("model.shop.fct_revenue",)),
    ],
    request=REQUEST,
)
OUTAGE = make_run(
    [
        make_node(
            f"model.shop.m{number:03}",
            "error",
            message=f"503 GET https://bigquery.googleapis.com/jobs/{number}: Backend Error, job_a{number}",
            file=f"models/m{number:03}.sql",
        )
        for number in range(200)
    ]
)


def told(run: Run, *known: KnownCause, **changes: Any) -> Told:
    """What there is to tell of a run whose causes are all new, unless they are known."""
    there = {cause.key for cause in known}
    new = [cause for cause in run.causes if cause.key not in there]
    causes = [KnownCause(key=cause.key, nodes=cause.nodes, since=SINCE) for cause in new]
    values: dict[str, Any] = {
        "run": run,
        "state": State(opened=SINCE, last=SINCE, causes=(*known, *causes)),
        "now": NOW,
        "failing": run.causes,
        "new": frozenset(cause.key for cause in run.causes),
        "artifact_url": ARTIFACT,
        "before": SINCE,
    }
    return Told(**{**values, **changes})


def with_everything() -> Told:
    orders, test = FAILURES.causes
    orders = replace(orders, exposures=(BOARD,))
    run = replace(FAILURES, causes=(orders, test))
    known = KnownCause(key=orders.key, nodes=orders.nodes, since=SINCE, green="d" * 40, suspects=SUSPECTS)
    older = KnownCause(key="f" * 16, title="dim_products", nodes=("model.shop.dim_products",))
    return told(
        run,
        known,
        older,
        owners={orders.key: ("@ada", "Finance team"), test.key: ("@ada", "@acme/data")},
        assignable=frozenset({"ada"}),
    )


HEALED = (KnownCause(key="a" * 16, title="fct_orders"), KnownCause(key="b" * 16, title="dim_customers and 3 more"))


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("failures", with_everything()),
        ("outage", told(OUTAGE)),
        ("problem", told(PROBLEM)),
        ("bigquery", told(BIGQUERY)),
        ("installation-failed", told(INSTALLATION_FAILED, artifact_url="", earlier=12)),
    ],
)
def test_golden_bodies(name: str, what: Told) -> None:
    golden.check(f"issue-{name}.md", f"{render_title(what)}\n\n{render_body(what, 60_000)}\n")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("news", render_news(told(FAILURES))),
        ("news-and-healed", render_news(told(FAILURES, healed=HEALED))),
        ("reopened", render_news(told(FAILURES, reopened=True))),
        ("closed", render_closing(told(make_run([make_node()]), healed=HEALED))),
        (
            "closed-by-itself",
            render_closing(told(make_run([make_node()]), before=Moment(sha=make_context().sha), healed=HEALED[:1])),
        ),
        ("moved", render_closing(told(make_run([make_node()]), moved=HEALED))),
    ],
)
def test_golden_comments(name: str, text: str) -> None:
    golden.check(f"comment-{name}.md", f"{text}\n")


@pytest.mark.parametrize(
    ("run", "title"),
    [
        (make_run([make_node("model.shop.a", "error")]), "dbt failed on prod: a"),
        (FAILURES, "dbt failed on prod: fct_orders, blocks 2 nodes; 1 more cause"),
        (OUTAGE, "dbt failed on prod: m000 and 199 more"),
        (PROBLEM, "dbt failed on prod: dbt could not work"),
        (make_run([make_node("x", "fail", name="line\nbreak \u202e\x1b[31m")]), "dbt failed on prod: line break"),
    ],
)
def test_the_title_names_what_is_broken_and_what_that_blocks(run: Run, title: str) -> None:
    assert render_title(told(run)) == title


def test_a_title_is_one_line_and_short_enough_for_github() -> None:
    request = make_request(make_context(), target="a\u2028b" * 90)
    title = render_title(told(make_run([make_node("x", "error", name="n" * 400)], request=request)))
    assert len(title) <= 256
    assert len(title.splitlines()) == 1


def test_the_order_of_a_cause_is_what_a_person_asks() -> None:
    body = render_body(with_everything(), 60_000)
    asked = (
        *("**Blocks** `Weekly revenue dashboard`", "Binder Error", "fct_orders.sql:12", "Compiled SQL", "**Since**"),
        *("**Suspect commits**", "**Owners** @ada", "**Reproduce**", "```mermaid"),
    )
    places = [body.index(part) for part in asked]
    assert places == sorted(places)


def test_a_problem_of_the_run_as_a_whole_names_its_place() -> None:
    body = render_body(told(make_run(problem=make_problem(file="dbt/a b.yml", line=3))), 60_000)

    assert f"\n\nIn [`dbt/a b.yml:3`](https://github.com/acme/shop/blob/{make_context().sha}/dbt/a%20b.yml#L3)" in body
    without = render_body(told(PROBLEM), 60_000)
    assert "\n\nIn " not in without


def test_an_owner_is_mentioned_once() -> None:
    assert living_things(render_body(with_everything(), 60_000)).mentions == ("@ada", "@acme/data")


@pytest.mark.parametrize("most", [60_000, 20_000, 5_000, 2_500, 1_000])
@pytest.mark.parametrize("number", [1, 30, 500])
def test_a_body_is_cut_by_rank_and_never_inside_anything(most: int, number: int) -> None:
    nodes = [
        make_node(f"test.shop.t{at:03}", "fail", message="`" * 5 + "x" * 5000, compiled_code="select 1\n" * 900)
        for at in range(number)
    ]
    what = told(make_run([ORDERS, *nodes, *(make_node("model.shop.z", "skipped", depends_on=(ORDERS.unique_id,)),)]))
    body = render_body(what, most)
    # What has to be said at all: the head, the first cause or how many there are, and the links.
    assert len(body) <= max(most, 1200)
    alive = living_things(body)
    assert not alive.images
    assert alive.html.count("details") % 2 == 0
    assert alive.text.rstrip().endswith("What you write above or below it stays.")
    assert body.count("<!-- headless-dbt:cause:") == body.count("<!-- headless-dbt:cause -->")
    if most >= 5_000:
        assert "fct_orders" in body
        shown = body.count("shop.t") + body.count("`t")
        assert number < shown or "more cause" in body


def test_what_is_known_from_before_finds_room_after_what_fails_now() -> None:
    key, text = "f" * 16, f"### `dim_products`\n\nIts error. {'y' * 4000}"
    what = told(FAILURES, KnownCause(key=key, title="dim_products"), sections={key: text})
    body = render_body(what, 60_000)
    assert body.index("fct_orders") < body.index("not passed since") < body.index("Its error.")
    assert section(key, text) in body
    assert "Its error." not in render_body(what, 4_000)


def test_outside_of_github_there_are_no_links() -> None:
    run = make_run([make_node("a", "error", file="a.sql")], request=make_request())
    assert "](" not in render_body(told(run, artifact_url=""), 60_000)


# What is ours: everything else that is alive came from the project.
OUR_LINK = re.compile(r"https://github\.com/acme/shop/(actions/runs/|blob/|commit/|compare/)[\w./%#~-]*")
OUR_HTML = {"details", "summary", "sub", "/details", "/summary", "/sub"}
_SHARP = ["```", "~~~", "`", "@acme", "#1", "<b>", "-->", "<!--", "\n", "\n\n", "    ", "|", "> [!NOTE]", "$x$"]
_LETTERS = st.one_of(st.sampled_from("`~|<>!-@#[]()*_:$\\\n\r\t &/"), st.characters(codec="utf-8"))
hostile = st.one_of(
    st.sampled_from(HOSTILE_TEXTS),
    st.text(_LETTERS, max_size=80),
    st.lists(st.sampled_from(_SHARP), max_size=12).map("".join),
)


def assert_only_ours(markdown: str) -> None:
    alive = living_things(markdown)
    assert not alive.mentions
    assert not alive.references
    assert not alive.images
    assert not alive.boxes
    assert not alive.other
    assert {tag.strip("<>").split(" ")[0] for tag in alive.html} <= OUR_HTML, alive.html
    assert all(OUR_LINK.fullmatch(link) for link in alive.links), alive.links
    assert all(re.fullmatch(r"[\w\s\[\]\"(){}<>:;.,#+=|…-]*", chart) for chart in alive.mermaid), alive.mermaid


@given(hostile)
def test_nothing_of_the_project_comes_alive(text: str) -> None:
    run = hostile_run(text)
    exposure = Exposure(unique_id="exposure.x", name=text, kind=text, url=text, owner=text)
    causes = tuple(replace(cause, exposures=(exposure,)) for cause in run.causes)
    suspects = (Suspect(sha="e" * 40, subject=text, author=text),)
    known = [KnownCause(key=cause.key, since=SINCE, green="d" * 40, suspects=suspects) for cause in causes]
    older = KnownCause(key="f" * 16, title=text, nodes=(text,))
    what = told(
        replace(run, causes=causes),
        *known,
        older,
        owners={cause.key: (text,) for cause in causes if not re.fullmatch(r"@[\w./-]+", text.strip())},
        healed=(older,),
        moved=(older,),
    )
    for rendered in (render_body(what, 60_000), render_body(what, 1_500), render_news(what), render_closing(what)):
        assert_only_ours(rendered)


@given(hostile)
def test_a_neighbour_with_a_hostile_name_is_a_label(text: str) -> None:
    parent, child = f"model.shop.{text}", f"model.shop.{text}2"
    run = make_run(
        [
            make_node("model.shop.a", "error", depends_on=(parent,), message="broken", compiled_code=text),
            make_node(parent),
            make_node(child, "skipped", depends_on=("model.shop.a",)),
        ]
    )
    assert_only_ours(render_body(told(run), 60_000))


def test_the_picture_shows_the_way_to_an_exposure_and_leaves_tests_out() -> None:
    chain = [f"model.shop.m{number}" for number in range(7)]
    nodes = [make_node(chain[0], "error", message="broken")]
    nodes += [make_node(name, "skipped", depends_on=(before,)) for before, name in pairwise(chain)]
    nodes += [make_node(f"test.shop.t{n}", "skipped", depends_on=(chain[0],)) for n in range(9)]
    run = make_run(nodes)
    far, near = (
        Exposure(unique_id=f"exposure.shop.{end}", name=end, depends_on=(end,)) for end in (chain[6], chain[1])
    )
    picture = living_things(render_neighbourhood(run, replace(run.causes[0], exposures=(far, near)))).mermaid[0]
    assert "t0" not in picture
    edges = [line.strip() for line in picture.splitlines() if ">" in line]
    assert edges == ["n0 --> n1", "n1 -.-> n2", "n2 --> n3", "n1 --> n4"]
    assert [line.strip() for line in picture.splitlines() if "exposure" in line][:2] == [
        'n3(["model.shop.m6"]):::exposure',
        'n4(["model.shop.m1"]):::exposure',
    ]


def test_the_picture_of_a_cause_without_neighbours_is_left_out() -> None:
    assert "mermaid" not in render_body(told(make_run([make_node("model.shop.a", "error")])), 60_000)
    assert "mermaid" not in render_body(told(make_run(problem=make_problem())), 60_000)


def test_a_cause_that_is_not_in_the_run_is_a_line() -> None:
    cause = Cause(key="a" * 16, nodes=("model.shop.gone",), message="It was here.")
    assert "`model.shop.gone`" in render_body(told(make_run([], causes=(cause,))), 60_000)
