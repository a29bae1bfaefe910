"""dbt's artifacts: what is read, what is tolerated, what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from headless_dbt.artifacts import read_manifest, read_run_results, read_sources
from headless_dbt.errors import RunFolderError
from hypothesis import given
from hypothesis import strategies as st

from tests.unit import builders
from tests.unit.builders import manifest_node


def _written(folder: Path, name: str, content: Any) -> Path:
    file = folder / name
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


def test_a_manifest_gives_every_kind_of_node_by_unique_id(tmp_path: Path) -> None:
    content = builders.manifest(
        manifest_node("source.shop.raw.orders"),
        manifest_node("model.shop.orders", "source.shop.raw.orders", materialized="table"),
        manifest_node("unit_test.shop.orders.works", "model.shop.orders"),
        manifest_node("exposure.shop.board", "model.shop.orders"),
    )
    content["functions"] = {"function.shop.f": manifest_node("function.shop.f")}
    content["saved_queries"] = {"saved_query.shop.q": manifest_node("saved_query.shop.q")}

    manifest = read_manifest(_written(tmp_path, "manifest.json", content))

    assert manifest is not None
    every = manifest.every()
    assert set(every) == {
        *("source.shop.raw.orders", "model.shop.orders", "unit_test.shop.orders.works", "exposure.shop.board"),
        *("function.shop.f", "saved_query.shop.q"),
    }
    assert every["model.shop.orders"].depends_on.nodes == ["source.shop.raw.orders"]
    assert every["model.shop.orders"].config.materialized == "table"
    assert every["model.shop.orders"].relation_name == '"shop"."main"."orders"'


def test_results_are_read(tmp_path: Path) -> None:
    content = builders.run_results(
        builders.result("model.shop.a"), builders.result("model.shop.b", "error", None, thread_id=None)
    )

    results = read_run_results(_written(tmp_path, "run_results.json", content))

    assert results is not None
    assert [(result.unique_id, result.status, result.message) for result in results.results] == [
        ("model.shop.a", "success", "OK"),
        ("model.shop.b", "error", None),
    ]


@pytest.mark.parametrize(
    ("written", "read"), [("Pass", "pass"), ("Warn", "warn"), ("Error", "error"), ("pass", "pass")]
)
def test_the_freshness_of_dbt_2_is_spelled_as_that_of_dbt_1(tmp_path: Path, written: str, read: str) -> None:
    content = builders.sources(builders.freshness("source.shop.raw.a", written))

    sources = read_sources(_written(tmp_path, "sources.json", content))

    assert sources is not None
    assert [result.status for result in sources.results] == [read]


def test_freshness_is_read_also_where_it_could_not_be_asked_for(tmp_path: Path) -> None:
    content = builders.sources(
        builders.freshness("source.shop.raw.a", "warn"),
        {"unique_id": "source.shop.raw.b", "status": "runtime error", "error": "No such table"},
    )

    read = read_sources(_written(tmp_path, "sources.json", content))

    assert read is not None
    assert [(result.status, result.error, result.max_loaded_at_time_ago_in_s) for result in read.results] == [
        ("warn", None, 86400.0),
        ("runtime error", "No such table", None),
    ]


@pytest.mark.parametrize("read", [read_manifest, read_run_results, read_sources])
def test_an_artifact_that_is_not_there_is_none(tmp_path: Path, read: Any) -> None:
    assert read(tmp_path / "nothing.json") is None


def test_unknown_fields_and_statuses_are_tolerated(tmp_path: Path) -> None:
    content = builders.run_results(builders.result("model.shop.a", "splendid", batch_results={"x": [None]}))
    content["new"] = {"newer": 1}
    content["metadata"]["newest"] = []

    results = read_run_results(_written(tmp_path, "run_results.json", content))

    assert results is not None
    assert results.results[0].status == "splendid"


@pytest.mark.parametrize(
    "schema",
    [
        "https://schemas.getdbt.com/dbt/run-results/v7.json",
        "https://schemas.getdbt.com/dbt/run-results/v5.json",
        "https://schemas.getdbt.com/dbt/run-results/v66.json",
        # The right version of another artifact.
        "https://schemas.getdbt.com/dbt/manifest/v6.json",
        "https://schemas.getdbt.com/dbt/manifest/v12.json",
        "https://schemas.getdbt.com/dbt/run-results/v6",
        "",
    ],
)
def test_a_schema_that_nobody_has_seen_is_refused_with_what_to_do(tmp_path: Path, schema: str) -> None:
    content = builders.run_results()
    content["metadata"]["dbt_schema_version"] = schema

    with pytest.raises(RunFolderError) as caught:
        read_run_results(_written(tmp_path, "run_results.json", content))

    assert str(caught.value) == (
        f"run_results.json has the schema {schema!r}; headless-dbt reads run-results v6. "
        "Use a dbt version that writes it, or a newer headless-dbt."
    )


@pytest.mark.parametrize(
    "content",
    [
        "",
        "not JSON",
        "[]",
        "null",
        "{}",
        '{"metadata": {}, "results": {}}',
        '{"metadata": {"dbt_schema_version": 6}}',
        '{"metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v6.json"}, "results": [{}]}',
        '{"metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v6.json"}, "resul',
        '{"metadata": ' + '{"metadata": ' * 5000,
        '{"new": ' + "[" * 5000,
    ],
    ids=range(11),
)
def test_what_cannot_be_read_is_an_error_that_names_the_file(tmp_path: Path, content: str) -> None:
    with pytest.raises(RunFolderError, match=r"^run_results\.json "):
        read_run_results(_written(tmp_path, "run_results.json", content))


def test_bytes_that_are_no_text_are_an_error_that_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / "sources.json"
    file.write_bytes(b'{"metadata": {"dbt_version": "\xff\xfe"}}')

    with pytest.raises(RunFolderError, match=r"^sources\.json is not a readable dbt sources artifact: "):
        read_sources(file)


@given(cut=st.integers(0, 400))
def test_an_artifact_cut_at_any_byte_is_never_half_read(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    whole = json.dumps(builders.run_results(builders.result("model.shop.a")))
    file = _written(tmp_path_factory.mktemp("cut"), "run_results.json", whole[: min(cut, len(whole) - 1)])

    with pytest.raises(RunFolderError):
        read_run_results(file)
