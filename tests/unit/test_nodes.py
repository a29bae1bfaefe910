"""A result and what the manifest says of it, as one node."""

from typing import Any

import msgspec
import pytest
from headless_dbt.artifacts import FreshnessResult, Manifest, NodeResult
from headless_dbt.model import Freshness, Node
from headless_dbt.nodes import Project, with_waiting

from tests.unit.builders import freshness, manifest, manifest_node, result

A = "model.shop.a"


def _node(
    directory: str = "dbt",
    usd_per_tib: float = 6.25,
    known: dict[str, Any] | None = None,
    adapter: str = "bigquery",
    **more: Any,
) -> Node:
    document = manifest(manifest_node(A, **(known or {})))
    document["metadata"] |= {"project_name": "shop", "adapter_type": adapter}
    project = Project(directory, msgspec.convert(document, Manifest), {}, {A: ("step.x",)}, usd_per_tib)
    [node] = project.nodes_of((), [msgspec.convert(result(A, **more), NodeResult)], {})
    return node


def test_what_the_manifest_says() -> None:
    known = {
        "package_name": "shop",
        "tags": "nightly",
        "description": "One.",
        "group": "sales",
        "patch_path": "shop://models/a.yml",
    }
    node = _node(known=known, compiled_code="select 1")

    assert (node.tags, node.description, node.group, node.materialized) == (("nightly",), "One.", "sales", "view")
    assert (node.file, node.properties_file) == ("dbt/models/a.sql", "dbt/models/a.yml")
    assert (node.depends_on, node.compiled_code, node.package) == (("step.x",), "select 1", "shop")


@pytest.mark.parametrize(("directory", "file"), [(".", "models/a.sql"), ("./dbt/", "dbt/models/a.sql")])
def test_a_file_begins_at_the_root_of_the_repository(directory: str, file: str) -> None:
    assert _node(directory).file == file


def test_a_file_of_a_package_is_not_named() -> None:
    assert _node(known={"package_name": "dbt_utils", "patch_path": "dbt_utils://x.yml"}).properties_file == ""


def test_what_the_warehouse_says() -> None:
    node = _node(adapter_response={"rows_affected": 5, "bytes_processed": 2**39, "bytes_billed": 2**40, "slot_ms": 7})
    assert (node.rows, node.bytes_processed, node.bytes_billed, node.slot_ms, node.cost) == (5, 2**39, 2**40, 7, 6.25)
    assert _node(usd_per_tib=0.0, adapter_response={"bytes_billed": 2**40}).cost is None


def test_what_failed_on_bigquery_has_advice() -> None:
    message = "Database Error in model a (models/a.sql)\n  Not found: Dataset shop:raw was not found in location US"
    node = _node(status="error", message=message)
    assert (node.message, node.advice.partition(".")[0]) == (
        message,
        "There is no dataset `raw` in location `US` of project `shop`",
    )
    assert _node(status="error", message="Unrecognized name: x").advice == ""
    assert _node(status="error", message=message, adapter="duckdb").advice == ""
    assert [_node(status=status, message=message).advice for status in ("success", "warn", "skipped")] == [""] * 3


@pytest.mark.parametrize("check", ["test.shop.t", "unit_test.shop.a.u"])
def test_the_row_of_a_verdict_is_no_data(check: str) -> None:
    said = result(check, "pass", adapter_response={"rows_affected": 1, "bytes_billed": 2**40})
    project = Project(".", msgspec.convert(manifest(manifest_node(check, A)), Manifest), {}, {})
    [node] = project.nodes_of((), [msgspec.convert(said, NodeResult)], {})
    assert (node.rows, node.bytes_billed) == (None, 2**40)


def test_the_phases_of_its_time() -> None:
    node = _node()
    assert (node.compile_time, node.execute_time) == (1.0, 1.0)
    # dbt 2 gives the whole of a node as both.
    whole = {"started_at": "2026-01-31T06:00:01Z", "completed_at": "2026-01-31T06:00:03Z"}
    node = _node(timing=[{"name": "compile", **whole}, {"name": "execute", **whole}])
    assert (node.compile_time, node.execute_time, node.started_at) == (0.0, 0.0, whole["started_at"])


@pytest.mark.parametrize(("attached", "tests"), [(A, A), (None, "model.shop.b")])
def test_what_a_test_tests(attached: str | None, tests: str) -> None:
    test = "test.shop.t"
    document = manifest(manifest_node(test, "model.shop.b", attached_node=attached))
    project = Project(".", msgspec.convert(document, Manifest), {}, {})
    [node] = project.nodes_of((), [msgspec.convert(result(test, "pass"), NodeResult)], {})
    assert node.attached_to == tests


def test_what_a_test_of_two_models_tests_nobody_knows() -> None:
    test = "test.shop.t"
    document = manifest(manifest_node(test, A, "model.shop.b"))
    [node] = Project(".", msgspec.convert(document, Manifest), {}, {}).nodes_of(
        (), [msgspec.convert(result(test, "pass"), NodeResult)], {}
    )
    assert node.attached_to == ""


def test_the_age_of_a_source() -> None:
    said = freshness("source.shop.raw.s", criteria={"warn_after": {"count": 2, "period": "day"}, "error_after": {}})
    [node] = Project(".", None, {}, {}).nodes_of([msgspec.convert(said, FreshnessResult)], [], {})
    assert node.freshness == Freshness(loaded_at="2026-01-30T06:00:00Z", age=86400.0, warn_after=172800.0)


def test_of_what_was_tried_again_nobody_knows_how_long_it_waited() -> None:
    node = _node()
    assert [each.waiting_time for each in with_waiting([node], {A: 1.5})] == [1.5]
    assert [each.waiting_time for each in with_waiting([msgspec.structs.replace(node, tries=2)], {A: 1.5})] == [0.0]
