"""What is one cause, what is folded under it, and what it stands in the way of."""

from typing import Any

import pytest
from headless_dbt.causes import blocked_by, cause_key, find_causes, normalised
from headless_dbt.merged_results import INTERRUPTED
from headless_dbt.model import Cause, Exposure, Node, Problem

from tests.unit.builders import make_node, make_problem

OUTAGE = "Database Error in model {name} (models/{name}.sql)\n  503 GET https://bigquery/jobs/{id}: Backend Error"


def _node(name: str, status: str = "error", message: str = "", **changes: Any) -> Node:
    kind = changes.pop("kind", "model")
    return make_node(f"{kind}.shop.{name}", status, message=message, file=f"models/{name}.sql", **changes)


def _causes(
    *nodes: Node, graph: dict[str, list[str]] | None = None, problem: Problem | None = None, **exposures: Exposure
) -> tuple[Cause, ...]:
    bad = [node for node in nodes if node.outcome == "failed"]
    skipped = [node for node in nodes if node.outcome == "skipped"]
    return find_causes(bad, skipped, problem, graph or {}, {each.unique_id: each for each in exposures.values()})


def test_a_broken_staging_model_is_one_cause_that_blocks_sixty() -> None:
    children = [_node(f"c{number}", "skipped") for number in range(60)]
    graph = {child.unique_id: ["model.shop.stg"] for child in children}

    (cause,) = _causes(_node("stg", message="Binder Error: no such column"), *children, graph=graph)

    assert (cause.nodes, cause.explains, cause.blocks) == (("model.shop.stg",), (), 60)


def test_a_warehouse_outage_is_one_cause() -> None:
    nodes = [_node(f"m{n}", message=OUTAGE.format(name=f"m{n}", id=f"job_a{n}B-{n}")) for n in range(200)]

    (cause,) = _causes(*nodes)

    assert len(cause.nodes) == 200


def test_what_depends_on_a_failure_is_folded_under_it() -> None:
    """As where a build went on over a stale source."""
    graph = {"model.shop.b": ["model.shop.between"], "model.shop.between": ["model.shop.a"]}

    (cause,) = _causes(_node("a", message="no such table"), _node("b", message="no such column"), graph=graph)

    assert (cause.nodes, cause.explains) == (("model.shop.a",), ("model.shop.b",))


def test_the_fold_of_a_fold_belongs_to_the_root() -> None:
    graph = {"model.shop.b": ["model.shop.a"], "model.shop.c": ["model.shop.b"]}

    (cause,) = _causes(*(_node(name, message=f"broken {name * 9}") for name in "abc"), graph=graph)

    assert cause.explains == ("model.shop.b", "model.shop.c")


def test_failed_data_tests_are_causes_of_their_own() -> None:
    """What they say, `Got 5 results`, is no reason."""
    tests = [_node(name, "fail", "Got 5 results, configured to fail if != 0", kind="test") for name in ("x", "y")]

    assert len(_causes(*tests)) == 2


def test_different_errors_are_different_causes() -> None:
    assert len(_causes(_node("a", message="Binder Error: column"), _node("b", message="Parser Error: comma"))) == 2


def test_errors_that_say_nothing_are_told_apart_by_their_nodes() -> None:
    assert len(_causes(_node("a", message="ERROR"), _node("b", message="ERROR"), _node("c"), _node("d"))) == 4


def test_exposures_come_first() -> None:
    board = Exposure(unique_id="exposure.shop.board", name="Weekly revenue dashboard")
    graph = {
        "model.shop.mart": ["model.shop.small"],
        "exposure.shop.board": ["model.shop.mart"],
        **{f"model.shop.c{number}": ["model.shop.large"] for number in range(9)},
    }
    skipped = [_node(name, "skipped") for name in ("mart", *(f"c{number}" for number in range(9)))]

    first, second = _causes(
        _node("large", message="broken one"), _node("small", message="broken two"), *skipped, graph=graph, board=board
    )

    assert (first.nodes, first.blocks, first.exposures) == (("model.shop.small",), 1, (board,))
    assert (second.nodes, second.blocks, second.exposures) == (("model.shop.large",), 9, ())


