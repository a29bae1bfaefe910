"""The verb `run`: a verdict and a run folder, whatever happens on the way."""

import io
import json
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from headless_dbt import environments, production_run
from headless_dbt.blame import BuildEndedError
from headless_dbt.console import Console
from headless_dbt.environments import DbtRequirements
from headless_dbt.errors import CancelledError, DbtUnusableError, HeadlessDbtError, RequestError
from headless_dbt.model import Attempt
from headless_dbt.node_times import keep_times
from headless_dbt.production_run import dbt_environment, run
from headless_dbt.recorder import Recorder
from headless_dbt.run_folder import RunFolder, find_run_folder
from headless_dbt.settings import Places, Runner
from headless_dbt.supervisor import Memory

from tests.unit.builders import (
    make_command,
    make_project,
    make_runner,
    manifest,
    manifest_node,
    result,
    run_results,
)


class _Dbt:
    """In place of the supervisor's run_dbt: it leaves what it is told to, or raises."""

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self.message = "OK"
        self.seen: dict[str, Any] = {}

    def __call__(  # noqa: PLR0913
        self,
        python: Path,
        settings: Any,
        environment: dict[str, str],
        requested: tuple[str, ...],
        memory: Memory,
        *,
        recorder: Recorder,
        console: Console,
    ) -> None:
        self.seen = {
            "memory": memory,
            "python": python,
            "environment": environment,
            "requested": requested,
            "settings": settings,
        }
        if self.error is not None:
            raise self.error
        path = recorder.folder.attempt(1)
        path.mkdir(parents=True)
        (path / "manifest.json").write_text(json.dumps(manifest(manifest_node("model.shop.a"))))
        (path / "run_results.json").write_text(json.dumps(run_results(result("model.shop.a", message=self.message))))
        recorder.note(selected=("model.shop.a",), commands=(make_command(),), attempts=(Attempt(number=1),))


@pytest.fixture
def dbt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> _Dbt:
    dbt = _Dbt()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # Where a bug leaves its traceback.
    monkeypatch.setattr(production_run, "run_dbt", dbt)
    return dbt


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return make_project(tmp_path / "workspace")


def _run(runner: Runner, folder: Path, python: str = "/the/python", **flags: str) -> tuple[int, str]:
    stream = io.BytesIO()
    places = Places(run_folder=str(folder), dbt_python=python)
    exit_code = run(flags, runner, places, Console(on_github=runner.on_github, stream=stream))
    return exit_code, stream.getvalue().decode()


def test_a_green_run_is_exit_code_0_and_says_where_its_folder_is(dbt: _Dbt, workspace: Path, tmp_path: Path) -> None:
    exit_code, said = _run(make_runner(workspace), tmp_path / "run", target="dev")

    assert exit_code == 0
    assert said.endswith(f"\nStatus: success. Run folder: {tmp_path / 'run'}\n")
    assert RunFolder(tmp_path / "run").read_session().finished
    assert RunFolder(tmp_path / "run").read_request().inputs["target"] == "dev"
    assert dbt.seen["python"] == Path("/the/python")


@pytest.mark.parametrize(
    ("error", "exit_code", "said"),
    [
        (DbtUnusableError("No connection."), 3, "dbt could not work. No connection."),
        (CancelledError("SIGINT ended it."), 130, "The run was cancelled. SIGINT ended it."),
        (RequestError("select", given="x", allowed="y", advice="z."), 2, "The request is wrong. select: got x;"),
        (KeyError("oops"), 3, "headless-dbt failed. This is a bug of headless-dbt (KeyError: 'oops')."),
    ],
)
def test_an_error_is_told_once_and_is_in_the_run_folder(  # noqa: PLR0913, PLR0917
    dbt: _Dbt, workspace: Path, tmp_path: Path, error: Exception, exit_code: int, said: str
) -> None:
    dbt.error = error

    code, out = _run(make_runner(workspace), tmp_path / "run")

    assert code == exit_code
    assert out.count(said) == 1
    record = RunFolder(tmp_path / "run").read_session()
    assert record.finished
    assert record.problem is not None
    assert record.problem.exit_code == exit_code


def test_what_keeps_dbt_from_working_stands_on_its_file_in_the_repository(
    dbt: _Dbt, workspace: Path, tmp_path: Path
) -> None:
    make_project(workspace / "analytics/dbt")
    (workspace / "analytics/dbt/models").mkdir()
    (workspace / "analytics/dbt/models/a.yml").write_text("version: 2\nmodels: one\n")
    said = "The schema file at models/a.yml is invalid because the value of 'models' is not a list"
    dbt.error = DbtUnusableError(f"The project cannot be parsed: Parsing Error\n  {said}")

    _, out = _run(make_runner(workspace, on_github=True), tmp_path / "run", project_dir="analytics/dbt")

    assert "\n::error file=analytics/dbt/models/a.yml,line=2,title=dbt could not work::The project" in f"\n{out}"
    record = RunFolder(tmp_path / "run").read_session()
    assert record.problem is not None
    assert (record.problem.file, record.problem.line) == ("analytics/dbt/models/a.yml", 2)


