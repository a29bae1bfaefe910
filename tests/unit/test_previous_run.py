"""Where the previous run is found on this machine."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from headless_dbt.errors import RequestError
from headless_dbt.model import Run
from headless_dbt.previous_run import (
    FILE,
    decode_previous,
    earlier_ones,
    keep_previous,
    named_previous,
    neighbouring_previous,
    read_previous,
)
from headless_dbt.run_folder import RunFolder

from tests.unit.builders import make_node, make_record, make_request, make_run, make_run_folder

DAY = "2026-01-{:02}T06:00:00Z"


def content(run: Run | None = None, **changes: Any) -> bytes:
    document = json.loads(msgspec.json.encode(run or make_run([make_node()])))
    return json.dumps({**document, **changes}).encode()


def make_neighbour(project: Path, day: int, *, reported: bool = True, **inputs: str) -> RunFolder:
    """A run of a day of January, in its folder."""
    path = project / "target/headless_dbt" / f"202601{day:02}T060000Z-x"
    request = make_request(None, **inputs)
    record = make_record("model.shop.a", finished=True, started_at=DAY.format(day))
    folder = make_run_folder(path, request=request, record=record)
    if reported:
        folder.write_run(make_run([make_node()], request=request, started_at=DAY.format(day)))
    return folder


def test_what_an_older_headless_dbt_left_out_is_no_hindrance() -> None:
    nodes = [{"unique_id": "model.shop.a", "status": "success", "a_new_field": {}}]
    old = {
        "schema_version": 1,
        "status": "success",
        "started_at": "",
        "request": {"inputs": {}, "context": {}},
        "nodes": nodes,
    }
    previous = decode_previous(json.dumps(old).encode())
    assert previous
    assert [(node.unique_id, node.tries) for node in previous.nodes] == [("model.shop.a", 1)]


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[]", b"\xff", b"[" * 100_000, content(schema_version=2), content(nodes=[{"unique_id": 1}])],
    ids=["nothing", "torn", "no object", "no text", "deep", "of another version", "of another shape"],
)
def test_what_cannot_be_read_is_no_previous_run(text: bytes) -> None:
    assert decode_previous(text) is None


def test_previous_json_holds_only_what_is_compared(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert read_previous(folder) is None
    previous = decode_previous(content(make_run([make_node(message="long " * 99)])))
    assert previous
    keep_previous(folder, previous)
    assert read_previous(folder) == previous
    assert b"long" not in (tmp_path / FILE).read_bytes()


def test_a_file_or_a_folder_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_bytes(content())
    (tmp_path / "other.json").write_bytes(content())
    assert named_previous(".", tmp_path) == named_previous("other.json", tmp_path) == decode_previous(content())


@pytest.mark.parametrize(
    ("given", "what"),
    [("nowhere", "run.json is not there"), ("bad.json", "bad.json is not a readable one"), ("x" * 300, "is not there")],
)
def test_what_is_named_and_is_none_is_a_wrong_request(tmp_path: Path, given: str, what: str) -> None:
    (tmp_path / "bad.json").write_bytes(content(schema_version=7))
    with pytest.raises(RequestError, match=what):
        named_previous(given, tmp_path)


def test_the_newest_earlier_neighbour_of_the_same_request_is_taken(tmp_path: Path) -> None:
    make_neighbour(tmp_path, 1)
    expected = make_neighbour(tmp_path, 2, resume_from="latest")
    make_neighbour(tmp_path, 3, select="orders")
    make_neighbour(tmp_path, 4, reported=False)
    (make_neighbour(tmp_path, 5).path / "run.json").write_text("torn")
    (make_neighbour(tmp_path, 6).path / "request.json").unlink()
    this = make_neighbour(tmp_path, 7, reported=False)
    make_neighbour(tmp_path, 8)

    found = neighbouring_previous(this, tmp_path)

    assert found
    assert found.started_at == DAY.format(2) == expected.read_run().started_at
    assert neighbouring_previous(make_neighbour(tmp_path, 9, target="dev"), tmp_path) is None


def test_without_a_session_there_is_no_earlier_one(tmp_path: Path) -> None:
    make_neighbour(tmp_path, 1)
    this = make_neighbour(tmp_path, 2)
    (this.path / "session.json").unlink()
    assert neighbouring_previous(this, tmp_path) is None


def test_earlier_runs_are_told_the_newest_first_whatever_they_asked_for(tmp_path: Path) -> None:
    for number, target in enumerate(("prod", "dev")):
        folder = RunFolder(tmp_path / f"target/headless_dbt/2026013{number}T060000Z-x")
        folder.path.mkdir(parents=True)
        folder.write_run(make_run([make_node()], request=make_request(target=target)))
    here = RunFolder(tmp_path / "target/headless_dbt/20260131T060000Z-x")

    assert [run.request.inputs["target"] for run in earlier_ones(here, tmp_path)] == ["prod"]
    assert [run.request.inputs["target"] for run in earlier_ones(RunFolder(tmp_path), tmp_path)] == ["dev", "prod"]
