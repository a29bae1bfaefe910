"""What dbt 2 is asked, and what is made of its answers."""

import json
from pathlib import Path
from typing import Any

import pytest
from headless_dbt.rust_engine import (
    LISTED,
    Outcome,
    RustEngine,
    failed_before,
    mend_artifacts,
    surroundings,
    translated,
)

COMMON = ["--project-dir", "/p", "--log-path", "/run", "--log-file-max-bytes", "0", "--write-json", "--no-use-colors"]
PLAIN = ["--project-dir", "/p", "--log-path", "/run", "--write-json"]


def event(name: str, message: str = "", level: str = "info", **data: Any) -> str:
    info = {"name": name, "level": level, "msg": message, "ts": "2026-11-27T06:00:01.5Z"}
    return json.dumps({"info": info, "data": data}) + "\n"


def outcome_of(*lines: str, code: int = 1, shown: bool = True) -> Outcome:
    outcome = Outcome(shown=shown)
    for line in lines:
        outcome.take(line)
    outcome.return_code = code
    return outcome


@pytest.mark.parametrize(
    ("argv", "taken"),
    [
        (["build", *COMMON, "--threads", "2"], ["build", *PLAIN, "--threads", "2"]),
        (["list", *COMMON, "--log-level", "none", "--output", "json"], ["list", *PLAIN, "--output", "json"]),
        (["docs", "generate", "--static", "--no-compile", *COMMON], ["compile", "--write-catalog", *PLAIN]),
        (["compile", "--no-introspect", "--no-populate-cache", "--inline", "x"], ["compile", "--inline", "x"]),
        (["deps", *COMMON], ["deps", *PLAIN]),
        (["build", "--select=result:error", "--state", "s", *COMMON], ["build", "--state", "s", *PLAIN]),
    ],
)
def test_the_arguments_of_dbt_core_become_those_that_it_takes(argv: list[str], taken: list[str]) -> None:
    assert translated(argv) == taken


@pytest.mark.parametrize(
    ("statuses", "selected"),
    [
        ({"model.p.a": "error", "model.p.b": "success", "unit_test.p.a.u": "error"}, ["fqn:p.marts.a", "fqn:p.a.u"]),
        ({"model.p.a": "success"}, ["fqn:of.no.node"]),
    ],
)
def test_what_failed_before_is_selected_by_name(tmp_path: Path, statuses: dict[str, str], selected: list[str]) -> None:
    results = [{"unique_id": name, "status": status} for name, status in statuses.items()]
    (tmp_path / "run_results.json").write_text(json.dumps({"results": results}))
    nodes = {"model.p.a": {"fqn": ["p", "marts", "a"]}, "model.p.b": {"fqn": ["p", "b"]}}
    manifest = {"nodes": nodes, "unit_tests": {"unit_test.p.a.u": {"fqn": ["p", "a", "u"]}}}

    assert failed_before(tmp_path, manifest) == selected


@pytest.fixture
def binary(tmp_path: Path) -> Path:
    """One that notes what it is asked, and leaves a log of statements."""
    file = tmp_path / "dbt"
    (tmp_path / "events").write_text(event("PrintEvent", '{"unique_id":"a"}') + event("CommandCompleted"))
    note = f'echo "$*" >> "{tmp_path}/asked"; touch "{tmp_path}/query_log.sql"'
    file.write_text(f'#!/bin/sh\n{note}\ncat "{tmp_path}/events"\n')
    file.chmod(0o755)
    return file


def test_each_command_is_a_process_that_logs_in_json(binary: Path, tmp_path: Path) -> None:
    engine = RustEngine(binary, docs=True)
    common = ["--project-dir", str(tmp_path), "--profiles-dir", str(tmp_path), "--log-path", str(tmp_path)]
    common += ["--target-path", str(tmp_path)]

    parsed, listed, built = (engine.answer({"argv": [name, *common]}) for name in ("parse", "list", "build"))

    assert all((each["success"], each["exception"]) == (True, None) for each in (parsed, listed, built))
    assert parsed["lines"] == surroundings(["parse", *common])
    assert listed["lines"] == ['{"unique_id":"a"}']
    asked = (tmp_path / "asked").read_text().splitlines()
    assert [line.split()[0] for line in asked] == ["parse", "list", "build"]
    assert all(line.endswith("--log-format json") for line in asked)
    # The catalog is made while it builds, where there will be docs.
    assert ["--write-catalog" in line for line in asked] == [False, False, True]
    assert not (tmp_path / "query_log.sql").exists()


@pytest.mark.parametrize("selecting", ["", "--select=a", "selectors.yml", "DBT_EXCLUDE_RESOURCE_TYPES"])
def test_a_list_of_everything_is_read_from_the_manifest(
    binary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, selecting: str
) -> None:
    nodes: dict[str, Any] = {"nodes": {"model.p.a": {}, "operation.p.hook": {}}, "sources": {"source.p.raw.x": {}}}
    (tmp_path / "manifest.json").write_text(json.dumps(nodes))
    if selecting.endswith(".yml"):
        (tmp_path / selecting).touch()
    if selecting.startswith("DBT_"):
        monkeypatch.setenv(selecting, "test")
    more = [selecting] if selecting.startswith("--") else []
    engine = RustEngine(binary, docs=False)
    common = ["--project-dir", str(tmp_path), "--profiles-dir", str(tmp_path), "--target-path", str(tmp_path)]
    engine.answer({"argv": ["parse", *common]})

    listed = engine.answer({"argv": ["list", *common, *more, *LISTED]})

    asked = [line.split()[0] for line in (tmp_path / "asked").read_text().splitlines()]
    found = [json.loads(line)["unique_id"] for line in listed["lines"]]
    if selecting:
        assert (asked, found) == (["parse", "list"], ["a"])
    else:
        assert (asked, found) == (["parse"], ["model.p.a", "source.p.raw.x"])


