"""What identifies the code of a node: what would be built otherwise changes it, and nothing else does."""

import json
from typing import Any

import pytest
from headless_dbt.code_manifest import CodeManifest, project_fingerprint, read_code
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
    return read_code(json.dumps(content).encode())


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
    assert _code(**change).fingerprint(A) != _code().fingerprint(A)


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
    assert _code(**change).fingerprint(A) == _code().fingerprint(A)


def test_the_columns_count_where_a_contract_is_enforced() -> None:
    enforced = {"nodes__a__config": {"materialized": "table", "contract": {"enforced": True}}}
    other = {"nodes__a__columns": {"id": {"data_type": "text"}}}
    assert _code(**enforced).fingerprint(A) != _code(**enforced, **other).fingerprint(A)


@pytest.mark.parametrize(
    "change", [{"unit_tests__u__given": [2]}, {"unit_tests__u__expect": {}}, {"unit_tests__u__overrides": {"vars": {}}}]
)
def test_a_unit_test_is_what_it_is_given_and_expects(change: dict[str, Any]) -> None:
    assert _code(**change).fingerprint("unit_test.shop.a.u") != _code().fingerprint("unit_test.shop.a.u")


def test_a_function_has_code_too() -> None:
    assert _code(functions__f__raw_code="y").fingerprint("function.shop.f") != _code().fingerprint("function.shop.f")


def test_what_is_not_there_has_no_fingerprint() -> None:
    assert _code().fingerprint("model.shop.gone") == ""


def test_only_what_dbt_leaves_in_the_warehouse_has_a_relation_there() -> None:
    relations = _code(nodes__b__config={"materialized": "test"}).relations([A, B, E, "model.shop.gone"])
    assert relations == {A: ("db", "main", "a")}


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("vars: {day: 1}\nmodels: {+tags: [x]}\n", True),
        ("vars: {day: 2}\n", False),
        ("vars: {day: 1}\ndispatch: [{macro_namespace: dbt}]\n", False),
    ],
)
def test_the_variables_of_the_project_are_part_of_its_code(text: str, same: bool) -> None:
    assert (project_fingerprint(text) == project_fingerprint("vars: {day: 1}\n")) is same


@pytest.mark.parametrize("text", ["[1]", "a: [", "", "\x00", "a: !!python/object x"])
def test_a_project_file_that_is_none_has_no_fingerprint(text: str) -> None:
    assert project_fingerprint(text) == ""


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[]"])
def test_an_unreadable_manifest_is_said_so(content: bytes) -> None:
    with pytest.raises(RunFolderError, match=r"manifest\.json of the earlier run is not readable"):
        read_code(content)
