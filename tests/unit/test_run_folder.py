"""Where each file of a run lies, and how it is written: whole, or not at all."""

import os
import stat
import tempfile
from pathlib import Path

import pytest
from headless_dbt.errors import RequestError, RunFolderError
from headless_dbt.run_folder import RunFolder, SessionRecord, find_run_folder, latest_run_folder, new_run_folder

from tests.unit.builders import make_problem, make_project, make_record, make_request, make_run


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_written_file_is_there_with_its_content_and_readable_by_all(tmp_path: Path) -> None:
    file = RunFolder(tmp_path).write("summary.md", b"green")

    assert file.read_bytes() == b"green"
    assert file.stat().st_mode & 0o777 == 0o644
    assert _names(tmp_path) == ["summary.md"]


def test_a_write_that_fails_leaves_the_older_content_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = RunFolder(tmp_path)
    folder.write("summary.md", b"older")

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", fail)

    with pytest.raises(KeyboardInterrupt):
        folder.write("summary.md", b"newer")
    with pytest.raises(KeyboardInterrupt):
        folder.write("report.html", b"newer")

    assert _names(tmp_path) == ["summary.md"]
    assert folder.summary.read_bytes() == b"older"


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int, mode: str) -> None:
        os.close(descriptor)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fdopen", full)

    with pytest.raises(OSError, match="No space"):
        RunFolder(tmp_path).write("summary.md", b"x")

    assert _names(tmp_path) == []


def test_request_and_session_come_back_as_they_were_written(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    request = make_request(select="schön 'x' \u2028 \x00")
    record = make_record("model.shop.a", problem=make_problem(), stale_sources=("source.shop.raw.a",))

    folder.write_request(request)
    folder.write_session(record)

    assert folder.read_request() == request
    assert folder.read_session() == record


def test_the_run_is_published_as_json_with_its_schema_version(tmp_path: Path) -> None:
    RunFolder(tmp_path).write_run(make_run())

    assert (tmp_path / "run.json").read_text().startswith('{\n  "schema_version": 1,\n')


@pytest.mark.parametrize("name", ["request.json", "session.json"])
def test_a_missing_file_is_named_with_where_to_look(tmp_path: Path, name: str) -> None:
    folder = RunFolder(tmp_path)

    with pytest.raises(RunFolderError) as caught:
        folder.read_request() if name == "request.json" else folder.read_session()

    assert str(caught.value) == (
        f"{tmp_path / name} is missing: `headless-dbt run` did not get to write it. Look at the steps before this one."
    )


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"inputs": 3}', b"\xff", b'{"x": ' + b"[" * 5000])
def test_an_unreadable_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "request.json").write_bytes(content)

    with pytest.raises(RunFolderError, match=r"request\.json is not readable: "):
        RunFolder(tmp_path).read_request()


def test_a_newer_record_with_more_fields_is_still_read(tmp_path: Path) -> None:
    (tmp_path / "session.json").write_text('{"started_at": "x", "mood": "fine"}')

    assert RunFolder(tmp_path).read_session() == SessionRecord(started_at="x")


def test_what_serves_dbt_alone_is_dropped(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    attempt = folder.attempt(1)
    attempt.mkdir(parents=True)
    for name in ("manifest.json", "run_results.json", "partial_parse.msgpack", "graph.gpickle", "semantic.json"):
        (attempt / name).write_text(name)

    folder.drop_dbts_own()

    assert _names(attempt) == ["manifest.json", "run_results.json", "semantic.json"]


def test_of_the_docs_only_the_page_and_the_catalog_are_kept(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    docs = tmp_path / "docs"
    docs.mkdir()
    for name in ("static_index.html", "catalog.json", "index.html", "run_results.json"):
        (docs / name).write_text(name)

    folder.keep_docs(docs)

    assert _names(tmp_path) == ["catalog.json", "docs.html"]
    assert folder.docs_page.read_text() == "static_index.html"
    assert folder.catalog.read_text() == "catalog.json"


def test_docs_that_were_not_written_leave_nothing(tmp_path: Path) -> None:
    RunFolder(tmp_path).keep_docs(tmp_path / "docs")

    assert _names(tmp_path) == []


@pytest.mark.parametrize("exists", [False, True])
def test_a_named_folder_may_be_missing_or_empty(tmp_path: Path, exists: bool) -> None:
    given = tmp_path / "deep" / "run 1"
    if exists:
        given.mkdir(parents=True)

    assert new_run_folder(str(given), tmp_path, "x").path == given
    assert given.is_dir()


@pytest.mark.parametrize("content", ["file in it", "hidden file in it", "a file itself"])
def test_a_named_folder_that_is_not_empty_is_refused_and_left_alone(tmp_path: Path, content: str) -> None:
    given = tmp_path / "run"
    if content == "a file itself":
        given.write_text("x")
    else:
        given.mkdir()
        (given / (".x" if "hidden" in content else "x")).write_text("x")

    with pytest.raises(RequestError, match=r"run-folder: got .* which is not an empty folder; allowed: a new or an"):
        new_run_folder(str(given), tmp_path, "x")

    assert given.exists()


def test_two_runs_of_the_same_second_get_folders_of_their_own(tmp_path: Path) -> None:
    project = make_project(tmp_path / "shop")

    first, second = (new_run_folder("", project, "20260131T060000Z") for _ in range(2))

    assert first.path != second.path
    assert first.path.parent == second.path.parent == project / "target" / "headless_dbt"
    assert first.path.name.startswith("20260131T060000Z-")
    assert first.path.stat().st_mode & 0o777 == 0o755


def test_a_project_that_is_not_there_is_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))

    folder = new_run_folder("", tmp_path / "typo", "20260131T060000Z")

    assert folder.path.parent == tmp_path / "tmp" / "headless_dbt"
    assert not (tmp_path / "typo").exists()


