"""What identifies the code of a node: what would be built otherwise changes it, and nothing else does."""

import json
from typing import Any

import pytest
from headless_dbt.code_manifest import CodeManifest, read_code_manifest
from headless_dbt.errors import RunFolderError

A, B, E, S = "model.shop.a", "model.shop.b", "model.shop.e", "source.shop.raw.s"


def _code(**changes: Any) -> CodeManifest:
    content: dict[str, Any] = {
        "nodes": {
            A: {
                "checksum": {"checksum": "1"},
                "raw_code": "select 1",
                "config": {"materialized": "table", "contract": {"enforced": False}},
                "columns": {"id": {"data_type": "int", "description": "The key."}},
                "relation_name": '"db"."main"."a"',
                "database": "db",
                "schema": "main",
                "alias": "a",
                "depends_on": {"nodes": [E, S], "macros": []},
            },
            E: {"raw_code": "select 2", "config": {"materialized": "ephemeral"}, "depends_on": {"nodes": [B]}},
            B: {"raw_code": "select 3", "config": {"materialized": "view"}, "relation_name": "b"},
        },
        "sources": {S: {"relation_name": "raw.s"}},
        "unit_tests": {"unit_test.shop.a.u": {"given": [1], "expect": {"rows": []}, "overrides": None}},
        "functions": {"function.shop.f": {"raw_code": "x"}},
    }
    for path, value in changes.items():
        kind, name, field = path.split("__")
        unique_id = {"a": A, "b": B, "e": E, "s": S, "u": "unit_test.shop.a.u", "f": "function.shop.f"}[name]
        content[kind][unique_id][field] = value
    return read_code_manifest(json.dumps(content).encode())


def _of(manifest: CodeManifest, name: str = A) -> str:
    return manifest.code([name], [], str).nodes[name]


@pytest.mark.parametrize(
    "change",
    [
        {"nodes__a__raw_code": "select 9"},
        {"nodes__a__relation_name": '"db"."other"."a"'},
        {"nodes__a__test_metadata": {"kwargs": {"values": [1]}}},
        {"nodes__a__depends_on": {"nodes": [E]}},
        {"nodes__a__config": {"materialized": "table", "contract": {"enforced": True}}},
        # An ephemeral model is part of whoever uses it.
        {"nodes__e__raw_code": "select 9"},
        {"sources__s__relation_name": "raw_2.s"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_would_be_built_otherwise_has_another_fingerprint(change: dict[str, Any]) -> None:
    assert _code(**change).code([A], [], str).nodes[A] != _code().code([A], [], str).nodes[A]


@pytest.mark.parametrize(
    "change",
    [
        # It is built by itself: whether it is the same is its own fingerprint's affair.
        {"nodes__b__raw_code": "select 9"},
        {"nodes__a__columns": {"id": {"data_type": "int", "description": "Better said."}}},
        {"unit_tests__u__given": [2]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_changes_nothing_of_it_keeps_the_fingerprint(change: dict[str, Any]) -> None:
    assert _code(**change).code([A], [], str).nodes[A] == _code().code([A], [], str).nodes[A]


def test_the_columns_count_where_a_contract_is_enforced() -> None:
    enforced = {"nodes__a__config": {"materialized": "table", "contract": {"enforced": True}}}
    other = {"nodes__a__columns": {"id": {"data_type": "text"}}}
    assert _code(**enforced).code([A], [], str).nodes[A] != _code(**enforced, **other).code([A], [], str).nodes[A]


@pytest.mark.parametrize(
    "change", [{"unit_tests__u__given": [2]}, {"unit_tests__u__expect": {}}, {"unit_tests__u__overrides": {"vars": {}}}]
)
def test_a_unit_test_is_what_it_is_given_and_expects(change: dict[str, Any]) -> None:
    assert (
        _code(**change).code(["unit_test.shop.a.u"], [], str).nodes["unit_test.shop.a.u"]
        != _code().code(["unit_test.shop.a.u"], [], str).nodes["unit_test.shop.a.u"]
    )


def test_a_function_has_code_too() -> None:
    assert (
        _code(functions__f__raw_code="y").code(["function.shop.f"], [], str).nodes["function.shop.f"]
        != _code().code(["function.shop.f"], [], str).nodes["function.shop.f"]
    )


def test_what_is_not_there_has_no_fingerprint() -> None:
    assert _code().code(["model.shop.gone"], [], str).nodes["model.shop.gone"] == ""


def test_only_what_dbt_leaves_in_the_warehouse_has_a_relation_there() -> None:
    relations = _code(nodes__b__config={"materialized": "ephemeral"}).relations([A, B, E, "model.shop.gone"])
    assert relations == {A: ("db", "main", "a")}


@pytest.mark.parametrize(
    ("name", "package", "counts"),
    [
        ("duckdb__create_view_as", "shop", True),
        ("create_view_as", "shop", True),
        ("materialization_mine_default", "shop", True),
        ("default__create_view_as", "some_package", True),
        ("cents_to_euros", "shop", False),
        ("duckdb__create_view_as", "dbt_duckdb", False),
    ],
)
def test_a_macro_in_the_place_of_dbts_own_is_part_of_the_surroundings(name: str, package: str, counts: bool) -> None:
    def around(text: str) -> str:
        macros = {
            "macro.dbt.create_view_as": {"name": "create_view_as", "package_name": "dbt", "macro_sql": "x"},
            f"macro.{package}.{name}": {"name": name, "package_name": package, "macro_sql": text},
        }
        content = {"metadata": {"adapter_type": "duckdb"}, "macros": macros}
        return read_code_manifest(json.dumps(content).encode()).code((), ["here"], str).surroundings

    assert (around("one") != around("two")) is counts


def test_a_seed_that_is_too_large_for_dbts_checksum_is_read() -> None:
    seed = {
        "nodes__b__checksum": {"name": "path", "checksum": "seeds/b.csv"},
        "nodes__b__original_file_path": "seeds/b.csv",
    }
    manifest = _code(**seed)
    one = manifest.code([B], [], lambda file: f"{file} then").nodes[B]
    assert one != manifest.code([B], [], lambda file: f"{file} now").nodes[B]
    assert manifest.code([A], [], lambda file: f"{file} then") == manifest.code([A], [], lambda file: f"{file} now")


def test_descriptions_count_where_they_are_persisted() -> None:
    persisted = {"nodes__a__config": {"materialized": "table", "persist_docs": {"relation": True}}}
    other = {"nodes__a__description": "Another."}
    assert _of(_code(**persisted, **other)) != _of(_code(**persisted))
    assert _of(_code(**other)) == _of(_code())


def test_the_hooks_of_the_project_are_named() -> None:
    hook = {"nodes__b__resource_type": "operation"}
    assert _code(**hook).code((), [], str).hooks == (B,)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[]"])
def test_an_unreadable_manifest_is_said_so(content: bytes) -> None:
    with pytest.raises(RunFolderError, match=r"manifest\.json is not readable"):
        read_code_manifest(content)
