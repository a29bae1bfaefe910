"""Runs that are cut off, run out of time, or fail for causes that pass: nothing is lost, invented or doubled."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Complaint
from tests.integration.conftest import CORE, RUST, Finished, Project, on_both_engines, sessions_in

# Fails in the first attempt; the hook at its end makes the second one pass.
HEALS = {
    "dbt_project.yml": """\
name: little
profile: little
version: "1.0.0"
on-run-end: "copy (select 1 as id) to 'healed.csv'"
""",
    "models/two.sql": """\
{{ config(materialized='table') }}
select case when (select count(*) from glob('healed.csv')) = 0 then error('{{ var("message") }}') else id end as id
from {{ ref('one') }}
""",
}


def retried(project: Project, message: str, *arguments: str) -> Finished:
    project.write(HEALS)
    return project.run(*("--vars", f'{{"message": "{message}"}}', "--retry-delay", "0.1", "--retries", "2"), *arguments)


@on_both_engines
def test_what_is_built_again_has_its_ephemeral_models_in_it(project: Project) -> None:
    ephemeral = "{{ config(materialized='ephemeral') }} "
    project.write({"models/zero.sql": ephemeral + "select 1 as id"})
    project.write({"models/one.sql": ephemeral + "select id from {{ ref('zero') }}"})
    done = retried(project, "Could not set lock on file", "--docs", "true")
    assert done.exit_code == 0, done.output
    assert len(done.read("run.json")["attempts"]) == 2
    compiled = [file.read_text() for file in done.folder.rglob("compiled/**/two.sql")]
    assert compiled
    assert all("__dbt__cte__zero" in sql and "__dbt__cte__one" in sql for sql in compiled)


@on_both_engines
def test_a_passing_cause_is_tried_again_and_only_what_failed_or_was_skipped(project: Project) -> None:
    done = retried(project, "503 Service Unavailable")
    assert done.exit_code == 0, done.output
    run = done.read("run.json")
    assert run["status"] == "success"
    tries = {node["name"]: node["tries"] for node in run["nodes"] if node["resource_type"] == "model"}
    assert tries == {"one": 1, "two": 2, "three": 1}
    assert [attempt["causes"] for attempt in run["attempts"]] == [["service unavailable"], []]
    assert "2 attempts" in (done.folder / "summary.md").read_text()
    # Of the second attempt alone: what had passed was left alone.
    again = {each["unique_id"] for each in done.read("attempts/2/run_results.json")["results"]}
    assert {unique_id for unique_id in again if unique_id.startswith("model.")} == {
        "model.little.two",
        "model.little.three",
    }
    results = [each["unique_id"] for each in done.read("run_results.json")["results"]]
    assert len(results) == len(set(results)) == len(run["nodes"])


@on_both_engines
def test_a_cause_that_does_not_pass_is_not_tried_again(project: Project) -> None:
    done = retried(project, "Access Denied: 503 Service Unavailable")
    assert done.exit_code == 1
    assert len(done.read("run.json")["attempts"]) == 1


@on_both_engines
def test_one_lasting_failure_beside_a_passing_one_is_not_tried_again(project: Project) -> None:
    project.write({"models/lasting.sql": "select nope from {{ ref('one') }}"})
    done = retried(project, "503 Service Unavailable")
    assert done.exit_code == 1
    assert len(done.read("run.json")["attempts"]) == 1


@on_both_engines
def test_a_database_that_another_process_holds_is_waited_for(project: Project) -> None:
    assert project.run("--select", "one").exit_code == 0
    hold = "import duckdb, time; c = duckdb.connect('little.duckdb'); print('held', flush=True); time.sleep(8)"
    holding = [str(project.looking_in), "-c", hold]
    with subprocess.Popen(holding, cwd=project.root, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        done = project.run("--retry-delay", "6", "--retries", "2")
    assert done.exit_code == 0, done.output
    assert done.read("run.json")["attempts"][0]["causes"] == ["lock held by another process"]
    assert len(done.nodes) == 3


ENDLESS = "select count(*) as id from range(1000000) a(x), range(1000000) b(y), {{ ref('one') }} where x * y = -1"


@on_both_engines
def test_the_time_limit_ends_dbt_and_keeps_what_it_had_done(project: Project) -> None:
    project.write({"models/two.sql": ENDLESS.replace("select", "{{ config(materialized='table') }} select", 1)})
    began = time.monotonic()
    done = project.run("--time-limit", "0.25")
    assert done.exit_code == 124, done.output
    assert time.monotonic() - began < 60
    assert done.read("run.json")["status"] == "timeout"
    assert "`time-limit` is over" in done.output
    assert done.nodes == {"model.little.one": "success", "model.little.two": "error", "model.little.three": "skipped"}
    assert not sessions_in(project.root)


MODELS = 40
KILLS = int(os.environ.get("HEADLESS_DBT_TEST_KILLS", "30"))


@pytest.fixture
def forest(project: Project) -> Project:
    """Some forty tables, each of which takes a moment: chains with branches, and a test here and there."""
    project.write({f"models/{name}.sql": "select 1 as id" for name in ("one", "two", "three")})
    for number in range(MODELS):
        parents = [f"m{number - back:02}" for back in (4, 7) if number >= back]
        joins = " ".join(
            f"cross join (select id as i{at} from {{{{ ref('{name}') }}}})" for at, name in enumerate(parents)
        )
        project.write(
            {
                f"models/m{number:02}.sql": "{{ config(materialized='table') }} "
                f"select count(*) - 21000000 + {number} as id from range(14000) a, range(1500) b {joins}"
            }
        )
    return project


def built(project: Project) -> set[str]:
    """What the database itself shows as built, asked through dbt's own DuckDB."""
    question = (
        "import duckdb, json; rows = duckdb.connect('little.duckdb').execute("
        "'select table_name from information_schema.tables').fetchall(); print(json.dumps([name for name, in rows]))"
    )
    answer = subprocess.run([project.looking_in, "-c", question], cwd=project.root, capture_output=True, check=True)
    return {name for name in json.loads(answer.stdout) if not name.endswith(("__dbt_tmp", "__dbt_backup"))}


