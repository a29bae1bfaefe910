"""A report on what somebody else's dbt left."""

import json
from pathlib import Path
from typing import Any

import pytest
from headless_dbt.assemble import assemble_run
from headless_dbt.errors import RequestError
from headless_dbt.model import Context, Run
from headless_dbt.plain_artifacts import adopt
from headless_dbt.run_folder import RunFolder

from tests.unit.builders import freshness, manifest, manifest_node, result, run_results, sources

A, B, RAW = "model.shop.a", "model.shop.b", "source.shop.raw.s"
MANIFEST = manifest(manifest_node(A, RAW), manifest_node(B, A), manifest_node(RAW))


def _target(folder: Path, *results: dict[str, Any], command: str = "build", **arguments: Any) -> Path:
    folder.mkdir()
    document = {
        **run_results(*results),
        "args": {"which": command, "target": "prod", **arguments},
        "elapsed_time": 12.5,
    }
    document["metadata"]["generated_at"] = "2026-02-01T06:00:12.500000Z"
    (folder / "manifest.json").write_text(json.dumps(MANIFEST))
    (folder / "run_results.json").write_text(json.dumps(document))
    return folder


def _adopted(tmp_path: Path, target: Path) -> Run:
    (tmp_path / "run").mkdir()
    adopt(target, RunFolder(tmp_path / "run"), Context(repository="acme/shop"), frozenset({"hunter2"}))
    return assemble_run(RunFolder(tmp_path / "run"))


def test_a_target_folder_becomes_a_run(tmp_path: Path) -> None:
    target = _target(
        *(tmp_path / "target", result(A, "error", "Binder Error"), result(B, "skipped")),
        select=["tag:nightly", "b+"],
        exclude=(),
        selector=None,
        vars={"day": 1},
    )
    (target / "sources.json").write_text(json.dumps(sources(freshness(RAW, "warn"))))
    (target / "partial_parse.msgpack").write_bytes(b"x")

    run = _adopted(tmp_path, target)

    assert (run.status, run.exit_code, run.elapsed, run.started_at) == ("failure", 1, 12.5, "2026-02-01T06:00:00Z")
    assert {node.unique_id: node.status for node in run.nodes} == {A: "error", B: "skipped", RAW: "warn"}
    inputs = run.request.inputs
    assert (inputs["target"], inputs["select"], inputs["exclude"]) == ("prod", "tag:nightly b+", "")
    assert json.loads(inputs["vars"]) == {"day": 1}
    assert run.request.context.repository == "acme/shop"
    assert run.causes[0].blocks == 1
    assert not list((tmp_path / "run").rglob("partial_parse.msgpack"))


@pytest.mark.parametrize("command", ["build", "run", "test", "seed", "snapshot", "retry"])
def test_a_green_one_is_green(tmp_path: Path, command: str) -> None:
    assert _adopted(tmp_path, _target(tmp_path / "target", result(A), result(B), command=command)).exit_code == 0


@pytest.mark.parametrize("file", ["manifest.json", "run_results.json"])
def test_a_missing_file_is_named(tmp_path: Path, file: str) -> None:
    target = _target(tmp_path / "target", result(A))
    (target / file).unlink()
    with pytest.raises(RequestError, match=f"there is no {file} in it"):
        _adopted(tmp_path, target)


@pytest.mark.parametrize("command", ["compile", "generate", "show", ""])
def test_results_of_a_command_that_builds_nothing_are_refused(tmp_path: Path, command: str) -> None:
    with pytest.raises(RequestError, match="which builds nothing"):
        _adopted(tmp_path, _target(tmp_path / "target", result(A), command=command))


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "{}", '{"args": 1, "metadata": {}, "results": [1]}'])
def test_results_that_are_none_are_refused(tmp_path: Path, content: str) -> None:
    target = _target(tmp_path / "target", result(A))
    (target / "run_results.json").write_text(content)
    with pytest.raises(RequestError, match="is not readable"):
        _adopted(tmp_path, target)


def test_nothing_is_written_into_the_target_folder(tmp_path: Path) -> None:
    target = _target(tmp_path / "target", result(A))
    before = {file.name: file.read_bytes() for file in target.iterdir()}
    _adopted(tmp_path, target)
    assert {file.name: file.read_bytes() for file in target.iterdir()} == before


def test_a_link_brings_nothing_along_from_elsewhere(tmp_path: Path) -> None:
    target = _target(tmp_path / "target", result(A, "success"))
    (tmp_path / "key.json").write_text('{"client_secret": "s-e-c"}')
    (target / "catalog.json").symlink_to(tmp_path / "key.json")

    _adopted(tmp_path, target)

    assert not list((tmp_path / "run").rglob("catalog.json"))


@pytest.mark.parametrize(
    ("checked", "counts"),
    [
        ("2026-02-01T05:59:00Z", True),
        ("2026-02-01T07:00:00+00:00", True),
        ("2026-01-30T06:00:00.123Z", False),
        ("yesterday", True),
    ],
)
def test_a_check_of_freshness_counts_where_it_is_of_the_run(tmp_path: Path, checked: str, counts: bool) -> None:
    target = _target(tmp_path / "target", result(A), result(B))
    document = sources(freshness(RAW, "error"))
    document["metadata"]["generated_at"] = checked
    (target / "sources.json").write_text(json.dumps(document))
    assert (_adopted(tmp_path, target).status == "failure") is counts