@pytest.mark.parametrize(
    ("flags", "error", "advised"),
    [
        ({}, DbtUnusableError, True),
        ({"adapter": "dbt-bigquery"}, BuildEndedError, True),
        ({"adapter": "duckdb"}, DbtUnusableError, False),
        # What headless-dbt itself says already tells what to do.
        ({}, CancelledError, False),
    ],
)
def test_what_bigquery_refuses_is_told_with_what_to_change(  # noqa: PLR0913, PLR0917
    dbt: _Dbt,
    workspace: Path,
    tmp_path: Path,
    flags: dict[str, str],
    error: type[HeadlessDbtError],
    advised: bool,
) -> None:
    dbt.error = error("dbt build could not begin: Database Error\n  Not found: Project shop-prdo")

    _, out = _run(make_runner(workspace), tmp_path / "run", **flags)

    problem = RunFolder(tmp_path / "run").read_session().problem
    assert problem is not None
    assert problem.advice.startswith("There is no project `shop-prdo`." if advised else "")
    assert bool(problem.advice) == advised
    assert ("\n  Not found: Project shop-prdo\nThere is no project `shop-prdo`." in out) == advised


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        ({"threads": "many"}, "threads: got 'many'"),
        ({"dbt_args": "--target x"}, "dbt-args: got '--target'"),
        ({"project_dir": "nowhere"}, "project-dir: got 'nowhere', but there is no such folder"),
    ],
)
def test_a_wrong_request_leaves_a_run_folder_and_starts_nothing(
    dbt: _Dbt, workspace: Path, tmp_path: Path, flags: dict[str, str], sentence: str
) -> None:
    exit_code, said = _run(make_runner(workspace), tmp_path / "run", **flags)

    assert exit_code == 2
    assert sentence in said
    assert dbt.seen == {}
    assert RunFolder(tmp_path / "run").read_request().inputs


def test_run_and_the_verbs_after_it_take_a_relative_folder_from_the_same_place(
    dbt: _Dbt, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    runner = make_runner(workspace)

    _run(runner, Path("out/run"))

    assert find_run_folder("out/run", runner.workspace, workspace).read_request()


def test_a_signal_in_the_middle_of_it_is_a_cancelled_run(
    dbt: _Dbt, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(production_run, "run_dbt", lambda *_, **__: os.kill(os.getpid(), signal.SIGINT))

    exit_code, said = _run(make_runner(workspace), tmp_path / "run")

    assert exit_code == 130
    assert "Status: cancelled." in said


def test_secrets_reach_dbt_and_stay_out_of_the_folder_and_the_log(dbt: _Dbt, workspace: Path, tmp_path: Path) -> None:
    dbt.message = "password hunter2 is wrong, sesame too"
    runner = make_runner(
        workspace, on_github=True, HEADLESS_DBT_DBT_ENV="PASSWORD=hunter2", DBT_ENV_SECRET_TOKEN="sesame"
    )

    exit_code, said = _run(runner, tmp_path / "run")

    assert exit_code == 0
    assert dbt.seen["environment"]["PASSWORD"] == "hunter2"
    assert dbt.seen["environment"]["DBT_ENV_SECRET_TOKEN"] == "sesame"
    for file in (tmp_path / "run").rglob("*"):
        if file.is_file():
            assert "hunter2" not in file.read_text()
            assert "sesame" not in file.read_text()
    assert said.replace("::add-mask::hunter2", "").count("hunter2") == 0
    assert said.startswith("::add-mask::hunter2\n")


def test_googles_credentials_are_there_for_dbt_and_gone_after(dbt: _Dbt, workspace: Path, tmp_path: Path) -> None:
    runner = make_runner(
        workspace,
        RUNNER_TEMP=str(tmp_path),
        HEADLESS_DBT_GCP_CREDENTIALS=json.dumps(
            {"type": "service_account", "project_id": "acme", "client_email": "x", "private_key": "y"}
        ),
    )

    _run(runner, tmp_path / "run")

    assert dbt.seen["environment"]["GOOGLE_CLOUD_PROJECT"] == "acme"
    assert not Path(dbt.seen["environment"]["GOOGLE_APPLICATION_CREDENTIALS"]).exists()


OURS = str(Path(production_run.__file__).resolve().parents[1])


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"HEADLESS_DBT_DBT_ENV": "secret", "HEADLESS_DBT_X": "1", "A": "1"}, {"A": "1"}),
        ({"PYTHONPATH": OURS}, {}),
        ({"PYTHONPATH": f"/theirs{os.pathsep}{OURS}/{os.pathsep}"}, {"PYTHONPATH": "/theirs"}),
        ({"PYTHONPATH": ""}, {}),
        ({"DBT_UPLOAD_TO_ARTIFACTS_INGEST_API": "1"}, {}),
        ({"DO_NOT_TRACK": "0"}, {"DO_NOT_TRACK": "0"}),
        ({"VIRTUAL_ENV": "/v"}, {"VIRTUAL_ENV": "/v"}),
    ],
)
def test_dbt_gets_the_environment_without_what_is_ours(given: dict[str, str], kept: dict[str, str]) -> None:
    assert dbt_environment(given, (), (), {}) == {"DO_NOT_TRACK": "1", "PYTHONUNBUFFERED": "1", **kept}


