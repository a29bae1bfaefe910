"""Runs that continue earlier ones: what stands, what has to run again, and what is not to be believed."""

import signal
import subprocess
import sys
import time

import pytest

from tests.integration.conftest import Finished, Project, on_both_engines, sessions_in

BROKEN, MENDED = "select nope from {{ ref('two') }}", "select id from {{ ref('two') }}"
TESTS = """\
models:
  - name: one
    columns: [{name: id, data_tests: [not_null, unique]}]
  - name: two
    columns: [{name: id, data_tests: [not_null]}]
"""


def taken(done: Finished) -> set[str]:
    return {node["name"] for node in done.read("run.json")["nodes"] if not node["tries"]}


def red(project: Project, *arguments: str, **variables: str) -> Finished:
    """A run that failed at its last model, which is mended after it."""
    project.write({"models/three.sql": BROKEN})
    done = project.run(*arguments, **variables)  # type: ignore[arg-type]
    assert done.exit_code == 1, done.output
    project.write({"models/three.sql": MENDED})
    return done


def resumed(project: Project, earlier: Finished, *arguments: str, **variables: str) -> Finished:
    return project.run("--resume-from", str(earlier.folder), *arguments, **variables)  # type: ignore[arg-type]


@on_both_engines
def test_models_whose_tests_passed_are_taken_over_with_them(project: Project) -> None:
    project.write(
        {"models/tests.yml": TESTS, "models/part.sql": "{{ config(materialized='ephemeral') }} select 1 as id"}
    )
    project.write({"models/two.sql": "select id from {{ ref('one') }} union select id from {{ ref('part') }}"})
    earlier = red(project)
    done = resumed(project, earlier)
    assert done.exit_code == 0, done.output
    assert taken(done) == {"one", "two", "not_null_one_id", "unique_one_id", "not_null_two_id"}
    # An ephemeral model is part of others, and has no result of its own, here as little as in dbt's.
    assert len(done.nodes) == len(earlier.nodes) == 6


HOOK = "on-run-end: ['insert into swapped values (1)']\n"


def test_a_hook_that_failed_runs_when_the_run_is_continued(project: Project) -> None:
    project.write({"models/tests.yml": TESTS, "dbt_project.yml": project_file(project) + HOOK})
    earlier = project.run()
    assert earlier.exit_code == 1
    assert "swapped" in earlier.output
    # It fails still: what is not there is not called a success.
    assert resumed(project, earlier).exit_code == 1
    asked(project, "execute('create table swapped (id int)')")
    done = resumed(project, earlier)
    assert done.exit_code == 0, done.output
    assert asked(project, "table('swapped').fetchall()") == "[(1,)]"
    assert {"one", "two", "three"} <= taken(done)


def asked(project: Project, question: str) -> str:
    """What the database answers, through dbt's own DuckDB."""
    command = f"import duckdb; print(duckdb.connect('little.duckdb').{question})"
    return subprocess.check_output([project.looking_in, "-c", command], cwd=project.root, text=True).strip()


def project_file(project: Project) -> str:
    return (project.root / "dbt_project.yml").read_text()


def test_a_hook_that_fails_for_a_passing_cause_is_tried_again(project: Project) -> None:
    """The second time it passes: what it waits for has come about."""
    hook = """on-run-end:
  - "select case when (select count(*) from glob('there.csv')) = 0 then error('503 Service Unavailable') end"
  - "copy (select 1 as id) to 'there.csv'"
"""
    project.write({"models/tests.yml": TESTS, "dbt_project.yml": project_file(project) + hook})
    done = project.run("--retries", "2", "--retry-delay", "0.1")
    assert len(done.read("run.json")["attempts"]) >= 2, done.output


@on_both_engines
def test_another_database_is_not_the_same_run(project: Project) -> None:
    local = "{type: duckdb, path: \"{{ env_var('DBFILE') }}\"}"
    project.write({"profiles.yml": f"little: {{target: local, outputs: {{local: {local}}}}}\n"})
    assert project.run(HEADLESS_DBT_DBT_ENV="DBFILE=there/little.duckdb").exit_code != 0
    (project.root / "here").mkdir()
    (project.root / "there").mkdir()
    assert project.run(HEADLESS_DBT_DBT_ENV="DBFILE=there/little.duckdb").exit_code == 0
    earlier = red(project, HEADLESS_DBT_DBT_ENV="DBFILE=here/little.duckdb")
    done = resumed(project, earlier, HEADLESS_DBT_DBT_ENV="DBFILE=there/little.duckdb")
    assert "nothing is taken over" in done.output
    assert "the connection" in done.output
    assert not taken(done)
    assert taken(resumed(project, earlier, HEADLESS_DBT_DBT_ENV="DBFILE=here/little.duckdb")) == {"one", "two"}


