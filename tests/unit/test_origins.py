"""Where a node comes from, and who owns it."""

from pathlib import PurePosixPath
from typing import Any

import msgspec
import pytest
from headless_dbt.artifacts import Manifest
from headless_dbt.origins import exposure, files_behind, group_of, owners

from tests.unit.builders import manifest, manifest_node

A, B, T = "model.shop.a", "model.shop.b", "test.shop.t"


def _manifest(*nodes: dict[str, Any], **more: Any) -> Manifest:
    content = {**manifest(*nodes), **more}
    content["metadata"] = {**content["metadata"], "project_name": "shop"}
    return msgspec.convert(content, Manifest)


def _graph(found: Manifest) -> dict[str, list[str]]:
    return {node.unique_id: node.depends_on.nodes for node in found.every().values()}


def test_the_files_behind_a_node_are_its_own_its_ancestors_their_macros_and_their_properties() -> None:
    macros = {
        "macro.shop.cents": {
            "package_name": "shop",
            "original_file_path": "macros/cents.sql",
            "patch_path": "shop://macros/cents.yml",
            "depends_on": {"macros": ["macro.shop.deep"]},
        },
        "macro.shop.deep": {
            "package_name": "shop",
            "original_file_path": "macros/deep.sql",
            "depends_on": {"macros": ["macro.shop.cents", "macro.dbt.x", "macro.gone"]},
        },
        "macro.dbt.x": {"package_name": "dbt", "original_file_path": "macros/x.sql"},
        "macro.shared.y": {"package_name": "shared", "original_file_path": "macros/y.sql"},
    }
    found = _manifest(
        manifest_node(A, package_name="shop", patch_path="shop://models/a.yml"),
        {
            **manifest_node(B, A, package_name="shop"),
            "depends_on": {"nodes": [A], "macros": ["macro.shop.cents", "macro.shared.y"]},
        },
        manifest_node("model.shop.other", package_name="shop"),
        macros=macros,
    )
    files = files_behind(B, found, _graph(found), PurePosixPath("dbt"))
    of_all = {"dbt/dbt_project.yml", "dbt/packages.yml", "dbt/dependencies.yml", "dbt/package-lock.yml"}
    assert set(files) - of_all == {
        *("dbt/models/b.sql", "dbt/models/a.sql", "dbt/models/a.yml"),
        *("dbt/macros/cents.sql", "dbt/macros/cents.yml", "dbt/macros/deep.sql"),
        # A package may lie anywhere in the repository.
        "*/macros/y.sql",
    }


GROUPS = {"group.shop.sales": {"name": "sales", "owner": {"name": "Sales team", "email": "sales@example.com"}}}


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        ({"group": "sales", "config": {"meta": {"owner": "@ada"}}}, ("Sales team",)),
        ({"config": {"group": "sales"}}, ("Sales team",)),
        ({"config": {"meta": {"owner": "@ada"}}}, ("@ada",)),
        ({"meta": {"owner": ["@ada", "data@example.com"]}}, ("@ada", "data@example.com")),
        ({"meta": {"owner": "@ada, @acme/data , "}}, ("@ada", "@acme/data")),
        ({"meta": {"owner": {"github": "ada", "name": "Ada"}}}, ("@ada",)),
        ({"meta": {"owner": {"email": "data@example.com"}}}, ("data@example.com",)),
        ({"meta": {"owner": 7}}, ()),
        ({"group": "gone"}, ()),
        ({}, ()),
    ],
)
def test_a_node_is_owned_by_its_group_else_by_its_meta(node: dict[str, Any], expected: tuple[str, ...]) -> None:
    found = _manifest({**manifest_node(A), "config": {}, **node}, groups=GROUPS)
    assert owners(found.nodes[A], found) == expected


def test_a_test_is_owned_by_whoever_owns_what_it_tests_unless_it_says_otherwise() -> None:
    model = {**manifest_node(A), "group": "sales"}
    test = {**manifest_node(T, A), "resource_type": "test", "attached_node": A}
    found = _manifest(model, test, groups=GROUPS)
    assert owners(found.nodes[T], found) == ("Sales team",)
    found = _manifest(model, {**test, "meta": {"owner": "@ada"}}, groups=GROUPS)
    assert owners(found.nodes[T], found) == ("@ada",)
    assert group_of(found.nodes[A]) == "sales"


def test_an_exposure_has_its_label_for_a_name() -> None:
    node = {
        **manifest_node("exposure.shop.board", A),
        "label": "Weekly revenue",
        "type": "dashboard",
        "url": "https://bi/1",
        "owner": {"email": "a@example.com"},
    }
    shown = exposure(_manifest(node).exposures["exposure.shop.board"])
    assert (shown.name, shown.kind, shown.owner, shown.depends_on) == (
        "Weekly revenue",
        "dashboard",
        "a@example.com",
        (A,),
    )
