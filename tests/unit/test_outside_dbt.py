"""The steps outside of dbt, by what a project says of its sources and seeds."""

from typing import Any

import msgspec
import pytest
from headless_dbt.artifacts import Manifest
from headless_dbt.model import Neighbour
from headless_dbt.outside_dbt import producers

from tests.unit.builders import manifest, manifest_node

RAW, SEED, BOARD = "source.shop.raw.orders", "seed.shop.raw_orders", "exposure.shop.scores"


def _producers(*nodes: dict[str, Any]) -> tuple[dict[str, tuple[str, ...]], tuple[Neighbour, ...]]:
    return producers(msgspec.convert(manifest(*nodes), Manifest))


@pytest.mark.parametrize(
    "meta",
    [
        {"meta": {"produced_by": "extract"}},
        {"source_meta": {"produced_by": "extract"}},
        {"config": {"meta": {"produced_by": "extract"}}},
        {"meta": {"produced_by": ["extract"]}},
        {"meta": {"produced_by": {"name": "extract"}}},
        {"meta": {"produced_by": {"name": " extract "}}},
        {"meta": {"produced_by": "extract"}, "source_meta": {"produced_by": "other"}},
    ],
)
def test_what_produces_a_source_is_a_step(meta: dict[str, Any]) -> None:
    found, steps = _producers(manifest_node(RAW, **meta))

    assert found == {RAW: ("step.extract",)}
    assert steps == (Neighbour(unique_id="step.extract", name="extract", resource_type="step"),)


def test_a_step_may_say_more_of_itself_and_stands_once() -> None:
    said = {"name": "extract", "url": "https://e", "owner": "@ada", "description": "Hourly."}
    found, steps = _producers(
        manifest_node(RAW, meta={"produced_by": "extract"}), manifest_node(SEED, meta={"produced_by": [said, "sheet"]})
    )

    assert found == {RAW: ("step.extract",), SEED: ("step.extract", "step.sheet")}
    assert [(step.name, step.url, step.owners) for step in steps] == [
        ("extract", "https://e", ("@ada",)),
        ("sheet", "", ()),
    ]


@pytest.mark.parametrize(
    "said",
    [
        ["extract", {"name": "extract", "owner": "@ada", "description": "Hourly.", "url": "https://e"}],
        [{"name": "extract", "owner": "@ada", "description": "Hourly.", "url": "https://e"}, "extract"],
        [{"name": "extract", "owner": "@ada", "description": "Hourly."}, {"name": "extract", "url": "https://e"}],
        [{"name": "extract", "owner": "@ada", "description": "Hourly.", "url": "https://e"}, {"name": "extract"}],
    ],
)
def test_what_is_said_of_a_step_in_several_places_is_taken_together(said: Any) -> None:
    _, [step] = _producers(manifest_node(RAW, meta={"produced_by": said}))
    assert (step.url, step.owners, step.description) == ("https://e", ("@ada",), "Hourly.")


def test_an_exposure_of_that_name_closes_the_circle() -> None:
    found, steps = _producers(manifest_node(BOARD), manifest_node(RAW, meta={"produced_by": "scores"}))

    assert (found, steps) == ({RAW: (BOARD,)}, ())


@pytest.mark.parametrize("said", [None, "", "  ", 7, True, [], [None], {}, {"name": ""}, {"url": "https://e"}, [[[]]]])
def test_what_names_nothing_is_nothing(said: Any) -> None:
    assert _producers(manifest_node(RAW, meta={"produced_by": said})) == ({}, ())


def test_of_a_model_it_says_nothing() -> None:
    assert _producers(manifest_node("model.shop.a", meta={"produced_by": "x"})) == ({}, ())
