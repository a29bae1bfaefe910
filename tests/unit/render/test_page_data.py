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
