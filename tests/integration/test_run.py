"""`headless-dbt run` and `report` with real dbt: what each kind of day leaves behind."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from headless_dbt.rust_engine import named_in

from tests.integration.conftest import ROOT, RUST, Project, on_both_engines, sessions_in

STALE_SOURCE = {
    "models/sources.yml": """\
sources:
  - name: raw
    schema: main
    tables:
      - name: events
        config: {loaded_at_field: loaded_at, freshness: {error_after: {count: 1, period: hour}}}
""",
    "dbt_project.yml": """\
name: little
profile: little
version: "1.0.0"
on-run-start: "create or replace table main.events as select 1 as id, timestamp '2020-01-01' as loaded_at"
""",
    "models/from_events.sql": "select id from {{ source('raw', 'events') }}",
    "models/after_events.sql": "select id from {{ ref('from_events') }}",
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, dbt_python: Path) -> Project:
    """A copy of the sample project."""
    root = tmp_path_factory.mktemp("shop") / "shop"
    left_out = shutil.ignore_patterns("target", "*.duckdb", "logs")
    shutil.copytree(ROOT / "dbt_project", root, ignore=left_out)
    return Project(root, dbt_python)


def test_the_sample_project_builds_twice_with_freshness_and_docs(shop: Project) -> None:
    for _ in range(2):
        done = shop.run("--source-freshness", "true", "--docs", "true")
        assert done.exit_code == 0, done.output
        run = done.read("run.json")
        assert run["status"] == "success"
        assert {node["outcome"] for node in run["nodes"]} == {"passed"}
        assert [command["name"] for command in run["commands"]] == [
            "parse",
            "list",
            "source freshness",
            "build",
            "docs generate",
        ]
        results = done.read("run_results.json")["results"]
        freshness = done.read("sources.json")["results"]
        assert [node["unique_id"] for node in run["nodes"]] == [each["unique_id"] for each in [*freshness, *results]]
        for name in ("manifest.json", "catalog.json", "docs.html", "report.html", "summary.md", "dbt.log"):
            assert (done.folder / name).stat().st_size > 0
        # `dbt docs generate` overwrites run_results.json wherever it may.
        assert done.read("run_results.json")["args"]["which"] == "build"


@on_both_engines
def test_a_failing_model_fails_the_run_and_says_what_it_blocks(project: Project) -> None:
    project.write({"models/two.sql": "select nope from {{ ref('one') }}"})
    done = project.run()
    assert done.exit_code == 1
    assert done.nodes == {"model.little.one": "success", "model.little.two": "error", "model.little.three": "skipped"}
    failed = next(node for node in done.read("run.json")["nodes"] if node["status"] == "error")
    assert failed["blocks"] == 1
    assert 'Referenced column "nope" not found' in failed["message"]
    assert "model.little.two" in (done.folder / "summary.md").read_text()
    assert (done.folder / "attempts/1/compiled/little/models/two.sql").is_file()


@on_both_engines
@pytest.mark.parametrize(
    ("severity", "status", "exit_code", "verdict"), [("error", "fail", 1, "failure"), ("warn", "warn", 0, "warn")]
)
def test_a_failing_data_test_fails_the_run_and_a_warning_does_not(
    project: Project, severity: str, status: str, exit_code: int, verdict: str
) -> None:
    project.write({"tests/no_ids.sql": f"{{{{ config(severity='{severity}') }}}} select * from {{{{ ref('one') }}}}"})
    done = project.run()
    assert done.exit_code == exit_code
    assert done.nodes["test.little.no_ids"] == status
    assert done.read("run.json")["status"] == verdict


@on_both_engines
def test_a_selection_builds_what_it_names(project: Project) -> None:
    done = project.run("--select", "one two three", "--exclude", "three")
    assert done.exit_code == 0, done.output
    assert done.nodes == {"model.little.one": "success", "model.little.two": "success"}


@on_both_engines
def test_nothing_selected_is_a_warning_and_says_so(project: Project) -> None:
    done = project.run("--select", "no_such_model")
    assert done.exit_code == 0
    assert done.read("run.json")["status"] == "warn"
    assert "Nothing is selected: select 'no_such_model' matches no node to build." in done.output
    assert "Nothing was selected" in (done.folder / "summary.md").read_text()


@on_both_engines
def test_models_in_a_circle_are_the_project_and_no_wrong_request(project: Project) -> None:
    project.write({"models/one.sql": "select * from {{ ref('three') }}"})
    done = project.run()
    assert done.exit_code == 3, done.output
    assert "cycle" in done.output.lower()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--target", "nope"), "target: got 'nope', which is not in profiles.yml; allowed: local, unreachable"),
        (("--project-dir", "nope"), "project-dir: got 'nope', but there is no such folder; allowed: a folder"),
        (("--profiles-dir", "models"), "profiles-dir: got 'models', but there is no profiles.yml in it"),
        (("--select", "no_method:x"), "select: got select 'no_method:x', and dbt says: 'no_method' is not a valid"),
        (("--selector", "nope"), "selector: got selector 'nope', and dbt says: Could not find selector named nope"),
        (("--dbt-args=--no-such-flag",), "dbt-args: got '--no-such-flag', and dbt says: No such option"),
        (("--dbt-args=--target-path x",), "dbt-args: got '--target-path'; allowed:"),
        (("--vars", "[1]"), "vars: got '[1]', which is not a mapping; allowed: a YAML or JSON mapping"),
        (("--threads", "0"), "threads: got '0'; allowed: a whole number from 1"),
        (("--full-refresh", "banana"), "full-refresh: got 'banana'; allowed: true, false"),
        (("--no-such-input", "x"), "The command line: got unrecognized arguments: --no-such-input x; allowed:"),
    ],
)
def test_a_wrong_request_is_one_sentence_and_exit_code_2(
    project: Project, arguments: tuple[str, ...], sentence: str
) -> None:
    refused(project, arguments, sentence)


@pytest.mark.parametrize("project", [RUST], indirect=True)
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--target", "nope"), "target: got 'nope', which is not in profiles.yml; allowed: a target of the profile"),
        (("--selector", "nope"), "selector: got selector 'nope', and dbt says: [SelectorError"),
        (("--dbt-args=--no-such-flag",), "dbt-args: got '--no-such-flag', and dbt says: unexpected argument"),
    ],
)
def test_dbt_2_refuses_in_words_of_its_own(project: Project, arguments: tuple[str, ...], sentence: str) -> None:
    refused(project, arguments, sentence)


def refused(project: Project, arguments: tuple[str, ...], sentence: str) -> None:
    folder = project.root.parent / "run-folder"
    done = project.verb("run", "--target", "local", "--dbt-python", str(project.dbt_python), *arguments, folder=folder)
    assert done.exit_code == 2, done.output
    assert sentence in done.output
    assert "Traceback" not in done.output


@on_both_engines
@pytest.mark.parametrize(
    "hostile", ['x; touch {canary} $(touch {canary}) "', "`touch {canary}`", "--full-refresh", "a\nb"]
)
def test_a_hostile_selection_is_never_a_command(project: Project, tmp_path: Path, hostile: str) -> None:
    canary = tmp_path / "canary"
    done = project.run(HEADLESS_DBT_SELECT=hostile.format(canary=canary))
    assert not canary.exists()
    assert done.read("run.json")["status"] in ("warn", "error")
    assert done.exit_code in (0, 2)


@on_both_engines
def test_a_project_that_does_not_parse_is_exit_code_3(project: Project) -> None:
    project.write({"models/two.sql": "select {{ ref('no_such_model') }}"})
    done = project.run()
    assert done.exit_code == 3
    assert "The project cannot be parsed:" in done.output
    assert done.read("run.json")["status"] == "error"
    assert "no_such_model" in done.read("run.json")["problem"]["message"]


@on_both_engines
def test_a_warehouse_out_of_reach_is_exit_code_3_and_no_older_result_is_taken_for_this_run(project: Project) -> None:
    assert project.run().exit_code == 0
    done = project.run(target="unreachable")
    assert done.exit_code == 3
    assert "dbt build could not begin:" in done.output
    # dbt itself writes none; ours says of every selected node that it was not reached.
    assert {each["status"] for each in done.read("run_results.json")["results"]} == {"skipped"}
    assert set(done.nodes.values()) == {"skipped"}


@on_both_engines
def test_an_environment_without_dbt_is_exit_code_3(project: Project) -> None:
    done = project.run("--dbt-python", sys.executable)
    assert done.exit_code == 3
    assert "dbt cannot be imported by its interpreter: No module named 'dbt'" in done.output


@on_both_engines
def test_a_failing_hook_is_never_a_success(project: Project) -> None:
    project.write({"dbt_project.yml": 'name: little\nprofile: little\nversion: "1.0.0"\non-run-end: "select nope"\n'})
    done = project.run()
    assert done.exit_code == 1
    assert done.read("run.json")["status"] == "failure"


@on_both_engines
def test_a_stale_source_fails_and_only_its_branch_is_skipped(project: Project) -> None:
    project.write(STALE_SOURCE)
    done = project.run("--source-freshness", "true")
    assert done.exit_code == 1, done.output
    assert done.nodes["source.little.raw.events"] == "error"
    assert done.nodes["model.little.from_events"] == "skipped"
    assert done.nodes["model.little.after_events"] == "skipped"
    assert done.nodes["model.little.three"] == "success"
    skipped = next(node for node in done.read("run.json")["nodes"] if node["unique_id"].endswith("from_events"))
    assert "is stale" in skipped["message"]


@on_both_engines
def test_a_selection_that_reads_no_stale_source_does_not_hear_of_it(project: Project) -> None:
    project.write(STALE_SOURCE)
    done = project.run("--source-freshness", "true", "--select", "one")
    assert done.exit_code == 0, done.output
    assert not any(unique_id.startswith("source.") for unique_id in done.nodes)


@on_both_engines
def test_packages_are_installed_first(project: Project) -> None:
    project.write(
        {
            "../package/dbt_project.yml": 'name: pack\nversion: "1.0.0"\n',
            "../package/macros/answer.sql": "{% macro answer() %}42{% endmacro %}",
            "packages.yml": "packages:\n  - local: ../package\n",
            "models/two.sql": "select {{ pack.answer() }} as id from {{ ref('one') }}",
        }
    )
    done = project.run()
    assert done.exit_code == 0, done.output
    assert done.read("run.json")["commands"][0]["name"] == "deps"


@on_both_engines
def test_variables_reach_the_project_and_secrets_stay_out_of_every_file(project: Project) -> None:
    secret = 's3cr3t-"quoted"-value'
    project.write(
        {
            "models/one.sql": "select 1 as id -- {{ env_var('PLAIN') }}",
            "models/two.sql": "{{ config(materialized='table') }} select '{{ env_var('LITTLE_SECRET') }}'::int as id",
        }
    )
    done = project.run(
        target="secretive",
        HEADLESS_DBT_ENV="# a comment\nPLAIN=plainly\nLITTLE_PATH=little.duckdb",
        HEADLESS_DBT_DBT_ENV=f"LITTLE_SECRET={secret}",
    )
    assert done.exit_code == 1
    compiled = (done.folder / "attempts/1/compiled/little/models").glob("*.sql")
    assert "plainly" in "".join(file.read_text() for file in compiled)
    for file in done.folder.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert secret.encode() not in content, file
            assert secret.replace('"', '\\"').encode() not in content, file
    assert "*****" in (done.folder / "summary.md").read_text()


@on_both_engines
def test_a_secret_in_an_error_of_the_connection_stays_out_of_everything(project: Project) -> None:
    project.write({"profiles.yml": "little: {outputs: {local: {type: duckdb, path: \"/no/{{ env_var('PW') }}/x\"}}}\n"})
    done = project.run(HEADLESS_DBT_DBT_ENV="PW=hunter2secret")
    assert done.exit_code == 3
    assert "*****" in done.read("run.json")["problem"]["message"]
    for file in done.folder.parent.rglob("*"):
        assert not file.is_file() or file.is_relative_to(project.root) or b"hunter2secret" not in file.read_bytes(), (
            file
        )


@pytest.mark.parametrize("project", [RUST], indirect=True)
def test_the_docs_of_dbt_2_are_a_catalog_and_the_run_is_green(project: Project) -> None:
    done = project.run("--docs", "true")
    assert done.exit_code == 0, done.output
    assert done.read("run.json")["status"] == "success"
    assert set(done.read("catalog.json")["nodes"]) == set(done.nodes)
    assert "The docs have no page: dbt 2 makes none; catalog.json is there" in done.output
    assert not (done.folder / "docs.html").exists()
    # Nothing of its own stays that could not be read for secrets.
    assert not [file for file in done.folder.rglob("*") if file.suffix in (".parquet", ".msgpack")]
    assert not (done.folder / "query_log.sql").exists()


def test_what_dbt_2_would_list_is_what_its_manifest_names(shop: Project, rust_python: Path, tmp_path: Path) -> None:
    """Where nothing is selected, that spares one more reading of the project."""
    dbt, places = [str(rust_python.with_name("dbt"))], ["--target", "local", "--target-path", str(tmp_path)]
    told = ["--output", "json", "--output-keys", "unique_id", "--log-format", "json", "--log-path", str(tmp_path)]
    listed = subprocess.check_output([*dbt, "list", *places, *told], cwd=shop.root, env=shop.environment({}), text=True)
    events = [json.loads(line) for line in listed.splitlines()]
    names = [json.loads(each["info"]["msg"])["unique_id"] for each in events if each["info"]["name"] == "PrintEvent"]

    manifest = json.loads((tmp_path / "manifest.json").read_bytes())

    assert sorted(names) == sorted(json.loads(line)["unique_id"] for line in named_in(manifest))
    assert {name.partition(".")[0] for name in names} >= {"model", "seed", "snapshot", "test", "unit_test", "source"}


@on_both_engines
def test_two_runs_never_share_a_folder(project: Project) -> None:
    done = project.run()
    again = project.verb("run", "--target", "local", folder=done.folder)
    assert again.exit_code == 2
    assert "which is not an empty folder" in again.output


@on_both_engines
def test_a_cancel_stops_dbt_and_says_so(project: Project) -> None:
    endless = "select count(*) as id from range(1000000) a(x), range(1000000) b(y), {{ ref('one') }} where x * y = -1"
    project.write({"models/two.sql": "{{ config(materialized='table') }} " + endless})
    folder = project.root.parent / "run-folder"
    arguments = ["run", "--target", "local", "--dbt-python", str(project.dbt_python), "--run-folder", str(folder)]
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "headless_dbt", *arguments],
        cwd=project.root,
        env=project.environment({}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    deadline = time.monotonic() + 60
    log = folder / "dbt.log"
    while not (log.is_file() and b'"NodeStart"' in log.read_bytes() and b"model.little.two" in log.read_bytes()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    sessions = sessions_in(project.root)
    assert sessions
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 130, output.decode()
    assert b"The run was cancelled. SIGINT ended it" in output
    assert not sessions_in(project.root)
    reported = project.verb("report", folder=folder)
    assert reported.exit_code == 0
    assert "Cancelled" in (folder / "summary.md").read_text()


@on_both_engines
def test_a_report_on_what_a_plain_dbt_left(project: Project) -> None:
    """As README.md shows it: no run of ours, dbt alone."""
    dbt = [str(project.dbt_python.with_name("dbt")), "--quiet", "build", "--target", "local"]
    subprocess.run(dbt, cwd=project.root, env=project.environment({}), check=True)
    folder = project.root.parent / "report"
    told = project.verb("report", "--artifacts", "target", folder=folder)
    assert told.exit_code == 0, told.output
    assert set(told.nodes.values()) == {"success"}
    assert len(told.nodes) == 3
    assert (folder / "report.html").is_file()
