"""What lies around the nodes of a run."""

import msgspec
from headless_dbt.artifacts import Manifest
from headless_dbt.neighbours import neighbours_of
from headless_dbt.outside_dbt import producers

from tests.unit.builders import manifest, manifest_node

RAW, A, B, C, OTHER = "source.shop.raw.s", "model.shop.a", "model.shop.b", "model.shop.c", "model.shop.other"
BOARD, TEST = "exposure.shop.board", "test.shop.t"
MANIFEST = msgspec.convert(
    manifest(
        manifest_node(RAW, meta={"produced_by": "extract"}),
        manifest_node(A, RAW, tags=["nightly"], description="One a.", meta={"owner": "@ada"}),
        manifest_node(B, A),
        manifest_node(C, B),
        manifest_node(OTHER, "source.shop.raw.else"),
        manifest_node("source.shop.raw.else", meta={"produced_by": "elsewhere"}),
        manifest_node(TEST, A),
        manifest_node(BOARD, C, label="Board", type="dashboard", url="https://b", owner={"name": "Data team"}),
    ),
    Manifest,
)
GRAPH = {node.unique_id: node.depends_on.nodes for node in MANIFEST.every().values()}


def test_all_up_and_down_without_a_result_and_nothing_else() -> None:
    found = neighbours_of({B}, MANIFEST, GRAPH, producers(MANIFEST), lambda node: f"dbt/{node.original_file_path}")
    by_name = {each.unique_id: each for each in found}

    assert by_name.keys() == {RAW, A, C, BOARD, "step.extract"}
    assert by_name[RAW].depends_on == ("step.extract",)
    assert (by_name[A].tags, by_name[A].description, by_name[A].owners) == (("nightly",), "One a.", ("@ada",))
    assert by_name[A].file == "dbt/models/a.sql"
    board = by_name[BOARD]
    assert (board.name, board.kind, board.url, board.owners) == ("Board", "dashboard", "https://b", ("Data team",))


def test_the_steps_of_what_has_a_result_are_there_too() -> None:
    found = neighbours_of({RAW, A, B, C, BOARD}, MANIFEST, GRAPH, producers(MANIFEST), lambda _: "")
    assert [each.unique_id for each in found] == ["step.extract"]
