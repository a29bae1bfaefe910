"""What the page draws, and the bounds that it stays in."""

import base64
import json
import random
import zlib

from headless_dbt.render import page_data as module
from headless_dbt.render.page_data import as_json, packed_sql, page_data
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.builders import make_node, make_run
from tests.unit.render.samples import EVERYTHING


def _unpacked(packed: str) -> list[str]:
    texts: list[str] = json.loads(zlib.decompress(base64.b64decode(packed), wbits=-zlib.MAX_WBITS))
    return texts


def test_nodes_name_each_other_and_their_texts_by_place() -> None:
    data = page_data(EVERYTHING)
    nodes = {node["id"]: node for node in data["nodes"]}
    places = [node["id"] for node in data["nodes"]]
    orders, staged = nodes["model.shop.fct_orders"], nodes["model.shop.stg_orders"]

    assert places[0] == "model.shop.fct_orders"
    assert [places[at] for at in orders["parents"]] == ["model.shop.stg_orders"]
    assert data["texts"][orders["status"]] == "error"
    assert data["outcomes"][orders["status"]] == "failed"
    assert (orders["start"], orders["end"]) == (16_000, 46_000)
    assert [places[at] for at in data["critical"]] == list(EVERYTHING.critical_path)
    assert data["results"] == len(EVERYTHING.nodes)
    assert {node["id"] for node in data["nodes"][data["results"] :]} == {"step.shop-extract", "exposure.shop.board"}
    assert data["texts"][staged["owners"][0]] == "Data team"
    assert "name" not in staged


def test_a_zero_says_something_and_an_empty_text_nothing() -> None:
    [node] = page_data(make_run([make_node("model.shop.a", rows=0, description="")]))["nodes"]

    assert node["rows"] == 0
    assert "description" not in node


def test_of_what_passed_there_is_no_message() -> None:
    nodes = [make_node("a", "error", message="broken"), make_node("b", message="CREATE VIEW (12 rows)")]
    assert [node.get("message") for node in page_data(make_run(nodes))["nodes"]] == ["broken", None]


def test_of_what_failed_there_is_what_to_change() -> None:
    nodes = [make_node("a", "error", advice="Do `this`."), make_node("b", "error")]
    assert [node.get("advice") for node in page_data(make_run(nodes))["nodes"]] == ["Do `this`.", None]


def test_what_a_test_tests_is_named_where_it_reads_more() -> None:
    models = (make_node("model.shop.a"), make_node("model.shop.b"))
    parents = ("model.shop.a", "model.shop.b")
    tests = [
        make_node(f"test.shop.t{number}", "fail", attached_to="model.shop.b", depends_on=parents[-number:])
        for number in (1, 2)
    ]
    data = page_data(make_run([*models, *tests]))["nodes"]
    places = {node["id"]: place for place, node in enumerate(data)}

    assert "tests" not in data[places["test.shop.t1"]]
    assert data[places["test.shop.t2"]]["tests"] == places["model.shop.b"]


def test_what_turns_the_writing_round_is_taken_out_of_texts() -> None:
    data = page_data(make_run([make_node("model.shop.a", tags=("a\u202eb",), file="c\u202ed.sql")]))
    assert "\u202e" not in as_json(data)


def test_the_last_text_is_cut_to_what_room_is_left() -> None:
    number = module.MOST_TEXT // module.MOST_MESSAGE
    nodes = [make_node("a", "error", message="x" * 5_000, execution_time=99.0)]
    nodes += [make_node(f"b{at}", "error", message="x" * module.MOST_MESSAGE) for at in range(number + 1)]
    messages = [node.get("message", "") for node in page_data(make_run(nodes))["nodes"]]

    assert sum(map(len, messages)) == module.MOST_TEXT
    assert messages[-1] == ""


def test_all_texts_together_are_bounded() -> None:
    nodes = [
        make_node(f"model.shop.m{number}", "error", message="x" * 50_000, description="y" * 9000)
        for number in range(300)
    ]
    assert len(as_json(page_data(make_run(nodes)))) < module.MOST_TEXT + 200_000


def test_compiled_sql_is_left_out_where_there_is_no_room_those_first_that_nobody_looks_for() -> None:
    chance = random.Random(1)
    hard = [make_node(f"a{n}", compiled_code=f"{chance.getrandbits(400_000):x}") for n in range(200)]
    packed = packed_sql(hard, 0)

    assert len(packed) <= module.MOST_PACKED
    found = _unpacked(packed)
    assert 20 < len(found) < 200
    assert found == [node.compiled_code for node in hard[: len(found)]]
    assert len(packed_sql(hard, module.MOST_DATA - 1_000_000)) <= 1_000_000
    assert packed_sql(hard, module.MOST_DATA) == ""


@given(
    st.recursive(
        st.text() | st.sampled_from(("</script>", "<!--", "&", "\u2028")) | st.integers() | st.none(),
        lambda inner: st.lists(inner, max_size=3),
        max_leaves=9,
    )
)
def test_json_cannot_end_its_element_and_says_the_same(value: object) -> None:
    text = as_json({"value": value})

    assert not set(text) & set("<>&\u2028")
    assert json.loads(text) == {"value": value}