def contents(project: Project) -> dict[str, list[list[Any]]]:
    """Every row of every table and view."""
    question = (
        "import duckdb, json; c = duckdb.connect('little.duckdb'); "
        "names = c.execute('select table_name from information_schema.tables order by 1').fetchall(); "
        "print(json.dumps({name: sorted(c.table(name).fetchall()) for name, in names}))"
    )
    answer = subprocess.run([project.looking_in, "-c", question], cwd=project.root, capture_output=True, check=True)
    found: dict[str, list[list[Any]]] = json.loads(answer.stdout)
    return found


@pytest.mark.parametrize(
    ("project", "seed"),
    [*((CORE, seed) for seed in range(KILLS)), *((RUST, seed) for seed in range(KILLS // 3))],
    indirect=["project"],
)
def test_a_kill_at_any_moment_loses_invents_and_doubles_nothing(
    forest: Project, seed: int, complaint: Complaint
) -> None:
    luck = random.Random(seed)
    number = luck.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
    folder = forest.root.parent / "killed"
    killed = subprocess.Popen(
        [
            *(sys.executable, "-P", "-m", "headless_dbt", "run", "--target", "local"),
            *("--dbt-python", str(forest.dbt_python), "--run-folder", str(folder)),
        ],
        cwd=forest.root,
        env=forest.environment({}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    # At the start of the n-th node, or a moment after it: how fast the machine is does not matter.
    nodes, log = luck.randint(1, MODELS + 3), folder / "dbt.log"
    while killed.poll() is None and not (log.is_file() and log.read_bytes().count(b'"NodeStart"') >= nodes):
        time.sleep(0.002)
    time.sleep(luck.choice([0, luck.uniform(0, 0.05)]))
    for session in sessions_in(forest.root):
        os.kill(session, number)
    output, _ = killed.communicate(timeout=60)
    assert not sessions_in(forest.root)
    there = built(forest)

    assert forest.verb("report", folder=folder).exit_code == 0
    cut = Finished(killed.returncode, output.decode(), folder)
    names = [node["unique_id"] for node in cut.read("run.json")["nodes"]]
    assert len(names) == len(set(names)) == MODELS + 3
    passed = {name.rpartition(".")[2] for name, status in cut.nodes.items() if status == "success"}
    assert passed <= there, "called a success, and not there"
    started_or_passed = {name.rpartition(".")[2] for name, status in cut.nodes.items() if status != "skipped"}
    assert there <= started_or_passed, "there, and not among the results"
    entries = cut.read("run_results.json")["results"]
    assert sorted(entry["unique_id"] for entry in entries) == sorted(names)
    assert complaint(folder / "run_results.json") is None

    resumed = forest.run("--resume-from", str(folder))

    assert resumed.exit_code == 0, resumed.output
    assert set(resumed.nodes.values()) == {"success"}
    assert len(resumed.nodes) == MODELS + 3
    again = {node["name"] for node in resumed.read("run.json")["nodes"] if node["tries"]}
    assert again == {name.rpartition(".")[2] for name in names} - passed if passed else again
    # The models are numbered from above: what each has to hold after an undisturbed run is known.
    rows = contents(forest)
    assert rows == {"one": [[1]], "two": [[1]], "three": [[1]], **{f"m{at:02}": [[at]] for at in range(MODELS)}}


@on_both_engines
def test_a_disk_that_is_full_at_the_end_loses_no_result(project: Project, complaint: Complaint) -> None:
    """dbt cannot write run_results.json: what /dev/full is for."""
    folder = project.root.parent / "full"
    running = subprocess.Popen(
        [
            *(sys.executable, "-P", "-m", "headless_dbt", "run", "--target", "local"),
            *("--dbt-python", str(project.dbt_python), "--run-folder", str(folder)),
        ],
        cwd=project.root,
        env=project.environment({}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    while not (folder / "attempts/1").is_dir():
        time.sleep(0.01)
    (folder / "attempts/1/run_results.json").symlink_to("/dev/full")
    output = running.communicate(timeout=60)[0].decode()

    assert project.verb("report", folder=folder).exit_code == 0
    told = Finished(running.returncode, output, folder)
    assert told.exit_code != 0
    assert "No space left on device" in output
    assert told.nodes == {f"model.little.{name}": "success" for name in ("one", "two", "three")}
    assert complaint(folder / "run_results.json") is None
    assert told.read("run.json")["status"] != "success"

    resumed = project.run("--resume-from", str(folder))
    assert resumed.exit_code == 0
    assert not any(node["tries"] for node in resumed.read("run.json")["nodes"])


def executes(log: Path, unique_id: str) -> bool:
    """Whether dbt has begun to execute a node."""
    lines = log.read_bytes().splitlines() if log.is_file() else []
    return any(b'"NodeExecuting"' in line and unique_id.encode() in line for line in lines)


@on_both_engines
def test_dbt_does_not_outlive_a_supervisor_that_is_killed(project: Project) -> None:
    secret = "hunter2secret"
    project.write({"models/two.sql": "{{ config(materialized='table') }} -- {{ env_var('PW') }}\n" + ENDLESS})
    folder = project.root.parent / "killed"
    run = [sys.executable, "-P", "-m", "headless_dbt", "run", "--target", "local", "--run-folder", str(folder)]
    with subprocess.Popen(
        [*run, "--dbt-python", str(project.dbt_python)],
        cwd=project.root,
        env=project.environment({"HEADLESS_DBT_DBT_ENV": f"PW={secret}"}),
        stdout=subprocess.DEVNULL,
    ) as killed:
        while not executes(folder / "dbt.log", "model.little.two"):
            time.sleep(0.1)
        killed.kill()
    deadline = time.monotonic() + 20
    while sessions_in(project.root):
        assert time.monotonic() < deadline, "dbt goes on"
        time.sleep(0.2)

    assert project.verb("report", folder=folder).exit_code == 0
    told = Finished(killed.returncode, "", folder)
    assert told.nodes == {"model.little.one": "success", "model.little.two": "error", "model.little.three": "skipped"}
    assert told.read("run.json")["problem"]["title"] == "The run ended early"
    for file in folder.parent.rglob("*"):
        outside = not file.is_relative_to(project.root)
        assert not (outside and file.is_file() and secret.encode() in file.read_bytes()), file


@on_both_engines
def test_a_run_is_not_continued_when_its_code_has_changed(project: Project) -> None:
    project.write({"models/three.sql": "select nope from {{ ref('two') }}"})
    red = project.run()
    assert red.exit_code == 1
    project.write({"models/three.sql": "select id from {{ ref('two') }}"})
    assert f"Taken over from {red.folder.name}: 2 of 3 nodes." in project.run("--resume-from", str(red.folder)).output

    project.write({"models/two.sql": "select id + 1 as id from {{ ref('one') }}"})
    done = project.run("--resume-from", str(red.folder))
    assert done.exit_code == 0
    assert "Everything is built" in done.output
    assert "the code of model.little.two has changed since" in done.output
    assert len(done.nodes) == 3


@on_both_engines
@pytest.mark.parametrize(("name", "value"), [("vars", '{"a": 1}'), ("full-refresh", "true")])
def test_a_run_is_not_continued_with_another_request(project: Project, name: str, value: str) -> None:
    earlier = project.run("--select", "one")
    done = project.run("--resume-from", str(earlier.folder), f"--{name}", value)
    assert done.exit_code == 0
    assert f"the input `{name}` was" in done.output
    assert len(done.nodes) == 3


@on_both_engines
def test_a_folder_that_is_no_run_cannot_be_continued(project: Project, tmp_path: Path) -> None:
    done = project.run("--resume-from", str(tmp_path))
    assert done.exit_code == 2
    assert "resume-from: got" in done.output