def test_the_newest_run_that_left_a_request_is_the_latest(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    for stamp in ("20260131T060000Z", "20260201T060000Z", "20260130T060000Z"):
        new_run_folder("", project, stamp).write_request(make_request())
    new_run_folder("", project, "20270101T000000Z")

    assert latest_run_folder(project).path.name.startswith("20260201T060000Z-")


def test_without_any_run_the_latest_is_asked_for_by_name(tmp_path: Path) -> None:
    with pytest.raises(RequestError) as caught:
        latest_run_folder(tmp_path)

    assert str(caught.value) == (
        f"run-folder: got none, and there is no run under {tmp_path}/target/headless_dbt; "
        "allowed: the folder of a run. Name it with --run-folder, or run `headless-dbt run` first."
    )


def test_without_a_name_the_newest_folder_of_the_project_is_taken(tmp_path: Path) -> None:
    older, newest = (tmp_path / "target/headless_dbt" / name for name in ("20260130T060000Z-x", "20260131T060000Z-x"))
    for path in (older, newest):
        path.mkdir(parents=True)
        RunFolder(path).write_request(make_request())

    assert find_run_folder("", tmp_path, tmp_path) == RunFolder(newest)
    assert find_run_folder("named", tmp_path, tmp_path) == RunFolder(tmp_path / "named")
    with pytest.raises(RequestError):
        find_run_folder("", tmp_path, tmp_path / "other")


def test_secrets_and_credentials_of_a_run_are_kept_beside_it_and_go_with_it(tmp_path: Path) -> None:
    folder, credentials = RunFolder(tmp_path / "run"), tmp_path / "credentials"
    folder.path.mkdir()
    credentials.mkdir()
    (credentials / "key.json").write_text("{}")

    folder.keep_secrets(frozenset({"hunter2"}), credentials)

    [kept] = [file for file in tmp_path.iterdir() if file.is_file()]
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert folder.read_secrets() == {"hunter2"}
    folder.forget_secrets()
    assert [file.name for file in tmp_path.iterdir()] == ["run"]
    folder.forget_secrets()
    assert folder.read_secrets() == frozenset()


def test_a_kill_while_secrets_are_written_loses_none_of_those_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    folder.keep_secrets({"hunter2"})

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        folder.keep_secrets({"hunter2", "hunter3"}, tmp_path / "credentials")

    assert folder.read_secrets() == {"hunter2"}
    folder.forget_secrets()
    assert [file.name for file in tmp_path.iterdir()] == ["run"]


def test_what_no_run_writes_is_not_uploaded(tmp_path: Path) -> None:
    key = tmp_path / "key.json"
    key.write_text("private")
    run = tmp_path / "run"
    (run / "attempts/1").mkdir(parents=True)
    for name in ("gha-creds-1a2b.json", "gcha-creds-1.json", "attempts/1/application_default_credentials.json"):
        (run / name).write_text("private")
    (run / "link.json").symlink_to(key)
    (run / "attempts/1/linked").symlink_to(tmp_path, target_is_directory=True)
    (run / "run_results.json").write_text("{}")

    RunFolder(run).drop_strangers()

    assert [file.name for file in run.rglob("*") if file.is_file()] == ["run_results.json"]
    assert key.read_text() == "private"
    assert not (run / "attempts/1/linked").is_symlink()


def test_docs_that_are_a_link_are_not_kept(tmp_path: Path) -> None:
    (tmp_path / "key.json").write_text("{}")
    docs, run = tmp_path / "docs", tmp_path / "run"
    docs.mkdir()
    run.mkdir()
    (docs / "catalog.json").symlink_to(tmp_path / "key.json")

    RunFolder(run).keep_docs(docs)

    assert list(run.iterdir()) == []
    assert (tmp_path / "key.json").exists()


def test_credentials_of_other_actions_are_dropped_however_they_are_written(tmp_path: Path) -> None:
    (tmp_path / "GHA-CREDS-0a1b.JSON").write_text("{}")

    RunFolder(tmp_path).drop_strangers()

    assert list(tmp_path.iterdir()) == []