def test_a_failed_test_reaches_the_exposures_of_what_it_tests() -> None:
    board = Exposure(unique_id="exposure.shop.board", name="Board")
    graph = {"test.shop.t": ["model.shop.mart"], "exposure.shop.board": ["model.shop.mart"]}

    (cause,) = _causes(_node("t", "fail", kind="test"), graph=graph, board=board)

    assert cause.exposures == (board,)


def test_a_problem_of_the_run_comes_first_and_explains_what_it_cut_off() -> None:
    cut_off = _node("a", message=INTERRUPTED)
    failed = _node("b", message="Binder Error: column")

    whole, other = _causes(cut_off, failed, problem=make_problem("The time limit ended the run", "It is over.", 124))

    assert (whole.nodes, whole.explains, whole.message) == ((), ("model.shop.a",), "It is over.")
    assert other.nodes == ("model.shop.b",)


def test_the_same_problem_is_the_same_cause_the_next_night() -> None:
    (one,) = _causes(problem=make_problem(message="No connection to 10.0.0.1 at 2026-01-31T06:00:00Z."))
    (two,) = _causes(problem=make_problem(message="No connection to 10.0.0.7 at 2026-02-01T06:00:13Z."))
    (three,) = _causes(problem=make_problem(message="The profile is not there."))

    assert one.key == two.key != three.key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Job ID: 5f3a9c1e-aaaa-4b4b-8c8c-0123456789ab failed", "Job ID: 6f3a9c1e-aaab-4b4b-8c8c-0123456789ab failed"),
        ("Error in job_hL3xYz-AbC9kQ: backend", "Error in job_zzzzzz-AAAAAA: backend"),
        ("Query id 01b2-ffff exceeded the slots", "Query id 99 exceeded the slots"),
        ("Lost at 2026-01-31 06:00:00.123 UTC by the server", "Lost at 2026-02-01 07:13:59.9 UTC by the server"),
        ("Timed out after 30.5 seconds of waiting", "Timed out after 31 seconds of waiting"),
        ("Lock 0x7fffaa held by the process 4711", "Lock 0x8abc01 held by the process 12"),
        ("Commit deadbeef01 is unknown to it", "Commit 0badcafe99 is unknown to it"),
        ("See https://console/jobs/a for details", "See https://console/jobs/b for details"),
        ("Cannot write\n  compiled code at target/compiled/a.sql", "Cannot write\n  compiled code at target/b.sql"),
    ],
)  # fmt: skip
def test_what_differs_from_run_to_run_does_not_count(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)
    assert cause_key(_node("a", message=one)) == cause_key(_node("a", message=other))


def test_the_name_of_the_node_does_not_count() -> None:
    message = 'Database Error in model {0} (models/{0}.sql)\n  Catalog Error: Table "gone" does not exist; {0} reads it'
    keys = {cause_key(_node(name, message=message.format(name))) for name in ("orders", "items")}
    assert len(keys) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('column "customer_lifetime_value_90d" not found', 'column "average_order_value_30d_usd" not found'),
        ("raw_shopify_orders_v2 does not exist", "legacy_crm_accounts_2019 does not exist"),
    ],
)
def test_long_names_of_people_are_no_random_words(one: str, other: str) -> None:
    assert normalised(one) != normalised(other)


def test_what_stands_beside_an_error_does_not_count() -> None:
    message = (
        'Catalog Error: Table with name payments does not exist!\n  Did you mean "stg_{0}"?\n\n'
        "  LINE {1}: select {0} from payments\n                    ^"
    )
    assert len({normalised(message.format(name, line)) for name, line in (("a", 3), ("b", 17))}) == 1
    tmp = '"{0}__dbt_tmp": No space left on device'
    assert len({cause_key(_node(name, message=tmp.format(name))) for name in ("orders", "items")}) == 1
    value = "Could not convert string '{0}' to INT32"
    assert normalised(value.format("abc")) == normalised(value.format("xyz"))