CHANGES = ("large seed", "environment variable", "vars of the project", "vars of a package", "macro")


@on_both_engines
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_that_the_code_of_a_node_does_not_show_builds_everything(project: Project, change: str) -> None:
    package = "name: inner\nversion: '1.0'\nvars: {rate: %s}\n"
    before = {
        "seeds/large.csv": "id,x\n" + "1,aaa\n" * 200_000,
        "models/one.sql": "select 1 as id, {{ env_var('RATE', '1') }} as rate, {{ var('own', 1) }} as own",
        "packages.yml": "packages: [{local: inner}]\n",
        "inner/dbt_project.yml": package % 1,
        "inner/models/packaged.sql": "select {{ var('rate') }} as rate",
    }
    after = {
        "large seed": {"seeds/large.csv": "id,x\n" + "1,bbb\n" * 200_000},
        "environment variable": {},
        "vars of the project": {"dbt_project.yml": project_file(project) + "vars: {own: 2}\n"},
        "vars of a package": {"inner/dbt_project.yml": package % 2},
        "macro": {
            "macros/view.sql": "{% macro duckdb__create_view_as(relation, sql) %}"
            "create view {{ relation }} as select * from ({{ sql }}) where true{% endmacro %}"
        },
    }[change]
    project.write(before)
    earlier = red(project, "--exclude", "large" if change != "large seed" else "")
    project.write(after)
    variables = {"RATE": "2"} if change == "environment variable" else {}
    done = resumed(project, earlier, "--exclude", "large" if change != "large seed" else "", **variables)
    assert done.exit_code == 0, done.output
    assert not taken(done), done.output
    assert "Everything is built" in done.output


@on_both_engines
def test_a_macro_that_is_called_by_the_name_of_its_package_is_code_of_its_caller(project: Project) -> None:
    macro = "{%% macro rate() %%}%s{%% endmacro %%}"
    project.write({"macros/rate.sql": macro % 1, "models/one.sql": "select {{ little.rate() }} as id"})
    earlier = red(project)
    project.write({"macros/rate.sql": macro % 2})
    done = resumed(project, earlier)
    assert done.exit_code == 0, done.output
    assert not taken(done), done.output


FRESHNESS = """\
sources:
  - name: raw
    schema: main
    config: {loaded_at_field: no_such_column, freshness: {error_after: {count: 1, period: day}}}
    tables: [{name: landed}]
"""


@on_both_engines
def test_a_freshness_check_that_fails_itself_is_no_success(project: Project) -> None:
    # A relation that no model of the second run replaces while another one reads it.
    project.write({"models/landed.sql": "select 1 as id"})
    assert project.run().exit_code == 0
    (project.root / "models" / "landed.sql").unlink()
    project.write({"models/raw.yml": FRESHNESS, "models/four.sql": "select id from {{ source('raw', 'landed') }}"})
    done = project.run("--source-freshness", "true")
    assert done.exit_code == 1, done.output
    assert done.nodes["source.little.raw.landed"] == "runtime error"
    # It says nothing of the data, which is built.
    assert done.nodes["model.little.four"] == "success"


SLOW = """\
{{ config(materialized='table') }}
{% if execute %}{% for _ in range(60000000) %}{% endfor %}{% endif %}
select 1 as id
"""


@on_both_engines
def test_a_report_waits_for_a_dbt_whose_supervisor_was_killed(project: Project) -> None:
    """Until it ends it goes on writing, and what is reported would be wrong a moment later."""
    project.write({"models/one.sql": SLOW})
    folder = project.root.parent / "killed"
    run = [sys.executable, "-P", "-m", "headless_dbt", "run", "--target", "local", "--run-folder", str(folder)]
    run += ["--dbt-python", str(project.dbt_python)]
    around = project.environment({})
    with subprocess.Popen(run, cwd=project.root, env=around, stdout=subprocess.DEVNULL) as killed:
        log = folder / "dbt.log"
        while not (log.is_file() and b'"NodeStart"' in log.read_bytes()):
            time.sleep(0.02)
        killed.send_signal(signal.SIGKILL)
    assert project.verb("report", folder=folder).exit_code == 0
    assert not sessions_in(project.root)
    first = Finished(0, "", folder).nodes
    written = (folder / "dbt.log").read_bytes()
    time.sleep(1)
    assert (folder / "dbt.log").read_bytes() == written
    assert first["model.little.one"] in ("error", "success")
    there = (project.root / "little.duckdb").exists()
    assert there or first["model.little.one"] == "error"
