"""What of an earlier run stands, and why nothing of it does."""

import json
from typing import Any

import pytest
from headless_dbt.code_manifest import Code, CodeManifest, read_code_manifest
from headless_dbt.resume import Earlier, Takeover, closest, hook_carrier, take_over

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
    return Earlier(make_request(make_context(), **inputs), entries, _code(_read()))


def _read(**changes: Any) -> CodeManifest:
    return read_code_manifest(_manifest(**changes))


def _code(manifest: CodeManifest, around: str = "here") -> Code:
    return manifest.code(SELECTED, [around], str)


def _take_over(earlier: Earlier, around: str = "here", **changes: Any) -> Takeover:
    manifest = _read(**changes)
    return take_over(earlier, REQUEST, _code(manifest, around), manifest, SELECTED)


REQUEST = make_request(make_context())


def test_what_passed_or_warned_is_taken_over() -> None:
    entries = (result(A), result(B, "error"), result(T, "warn"), result("model.shop.other"))

    takeover = _take_over(_earlier(*entries))

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
    takeover = _take_over(_earlier(result(A), result(B, "error")), **change)

    assert takeover.taken == ()
    assert takeover.reason == f"the code of {A} has changed since"


@pytest.mark.parametrize(
    "change",
    [{"node__b__raw_code": "mended"}, {"macro__unused__macro_sql": "other"}],
    ids=lambda change: next(iter(change)),
)
def test_changed_code_of_what_is_built_anyway_does_not_matter(change: dict[str, Any]) -> None:
    takeover = _take_over(_earlier(result(A), result(B, "error")), **change)

    assert [entry["unique_id"] for entry in takeover.taken] == [A]


@pytest.mark.parametrize("name", ["target", "vars", "env", "full-refresh", "project-dir", "dbt-args"])
def test_another_request_builds_everything(name: str) -> None:
    earlier = _earlier(result(A), **{name.replace("-", "_"): "another"})

    takeover = _take_over(earlier)

    assert takeover.taken == ()
    assert f"the input `{name}` was 'another' then" in takeover.reason


def test_nothing_that_passed_builds_everything() -> None:
    assert "nothing selected passed" in _take_over(_earlier()).reason


def test_other_surroundings_build_everything() -> None:
    takeover = _take_over(_earlier(result(A)), around="another connection")

    assert takeover.taken == ()
    assert takeover.reason.startswith("the connection, dbt's version")


def _with_hook(*entries: dict[str, Any], **changes: Any) -> Takeover:
    manifest = _read(**changes)
    code = Code("here", dict.fromkeys(SELECTED, "same"), hooks=(HOOK,))
    return take_over(Earlier(REQUEST, entries, code), REQUEST, code, manifest, SELECTED)


HOOK = "operation.shop.shop-on-run-end-0"


@pytest.mark.parametrize(
    ("hook", "again"), [([], True), ([result(HOOK, "error")], True), ([result(HOOK, "success")], False)]
)
def test_a_hook_that_did_not_pass_has_to_run(hook: list[dict[str, Any]], again: bool) -> None:
    takeover = _with_hook(result(A), result(B), result(T), *hook)
    assert len(takeover.taken) == 3
    assert takeover.with_hooks is again


def test_where_no_test_can_carry_the_hooks_everything_is_built() -> None:
    code = Code("here", {A: "same", B: "same"}, hooks=(HOOK,))
    takeover = take_over(Earlier(REQUEST, (result(A), result(B)), code), REQUEST, code, _read(), (A, B))
    assert takeover.reason == "a hook of it did not pass, and dbt runs hooks only beside a node"
    assert hook_carrier([A, B]) is None
    assert hook_carrier([A, T]) == T


def test_what_is_made_of_something_still_to_be_built_is_built_again() -> None:
    """An earlier run of the child alone says nothing of a child of the parent that is built now."""
    child: dict[str, Any] = {"node__b__depends_on": {"nodes": [A], "macros": []}}
    earlier = Earlier(REQUEST, (result(B), result(T)), _code(_read(**child)))

    takeover = _take_over(earlier, **child)

    assert [entry["unique_id"] for entry in takeover.taken] == [T]


def test_an_ephemeral_parent_which_no_run_has_a_result_for_does_not_count_as_still_to_be_built() -> None:
    ephemeral: dict[str, Any] = {
        "node__a__config": {"materialized": "ephemeral"},
        "node__b__depends_on": {"nodes": [A], "macros": []},
    }
    earlier = Earlier(REQUEST, (result(B),), _code(_read(**ephemeral)))

    takeover = _take_over(earlier, **ephemeral)

    assert [entry["unique_id"] for entry in takeover.taken] == [B]


@pytest.mark.parametrize(
    ("others", "same", "expected"),
    [
        ([], False, []),
        ([{"select": "a"}, {}], False, [1, 0]),
        ([{"select": "a"}, {"target": "ci", "select": "b"}], False, [0, 1]),
        # The newest of those that are as like.
        ([{"select": "a"}, {"select": "b"}], False, [0, 1]),
        ([{"resume_from": "latest"}], True, [0]),
        ([{"select": "a"}], True, []),
    ],
)
def test_of_the_jobs_of_a_run_the_one_with_the_most_similar_request_is_continued(
    others: list[dict[str, str]], same: bool, expected: list[int]
) -> None:
    assert closest([make_request(None, **inputs) for inputs in others], make_request(), same=same) == expected


def test_an_input_of_a_later_version_makes_no_other_request_as_long_as_it_is_left_alone() -> None:
    old, new = make_request(make_context()), make_request(make_context(), schedule="dbt", cost_limit="0")

    assert closest([old], new, same=True) == [0]
    assert closest([old], make_request(make_context(), schedule="critical-path"), same=True) == []
