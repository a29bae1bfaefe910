"""What of an earlier run stands, and why nothing of it does."""

import json
from typing import Any

import pytest
from headless_dbt.code_manifest import read_code
from headless_dbt.resume import Earlier, closest, take_over

from tests.unit.builders import make_context, make_request, result

A, B, T = "model.shop.a", "model.shop.b", "test.shop.t"
SELECTED = (A, B, T)


def _manifest(**changes: Any) -> bytes:
    nodes = {
        A: {"checksum": {"checksum": "1"}, "raw_code": "select 1", "config": {"materialized": "view"},
            "depends_on": {"macros": ["macro.shop.m"]}},
        B: {"checksum": {"checksum": "2"}, "raw_code": "select 2", "config": {}, "depends_on": {"macros": []}},
        T: {"checksum": {"checksum": ""}, "raw_code": "{{ test_x() }}", "config": {"severity": "error"}},
    }  # fmt: skip
    macros = {
        "macro.shop.m": {"macro_sql": "m", "depends_on": {"macros": ["macro.shop.deep"]}},
        "macro.shop.deep": {"macro_sql": "deep", "depends_on": {"macros": ["macro.shop.m"]}},
        "macro.shop.unused": {"macro_sql": "unused"},
    }
    for path, value in changes.items():
        kind, name, field = path.split("__")
        {"node": nodes, "macro": macros}[kind][{"a": A, "b": B, "t": T}.get(name, f"macro.shop.{name}")][field] = value  # type: ignore[index]
    return json.dumps({"nodes": nodes, "macros": macros}).encode()


def _earlier(*entries: dict[str, Any], **inputs: str) -> Earlier:
    return Earlier(make_request(make_context(), **inputs), entries, read_code(_manifest()))


REQUEST = make_request(make_context())


def test_what_passed_or_warned_is_taken_over() -> None:
    entries = (result(A), result(B, "error"), result(T, "warn"), result("model.shop.other"))

    takeover = take_over(_earlier(*entries), REQUEST, read_code(_manifest()), SELECTED)

    assert [entry["unique_id"] for entry in takeover.taken] == [A, T]


@pytest.mark.parametrize(
    "change",
    [
        {"node__a__checksum": {"checksum": "9"}},
        {"node__a__raw_code": "select 9"},
        {"node__a__config": {"materialized": "table"}},
        {"macro__m__macro_sql": "other"},
        {"macro__deep__macro_sql": "other"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_changed_code_of_what_would_be_taken_over_builds_everything(change: dict[str, Any]) -> None:
    takeover = take_over(_earlier(result(A), result(B, "error")), REQUEST, read_code(_manifest(**change)), SELECTED)

    assert takeover.taken == ()
    assert takeover.reason == f"the code of {A} has changed since"


@pytest.mark.parametrize(
    "change",
    [{"node__b__raw_code": "mended"}, {"macro__unused__macro_sql": "other"}],
    ids=lambda change: next(iter(change)),
)
def test_changed_code_of_what_is_built_anyway_does_not_matter(change: dict[str, Any]) -> None:
    takeover = take_over(_earlier(result(A), result(B, "error")), REQUEST, read_code(_manifest(**change)), SELECTED)

    assert [entry["unique_id"] for entry in takeover.taken] == [A]


@pytest.mark.parametrize("name", ["target", "vars", "env", "full-refresh", "project-dir", "dbt-args"])
def test_another_request_builds_everything(name: str) -> None:
    earlier = _earlier(result(A), **{name.replace("-", "_"): "another"})

    takeover = take_over(earlier, REQUEST, read_code(_manifest()), SELECTED)

    assert takeover.taken == ()
    assert f"the input `{name}` was 'another' then" in takeover.reason


def test_nothing_that_passed_builds_everything() -> None:
    assert "nothing that is selected passed" in take_over(_earlier(), REQUEST, read_code(_manifest()), SELECTED).reason


def test_changed_variables_of_the_project_build_everything() -> None:
    takeover = take_over(_earlier(result(A)), REQUEST, read_code(_manifest()), SELECTED, project="other")

    assert takeover.taken == ()
    assert "dbt_project.yml have changed" in takeover.reason


def test_what_is_made_of_something_still_to_be_built_is_built_again() -> None:
    """An earlier run of the child alone says nothing of a child of the parent that is built now."""
    child = {"node__b__depends_on": {"nodes": [A], "macros": []}}
    earlier = Earlier(REQUEST, (result(B), result(T)), read_code(_manifest(**child)))

    takeover = take_over(earlier, REQUEST, read_code(_manifest(**child)), SELECTED)

    assert [entry["unique_id"] for entry in takeover.taken] == [T]


def test_an_ephemeral_parent_which_no_run_has_a_result_for_does_not_count_as_still_to_be_built() -> None:
    ephemeral = {
        "node__a__config": {"materialized": "ephemeral"},
        "node__b__depends_on": {"nodes": [A], "macros": []},
    }
    earlier = Earlier(REQUEST, (result(B),), read_code(_manifest(**ephemeral)))

    takeover = take_over(earlier, REQUEST, read_code(_manifest(**ephemeral)), SELECTED)

    assert [entry["unique_id"] for entry in takeover.taken] == [B]


@pytest.mark.parametrize(
    ("others", "same", "expected"),
    [
        ([], False, None),
        ([{"select": "a"}, {}], False, 1),
        ([{"select": "a"}, {"target": "ci", "select": "b"}], False, 0),
        # The newest of those that are as like.
        ([{"select": "a"}, {"select": "b"}], False, 0),
        ([{"resume_from": "latest"}], True, 0),
        ([{"select": "a"}], True, None),
    ],
)
def test_of_the_jobs_of_a_run_the_one_with_the_most_similar_request_is_continued(
    others: list[dict[str, str]], same: bool, expected: int | None
) -> None:
    assert closest([make_request(None, **inputs) for inputs in others], make_request(), same=same) == expected