def test_the_catalog_of_the_build_is_that_of_the_docs(binary: Path, tmp_path: Path) -> None:
    engine, docs = RustEngine(binary, docs=True), tmp_path / "docs"
    docs.mkdir()
    engine.answer({"argv": ["build", "--target-path", str(tmp_path)]})
    (tmp_path / "catalog.json").write_text("{}")

    reply = engine.answer({"argv": ["docs", "generate", "--target-path", str(docs)]})

    assert reply["success"]
    assert "catalog.json is there" in reply["exception"]["message"]
    assert (docs / "catalog.json").read_text() == "{}"
    assert len((tmp_path / "asked").read_text().splitlines()) == 1


def test_an_order_of_ours_is_refused(binary: Path) -> None:
    with pytest.raises(NotImplementedError):
        RustEngine(binary, docs=False).answer({"schedule": {"seconds": {}}})


BAD_NODE = event("NodeFinished", node_info={"unique_id": "model.p.a", "node_status": "error"})
NODE_ERROR = event("Generic", "[error] [X (dbt1)]: no", "error", node_info={"unique_id": "model.p.a"})
ERROR = event("Generic", "[error] [X (dbt1)]: no way", "error")
DONE = event("CommandCompleted")


@pytest.mark.parametrize(
    ("command", "lines", "code", "exception"),
    [
        ("build", [DONE], 0, None),
        ("build", [BAD_NODE, NODE_ERROR, DONE], 1, None),
        ("build", [BAD_NODE, ERROR, DONE], 1, None),
        ("build", [BAD_NODE], 1, ("", "see its log")),
        ("build", [ERROR, DONE], 1, ("", "[X (dbt1)]: no way")),
        ("parse", [ERROR, ERROR, DONE], 1, ("", "[X (dbt1)]: no way")),
        ("build", [], -9, ("", "dbt was killed by signal 9")),
        (
            "build",
            ["error: unexpected argument '--x' found\n", "\n", "Usage\n"],
            2,
            ("DbtUsageException", "unexpected"),
        ),
        ("build", ["thread 'main' panicked\n"], 101, ("", "thread 'main' panicked")),
    ],
)
def test_a_failure_is_told_by_its_nodes_or_as_an_exception(
    command: str, lines: list[str], code: int, exception: tuple[str, str] | None
) -> None:
    told = outcome_of(*lines, code=code).exception(command)
    if exception is None:
        assert told is None
    else:
        assert told is not None
        assert told["type"] == exception[0]
        assert told["message"].startswith(exception[1])


def test_what_it_finds_and_compiles_are_its_lines(capsys: pytest.CaptureFixture[str]) -> None:
    found = outcome_of(
        event("PrintEvent", '{"unique_id": "model.p.a"}'), event("CompiledNode", compiled="4"), shown=False
    )
    assert found.lines == ['{"unique_id": "model.p.a"}', "4"]
    assert capsys.readouterr().out == ""


def test_its_log_is_shown_as_dbt_core_shows_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    outcome_of(event("LogModelResult", "Succeeded model"), event("SQLQuery", "select 1", "debug"), '{"torn": \n')
    assert capsys.readouterr().out == '06:00:01  Succeeded model\n{"torn": \n'


def test_results_that_are_not_true_are_no_results(tmp_path: Path) -> None:
    """It writes some where it could not connect, and where it was interrupted."""
    argv, file = ["build", "--target-path", str(tmp_path)], tmp_path / "run_results.json"
    start = event("NodeStart")
    cancelled = event("Generic", "[error] [OperationCanceled (dbt8995)]: Operation cancelled", "error")
    for lines, stays in (([ERROR], False), ([start, BAD_NODE], True), ([start, cancelled], False)):
        file.write_text("{}")
        mend_artifacts(argv, outcome_of(*lines, DONE))
        assert file.exists() is stays


def test_a_check_of_freshness_that_fails_itself_is_on_record(tmp_path: Path) -> None:
    bad = event("NodeFinished", node_info={"unique_id": "source.p.raw.a", "node_status": "error"})
    mend_artifacts(["source", "freshness", "--target-path", str(tmp_path)], outcome_of(bad, ERROR, DONE))
    [result] = json.loads((tmp_path / "sources.json").read_text())["results"]
    assert result == {"unique_id": "source.p.raw.a", "status": "runtime error", "error": "[X (dbt1)]: no way"}


@pytest.mark.parametrize("change", ["profile", "project", "variable", "package", "target", "nothing"])
def test_surroundings_change_with_what_is_of_no_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    monkeypatch.setenv("SCHEMA", "one")
    monkeypatch.setenv("OTHER", "one")
    (tmp_path / "dbt_packages/p").mkdir(parents=True)
    files = {"profile": "profiles.yml", "project": "dbt_project.yml", "package": "dbt_packages/p/dbt_project.yml"}
    for name in files.values():
        (tmp_path / name).write_text("name: x\n")
    (tmp_path / "model.sql").write_text("select '{{ env_var( \"SCHEMA\") }}'")
    argv = ["parse", "--project-dir", str(tmp_path), "--profiles-dir", str(tmp_path), "--target", "prod"]
    before = surroundings(argv)

    if change in files:
        (tmp_path / files[change]).write_text("name: y\n")
    elif change == "variable":
        monkeypatch.setenv("SCHEMA", "hunter2")
    elif change == "target":
        argv[-1] = "dev"
    else:
        monkeypatch.setenv("OTHER", "two")

    assert (surroundings(argv) == before) is (change == "nothing")
    assert "hunter2" not in str(surroundings(argv))
