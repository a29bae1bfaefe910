"""Runs that GitHub or the time limit ends: the steps after dbt do their work, and nothing is lost or invented."""

import json
import os
import signal
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conftest import Complaint
from tests.e2e.act import CRON, Act
from tests.e2e.caller import Caller
from tests.e2e.dbt_project import MODELS, PROFILES, dbt_project
from tests.e2e.outcome import Outcome
from tests.e2e.test_dbt_build import (
    Engine,
    call,
    no_issue_was_touched,
    on_both_engines,
    outputs,
    the_artifact,
    workflow,
)
from tests.github_double import GitHubDouble
from tests.integration.conftest import Project, sessions_in
from tests.integration.test_survival import built, executes

# By the time that dbt executes it, all others but the one that follows are built.
ENDLESS = """
    {{ config(materialized="table") }}
    select count(*) as id
    from range(1000000) a(x), range(1000000) b(y), {{ ref("stg_customers") }}, {{ ref("revenue") }}
    where x * y = -1
"""
SLOW = {"endless": ENDLESS, "later": "select * from {{ ref('endless') }}"}
STATUSES = {**dict.fromkeys(MODELS, "success"), "endless": "error", "later": "skipped"}


@pytest.fixture
def warehouse(tmp_path: Path, dbt_python: Path) -> Project:
    """The place of the DuckDB file; act removes its own folders when it ends."""
    return Project(tmp_path, dbt_python)


def commit_slow_project(caller: Caller, warehouse: Project, engine: Engine, time_limit: str = "0") -> None:
    profiles = PROFILES.replace("prod.duckdb", str(warehouse.root / "little.duckdb"))
    caller.commit({**dbt_project(profiles=profiles, **SLOW), **workflow(nightly=call(**engine, time_limit=time_limit))})


def assert_complete(outcome: Outcome, warehouse: Project, complaint: Complaint) -> None:
    """The artifact says of every node once what the database says."""
    content = the_artifact(outcome)["run_results.json"]
    told = [(result["unique_id"].split(".")[2], result["status"]) for result in json.loads(content)["results"]]
    assert sorted(told) == sorted(STATUSES.items())
    assert built(warehouse) == {name for name, status in told if status == "success"}
    file = warehouse.root / "run_results.json"
    file.write_bytes(content)
    assert complaint(file) is None


def assert_red_and_finished(outcome: Outcome, status: str, exit_code: int) -> None:
    """Only dbt's step failed, and the steps after it did their work."""
    job = outcome.job
    assert f"exit status {exit_code}" in outcome.log
    assert job.failed_steps == ["Run dbt", "Build with dbt"]
    assert {job.steps[name] for name in ("Report", "Upload artifacts", "Update the issue")} == {"success"}
    told = [outputs(job)[name] for name in ("status", "nodes-total", "nodes-failed", "failed-nodes")]
    assert told == [status, str(len(STATUSES)), "1", '["model.warehouse.endless"]']


@on_both_engines
def test_the_time_limit(  # noqa: PLR0913, PLR0917  Each is a fixture.
    act: Act, caller: Caller, github: GitHubDouble, warehouse: Project, complaint: Complaint, engine: Engine
) -> None:
    # On a busy machine the shorter ones are over before dbt has begun to build.
    for minutes in ("0.2", "0.5", "1.5"):
        commit_slow_project(caller, warehouse, engine, minutes)
        outcome = act.run(caller, CRON, timeout=180)
        if built(warehouse) == MODELS.keys():
            break

    assert_red_and_finished(outcome, "timeout", 124)
    assert "Ended by the time limit" in outcome.job.summary
    assert_complete(outcome, warehouse, complaint)
    [issue] = github.open_issues
    assert "`time-limit` is over" in str(issue.body)


