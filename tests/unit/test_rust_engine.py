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


def outcome_of(*lines: str, code: int = 1, command: str = "build") -> Outcome:
    outcome = Outcome(command)
    for line in lines:
        outcome.take(line)
    outcome.return_code = code
    return outcome


@pytest.mark.parametrize(
    ("argv", "taken"),
    [
        (["build", *COMMON, "--threads", "2"], ["build", *PLAIN, "--threads", "2"]),
        (["list", *COMMON, "--log-level", "none", "--output", "json"], ["list", *PLAIN, "--output", "json"]),
        (["parse", "--full-refresh", *COMMON], ["parse", *PLAIN]),
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
        (
            {"model.p.a": "error", "model.p.b": "success", "unit_test.p.a.u": "error"},
            ["fqn:p.marts.a,file:a.sql", "fqn:p.a.u"],
        ),
        # Each of these characters would end the selector, or be more than itself.
        ({"seed.p.b": "error"}, ["fqn:p.new?files??1?.b,file:b?.csv"]),
        ({"function.p.f": "error"}, ["fqn:p.f,file:f.sql"]),
        ({"model.p.a": "success"}, ["fqn:of.no.node"]),
    ],
)
def test_what_failed_before_is_selected_by_name(tmp_path: Path, statuses: dict[str, str], selected: list[str]) -> None:
    results = [{"unique_id": name, "status": status} for name, status in statuses.items()]
    (tmp_path / "run_results.json").write_text(json.dumps({"results": results}))

    def node(file: str, *fqn: str) -> dict[str, Any]:
        return {"fqn": fqn, "original_file_path": file}

    manifest = {
        "nodes": {
            "model.p.a": node("models/marts/a.sql", "p", "marts", "a"),
            "seed.p.b": node("seeds/new files, 1*/b+.csv", "p", "new files, 1*", "b"),
        },
        "unit_tests": {"unit_test.p.a.u": node("models/marts/a.yml", "p", "a", "u")},
        "functions": {"function.p.f": node("functions/f.sql", "p", "f")},
    }

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
    manifest = {"macros": {"macro.p.m": {"macro_sql": "{% macro m() %}1{% endmacro %}"}}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))

    parsed, listed, built = (engine.answer({"argv": [name, *common]}) for name in ("parse", "list", "build"))

    assert all((each["success"], each["exception"]) == (True, None) for each in (parsed, listed, built))
    assert parsed["lines"] == surroundings(["parse", *common], manifest)
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
    told = outcome_of(*lines, code=code, command=command).exception()
    if exception is None:
        assert told is None
    else:
        assert told is not None
        assert told["type"] == exception[0]
        assert told["message"].startswith(exception[1])


def test_what_it_finds_and_compiles_are_its_lines(capsys: pytest.CaptureFixture[str]) -> None:
    node, printed = (
        '{"unique_id": "model.p.a"}',
        ('{"unique_id": broken', '{"unique_id": "b", "c": 1}', '["unique_id"]'),
    )
    events = [event("PrintEvent", line) for line in (node, *printed)]
    assert outcome_of(*events, command="list").lines == [node]
    assert outcome_of(*events).lines == []
    assert outcome_of(event("CompiledNode", compiled="4"), command="compile").lines == ["4"]


def test_its_log_is_shown_as_dbt_core_shows_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    outcome_of(event("LogModelResult", "Succeeded model"), event("SQLQuery", "select 1", "debug"), '{"torn": \n')
    assert capsys.readouterr().out == '06:00:01  Succeeded model\n{"torn": \n'


def test_results_that_are_not_true_are_no_results(tmp_path: Path) -> None:
    """It writes some where it could not connect, and where it was interrupted."""
    argv, file = ["build", "--target-path", str(tmp_path)], tmp_path / "run_results.json"
    start = event("NodeStart")
    cancelled = event("Generic", "[error] [OperationCanceled (dbt8995)]: Operation cancelled", "error")
    for lines, interrupted, stays in (
        ([ERROR], False, False),
        ([start, BAD_NODE], False, True),
        ([start], True, False),
    ):
        file.write_text(json.dumps({"results": [{"thread_id": "Thread-1"}, {"thread_id": "main"}]}))
        mend_artifacts(argv, outcome_of(*lines, DONE), interrupted=interrupted)
        assert file.exists() is stays
    # Of every node, that the whole has failed: only a `fail_fast` is told by the node that failed.
    for lines, told in (([start, BAD_NODE, ERROR], "[X (dbt1)]: no way"), ([start, BAD_NODE, cancelled], None)):
        file.write_text(json.dumps({"metadata": {}, "results": [{"thread_id": "main"}, {"thread_id": "main"}]}))
        outcome = outcome_of(*lines, DONE, code=1)
        mend_artifacts(argv, outcome, interrupted=False)
        assert json.loads(file.read_text()) == {"metadata": {}, "results": []}
        assert (outcome.exception() or {}).get("message") == told


@pytest.mark.parametrize(
    ("error", "statuses"),
    [
        ("no way", {"a": "runtime error", "b": "runtime error"}),
        ("no table (in run/p/models/b.sql:1:1)", {"a": "skipped", "b": "runtime error"}),
    ],
)
def test_a_check_of_freshness_that_fails_itself_is_on_record(
    tmp_path: Path, error: str, statuses: dict[str, str]
) -> None:
    """The binary ends at the first, and calls all of them bad."""
    bad = [event("NodeFinished", node_info={"unique_id": f"source.p.raw.{x}", "node_status": "error"}) for x in "ab"]
    outcome = outcome_of(*bad, event("Generic", error, "error"), DONE)
    mend_artifacts(["source", "freshness", "--target-path", str(tmp_path)], outcome, interrupted=False)
    results = json.loads((tmp_path / "sources.json").read_text())["results"]
    assert {result["unique_id"].rpartition(".")[2]: result["status"] for result in results} == statuses
    assert error in {result["error"] for result in results}


@pytest.mark.parametrize("change", ["profile", "project", "variable", "package", "target", "macro", "nothing"])
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
    macros = {"macro.p.m": {"macro_sql": "{% macro m() %}1{% endmacro %}"}}
    before = surroundings(argv, {"macros": macros})

    if change in files:
        (tmp_path / files[change]).write_text("name: y\n")
    elif change == "variable":
        monkeypatch.setenv("SCHEMA", "hunter2")
    elif change == "target":
        argv[-1] = "dev"
    elif change == "macro":
        macros["macro.p.m"]["macro_sql"] = "{% macro m() %}2{% endmacro %}"
    else:
        monkeypatch.setenv("OTHER", "two")

    after = surroundings(argv, {"macros": macros})
    assert (after == before) is (change == "nothing")
    assert "hunter2" not in str(after)
