"""The top of the run folder, whatever the attempts left."""

import errno
import json
from pathlib import Path
from typing import Any

import pytest
from headless_dbt.code_manifest import Code
from headless_dbt.errors import RunFolderError
from headless_dbt.final_artifacts import finish_folder, finish_killed_run, read_earlier, write_final_artifacts
from headless_dbt.run_folder import RunFolder

from tests.unit.builders import (
    make_problem,
    make_record,
    make_run_folder,
    manifest,
    manifest_node,
    node_finished,
    node_start,
    result,
    run_results,
)

A, B = "model.shop.a", "model.shop.b"
MANIFEST = manifest(manifest_node(A), manifest_node(B, A))


def _results(folder: RunFolder) -> dict[str, str]:
    document = json.loads((folder.path / "run_results.json").read_text())
    return {entry["unique_id"]: entry["status"] for entry in document["results"]}


def _write(folder: RunFolder, attempt: int, name: str, content: Any) -> None:
    folder.attempt(attempt).mkdir(parents=True, exist_ok=True)
    (folder.attempt(attempt) / name).write_text(json.dumps(content))


def test_the_last_attempts_artifacts_are_final_and_results_are_merged(tmp_path: Path) -> None:
    folder = make_run_folder(
        tmp_path / "run",
        manifest=MANIFEST,
        results=run_results(result(A), result(B, "error")),
        record=make_record(A, B),
    )
    _write(folder, 2, "manifest.json", {**MANIFEST, "of": 2})
    _write(folder, 10, "run_results.json", run_results(result(B)))

    write_final_artifacts(folder)

    assert _results(folder) == {A: "success", B: "success"}
    assert json.loads(folder.artifact("manifest.json").read_text())["of"] == 2


def test_what_was_taken_over_counts_unless_it_ran_again(tmp_path: Path) -> None:
    folder = make_run_folder(
        tmp_path / "run",
        manifest=MANIFEST,
        journal=[node_start(B), node_finished(B, "error", "Binder Error")],
        record=make_record(A, B, problem=make_problem()),
    )
    _write(folder, 0, "run_results.json", run_results(result(A)))

    write_final_artifacts(folder)

    assert _results(folder) == {A: "success", B: "error"}


def test_a_run_that_never_named_its_nodes_has_no_results(tmp_path: Path) -> None:
    folder = make_run_folder(tmp_path / "run", record=make_record(selected=None, attempts=()))

    assert not (folder.path / "run_results.json").exists()


def test_an_older_file_at_the_top_is_never_taken_for_a_result(tmp_path: Path) -> None:
    folder = make_run_folder(tmp_path / "run", manifest=MANIFEST, record=make_record(A, B, problem=make_problem()))
    (folder.path / "run_results.json").write_text(json.dumps(run_results(result(A))))

    write_final_artifacts(folder)

    assert _results(folder) == {A: "skipped", B: "skipped"}


@pytest.mark.parametrize("torn", [b"", b"{", b"\xff", b"[]", b'{"results": 7}', b'{"results": [{}]}', b"null"])
def test_torn_results_of_an_attempt_leave_the_journal_to_tell(tmp_path: Path, torn: bytes) -> None:
    folder = make_run_folder(
        tmp_path / "run",
        manifest=MANIFEST,
        journal=[node_start(A), node_finished(A)],
        record=make_record(A, B, problem=make_problem()),
    )
    (folder.attempt(1) / "run_results.json").write_bytes(torn)

    write_final_artifacts(folder)

    assert _results(folder) == {A: "success", B: "skipped"}


def test_a_killed_run_can_be_continued_though_nobody_finished_it(tmp_path: Path) -> None:
    folder = make_run_folder(tmp_path / "run", manifest=MANIFEST, journal=[node_start(A), node_finished(A)])
    folder.write_session(make_record(A, B, finished=False, problem=make_problem()))

    folder.write_code(Code())

    earlier = read_earlier(folder)

    assert {entry["unique_id"]: entry["status"] for entry in earlier.entries} == {A: "success", B: "skipped"}


def test_a_run_without_a_record_of_its_code_cannot_be_continued(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match=r"code\.json is missing"):
        read_earlier(make_run_folder(tmp_path / "run", record=make_record(A)))


@pytest.mark.parametrize("content", ['{"results": null}', "[]", "null", '{"results": [5]}', '{"results": [{}]}', "{"])
def test_results_that_are_none_cannot_be_continued(tmp_path: Path, content: str) -> None:
    folder = make_run_folder(tmp_path / "run", manifest=MANIFEST, record=make_record(A, B))
    folder.write_code(Code())
    folder.artifact("run_results.json").write_text(content)
    with pytest.raises(RunFolderError):
        read_earlier(folder)


def test_a_manifest_that_a_kill_tore_gives_way_to_that_of_the_parse(tmp_path: Path) -> None:
    """And the nodes that had not begun are known from it."""
    folder = make_run_folder(tmp_path / "run", journal=[node_start(A), node_finished(A)])
    folder.write("manifest.json", json.dumps(MANIFEST).encode())
    (folder.attempt(1) / "manifest.json").write_text(json.dumps(MANIFEST)[:-20])
    folder.write_session(make_record(A, B, problem=make_problem()))

    write_final_artifacts(folder)

    assert json.loads(folder.artifact("manifest.json").read_text()) == MANIFEST
    assert _results(folder) == {A: "success", B: "skipped"}


def test_the_top_shares_its_room_with_the_last_attempt_and_can_be_written_again(tmp_path: Path) -> None:
    folder = make_run_folder(tmp_path / "run", manifest=MANIFEST, record=make_record(A, B))
    assert folder.artifact("manifest.json").samefile(folder.attempt(1) / "manifest.json")

    write_final_artifacts(folder)

    assert folder.artifact("manifest.json").samefile(folder.attempt(1) / "manifest.json")
    assert not list(folder.path.glob(".*"))


def test_no_secret_stays_where_the_artifacts_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_run_folder(tmp_path / "run", manifest=MANIFEST, record=make_record(A, B))
    folder.journal.write_text("the password is hunter2")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(RunFolder, "write", full)
    with pytest.raises(OSError, match="No space left"):
        finish_folder(folder, frozenset({"hunter2"}))
    assert folder.journal.read_text() == "the password is *****"


def test_a_run_that_was_killed_at_its_very_end_leaves_no_secret_either(tmp_path: Path) -> None:
    folder = make_run_folder(tmp_path / "run", record=make_record(A))
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    folder.keep_secrets({"hunter2"}, credentials)

    finish_killed_run(folder)

    assert [file.name for file in tmp_path.iterdir()] == ["run"]