def the_step_that_runs_dbt(act: Act) -> tuple[int, Path] | None:
    """Its process, and the run folder that it writes to."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            variables = (process / "environ").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        run_folder = dict(each.split("=", 1) for each in variables if "=" in each).get("HEADLESS_DBT_RUN_FOLDER", "")
        if command.endswith(b"\0-m\0headless_dbt\0run\0") and run_folder.startswith(str(act.folder)):
            return int(process.name), Path(run_folder)
    return None


def wait_for_endless(act: Act, run: Future[Outcome]) -> int:
    """The process of the step, once dbt executes the endless model."""
    while not run.done():
        step = the_step_that_runs_dbt(act)
        if step and executes(step[1] / "dbt.log", "model.warehouse.endless"):
            return step[0]
        time.sleep(0.1)
    raise AssertionError(f"The run ended by itself.\n{run.result().log}")


def cancel(step: int) -> None:
    """End a step as GitHub's runner does."""
    for number, patience in ((signal.SIGINT, 7.5), (signal.SIGTERM, 2.5), (signal.SIGKILL, 5)):
        os.kill(step, number)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if not Path(f"/proc/{step}").exists():
                return
            time.sleep(0.05)


def database_files(warehouse: Project) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in warehouse.root.glob("little.duckdb*")}


@on_both_engines
def test_a_cancel(  # noqa: PLR0913, PLR0917  Each is a fixture.
    act: Act, caller: Caller, github: GitHubDouble, warehouse: Project, complaint: Complaint, engine: Engine
) -> None:
    commit_slow_project(caller, warehouse, engine)
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(act.run, caller, CRON)
        step = wait_for_endless(act, run)
        project_dir = Path(f"/proc/{step}/cwd").readlink()
        assert sessions_in(project_dir)
        cancel(step)
        assert not sessions_in(project_dir)
        left = database_files(warehouse)
        outcome = run.result()

    assert_red_and_finished(outcome, "cancelled", 130)
    assert "Cancelled" in outcome.job.summary
    assert database_files(warehouse) == left
    assert_complete(outcome, warehouse, complaint)
    assert no_issue_was_touched(github)


@on_both_engines
def test_failed_jobs_that_are_run_again(
    act: Act, caller: Caller, github: GitHubDouble, warehouse: Project, engine: Engine
) -> None:
    """The second attempt builds what the first one could not, and nothing else; a run of another day does too."""
    profiles, late = PROFILES.replace("prod.duckdb", str(warehouse.root / "little.duckdb")), warehouse.root / "late.csv"
    late_orders = f"select order_id from read_csv('{late}'), {{{{ ref('orders') }}}}"
    files = dbt_project(profiles=profiles, late_orders=late_orders, last="select * from {{ ref('late_orders') }}")
    caller.commit({**files, **workflow(nightly=call(**engine))})
    first = act.run(caller, CRON, run_id=7)
    assert outputs(first.job)["status"] == "failure", first.log
    [(name, uploaded)] = first.artifacts.items()
    github.add_run(7, conclusion=None).add_artifact(name, uploaded)
    late.write_text("line\n1\n")

    again = act.run(caller, CRON, run_id=7, attempt=2, earlier_artifacts=[name])

    assert outputs(again.job)["status"] == "success", again.log
    assert built_again(again) == {"late_orders", "last"}
    assert "Continues" in again.job.summary
    assert "/actions/runs/7" in again.job.summary
    assert not [issue for issue in github.open_issues if "headless-dbt" in str(issue.body)]

    late.unlink()
    caller.commit(workflow(nightly=call(**engine, resume_from="7")))
    by_hand = act.run(caller, CRON, run_id=8)

    assert outputs(by_hand.job)["status"] == "failure"
    assert built_again(by_hand) == {"late_orders"}


def built_again(outcome: Outcome) -> set[str]:
    """The nodes that ran in this very run."""
    nodes = json.loads(the_artifact(outcome)["run.json"])["nodes"]
    return {node["name"] for node in nodes if node["tries"] and node["status"] != "skipped"}