def test_tests_and_exposures_that_wait_are_not_counted_among_what_is_blocked() -> None:
    graph = {"model.shop.b": ["model.shop.a"], "test.shop.t": ["model.shop.b"], "exposure.shop.e": ["model.shop.b"]}
    waiting = [_node("b", "skipped"), _node("t", "skipped", kind="test"), _node("e", "skipped", kind="exposure")]
    (cause,) = _causes(_node("a", message="broken it is"), *waiting, graph=graph)
    assert cause.blocks == 1


def test_another_missing_table_is_another_cause() -> None:
    assert cause_key(_node("a", message="Table gone does not exist")) != cause_key(
        _node("a", message="Table lost does not exist")
    )


def test_a_node_blocks_everything_below_it_that_was_skipped() -> None:
    nodes = [
        make_node("model.a", "error"),
        make_node("model.b", "skipped"),
        make_node("model.c", "skipped"),
        make_node("model.d", "success"),
    ]
    parents = {"model.b": ("model.a",), "model.c": ("model.b",), "model.d": ()}

    assert blocked_by(nodes, parents) == {"model.a": 2}


def test_the_foot_of_a_diamond_is_blocked_once() -> None:
    nodes = [make_node("top", "error"), *(make_node(name, "skipped") for name in ("left", "right", "foot"))]
    parents = {"left": ("top",), "right": ("top",), "foot": ("left", "right")}

    assert blocked_by(nodes, parents) == {"top": 3}


def test_two_failures_above_the_same_node_both_block_it() -> None:
    nodes = [make_node("a", "error"), make_node("b", "fail"), make_node("c", "skipped")]

    assert blocked_by(nodes, {"c": ("a", "b")}) == {"a": 1, "b": 1}


def test_the_way_to_a_blocked_node_may_lead_through_one_that_was_not_selected() -> None:
    nodes = [make_node("a", "error"), make_node("c", "skipped")]

    assert blocked_by(nodes, {"b": ("a",), "c": ("b",)}) == {"a": 1}


def test_what_was_skipped_for_another_reason_is_nobodys_fault() -> None:
    nodes = [make_node("a", "error"), make_node("b", "skipped"), make_node("c", "success")]

    assert blocked_by(nodes, {"c": ("a",)}) == {"a": 0}


def test_a_circle_in_a_broken_manifest_does_not_hang() -> None:
    nodes = [make_node("a", "error"), make_node("b", "skipped")]

    assert blocked_by(nodes, {"a": ("b",), "b": ("a",)}) == {"a": 1}


def test_a_failed_test_blocks_what_dbt_skipped_below_the_tested_node() -> None:
    """In `dbt build` a failed test holds back the children of its parent, although none of them depends on it."""
    nodes = [
        make_node("model.shop.a"),
        make_node("test.shop.unique_a", "fail"),
        make_node("model.shop.b", "skipped"),
        make_node("model.shop.c", "skipped"),
    ]
    parents = {
        "test.shop.unique_a": ("model.shop.a",),
        "model.shop.b": ("model.shop.a",),
        "model.shop.c": ("model.shop.b",),
    }

    assert blocked_by(nodes, parents) == {"test.shop.unique_a": 2}


def test_what_to_change_says_nothing_of_what_is_one_cause() -> None:
    message = "Not found: Dataset shop:raw was not found in location US"
    assert cause_key(_node("a", message=message, advice="Do this.")) == cause_key(_node("a", message=message))
    whole = [_causes(problem=make_problem(message=message, advice=advice))[0].key for advice in ("", "Do this.")]
    assert whole[0] == whole[1]