def test_secret_variables_win_over_plain_ones_and_both_over_the_machine() -> None:
    environment = dbt_environment({"A": "m", "B": "m", "C": "m"}, (("A", "p"), ("B", "p")), (("A", "s"),), {"D": "g"})

    assert [environment[name] for name in "ABCD"] == ["s", "p", "m", "g"]


@pytest.mark.parametrize("is_ours", [True, False])
def test_compiled_files_are_written_into_an_environment_of_our_making_alone(
    is_ours: bool, dbt: _Dbt, workspace: Path, tmp_path: Path
) -> None:
    (tmp_path / "dbt").mkdir()
    if is_ours:
        (tmp_path / "dbt" / environments.STAMP).touch()
    runner = make_runner(workspace, PYTHONDONTWRITEBYTECODE="1", PYTHONPYCACHEPREFIX="/elsewhere")

    _run(runner, tmp_path / "run", python=str(tmp_path / "dbt/bin/python"))

    told = {"PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX"} & dbt.seen["environment"].keys()
    assert len(told) == (0 if is_ours else 2)


class _Built:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[tuple[Path, DbtRequirements, str]] = []
        monkeypatch.setattr(environments, "build_dbt_environment", self)

    def __call__(self, folder: Path, requirements: DbtRequirements, python: str, _: object) -> Path:
        self.calls.append((folder, requirements, python))
        return folder / "bin" / "python"


def test_the_running_interpreter_serves_where_it_has_dbt_and_nothing_else_was_asked_for(
    dbt: _Dbt, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = _Built(monkeypatch)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name == "dbt")

    _run(make_runner(workspace), tmp_path / "run", python="")

    assert dbt.seen["python"] == Path(sys.executable)
    assert built.calls == []


@pytest.mark.parametrize(
    "flags", [{"dbt_version": "1.11"}, {"adapter_version": "1.11.1"}, {"python_version": "3.12"}, {}]
)
def test_else_an_environment_is_built_under_the_folder_for_environments(
    dbt: _Dbt, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: dict[str, str]
) -> None:
    built = _Built(monkeypatch)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: object() if flags else None)
    runner = make_runner(workspace, HEADLESS_DBT_ENVIRONMENTS=".venvs")
    # A user without a home has none to ask for.
    monkeypatch.setattr(Path, "home", None)

    exit_code, said = _run(runner, tmp_path / "run", python="", **flags)

    assert exit_code == 0
    [(folder, _, python)] = built.calls
    assert folder.parent == workspace / ".venvs"
    assert folder.name.startswith("dbt-")
    assert python == flags.get("python_version", "")
    assert dbt.seen["python"] == folder / "bin" / "python"
    assert "── Install dbt" in said


def test_what_is_not_pinned_is_warned_of(
    dbt: _Dbt, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _Built(monkeypatch)
    runner = make_runner(workspace, XDG_CACHE_HOME=str(tmp_path / "cache"))

    _, said = _run(runner, tmp_path / "run", python="", adapter="postgres")

    assert "Warning: The newest dbt-postgres that fits is installed" in said


def test_times_are_those_that_were_fetched_or_of_the_run_before(dbt: _Dbt, workspace: Path, tmp_path: Path) -> None:
    runner = make_runner(workspace, HEADLESS_DBT_SCHEDULE="critical-path")
    keep_times(tmp_path / "earlier", {"model.shop.a": 2.5})
    places = Places(run_folder=str(tmp_path / "run"), dbt_python="/the/python", earlier=str(tmp_path / "earlier"))

    run({}, runner, places, Console(on_github=False, stream=io.BytesIO()))
    fetched = dbt.seen["memory"].times
    _run(runner, tmp_path / "second")
    unknown = dbt.seen["memory"].times
    _run(make_runner(workspace), tmp_path / "third")

    assert (fetched, unknown, dbt.seen["memory"].times) == ({"model.shop.a": 2.5}, {}, None)


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({}, "workspace/target/headless_dbt/kept"),
        ({"HEADLESS_DBT_KEPT": "cache"}, "workspace/cache"),
        ({"HEADLESS_DBT_KEPT": "cache", "GITHUB_ACTIONS": "true"}, "workspace/cache"),
        ({"GITHUB_ACTIONS": "true"}, None),
    ],
)
def test_a_parse_is_kept_where_there_is_a_next_run(
    dbt: _Dbt, workspace: Path, tmp_path: Path, given: dict[str, str], place: str | None
) -> None:
    _run(make_runner(workspace, given, on_github="GITHUB_ACTIONS" in given), tmp_path / "run")

    kept = dbt.seen["memory"].parse
    assert (kept.file.parent if kept else None) == (tmp_path / place if place else None)
