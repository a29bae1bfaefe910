"""A parse that remembers the last one is faster, and says the same as one that remembers nothing."""

import json
import shutil
from typing import Any

import pytest

from tests.integration.conftest import Finished, Project

FILES = {
    "macros/half.sql": "{% macro half(x) %}{{ x }} / 2{% endmacro %}",
    "models/one.sql": "select {{ half(4) }} as id, '{{ var('who', 'x') }}' as who, '{{ env_var('CITY', 'x') }}' as c",
    "models/one.yml": "models: [{name: one, description: first, columns: [{name: id, data_tests: [unique]}]}]",
    "packages.yml": "packages: [{local: package}]",
    "package/dbt_project.yml": "name: borrowed\nversion: '1.0'\n",
    "package/models/borrowed.sql": "select 1 as id",
}
# What is edited, and the inputs of the run after it.
EDITS: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "models, a macro, properties": (
        {
            "models/two.sql": "select id + 1 as id from {{ ref('one') }}",
            "models/new.sql": "select * from {{ ref('two') }}",
            "macros/half.sql": "{% macro half(x) %}{{ x }} / 3{% endmacro %}",
            "models/one.yml": "models: [{name: one, description: second}]",
        },
        {},
    ),
    "variables": ({}, {"vars": "{who: somebody}"}),
    "the environment": ({}, {"env": "CITY=Berlin"}),
    "the profile": ({"profiles.yml": "little: {outputs: {local: {type: duckdb, path: other.duckdb}}}"}, {}),
    "the project and a package": (
        {
            "dbt_project.yml": 'name: little\nprofile: little\nversion: "1.0"\nmodels: {+materialized: table}\n',
            "package/models/borrowed.sql": "select 2 as id",
        },
        {},
    ),
}


def parsed(project: Project, number: int, **inputs: str) -> Finished:
    """A check parses as a run does, and builds nothing."""
    given = {"dbt-python": str(project.dbt_python), "target": "local", **inputs}
    arguments = [part for name, value in given.items() for part in (f"--{name}", value)]
    done = project.verb("check", *arguments, folder=project.root.parent / f"parsed-{number}")
    assert done.exit_code == 0, done.output
    return done


def essence(done: Finished) -> dict[str, Any]:
    """The manifest without what differs in every parse."""
    manifest: dict[str, Any] = done.read("manifest.json")
    del manifest["metadata"]
    for group in ("nodes", "macros", "sources", "docs"):
        for node in manifest[group].values():
            for passing in ("created_at", "build_path", "compiled_path"):
                node.pop(passing, None)
    del manifest["disabled"], manifest["parent_map"], manifest["child_map"]
    return json.loads(json.dumps(manifest, sort_keys=True))  # type: ignore[no-any-return]


def test_a_warm_parse_says_what_a_cold_one_says_whatever_was_edited(project: Project) -> None:
    project.write(FILES)
    kept = project.root / "target/headless_dbt/kept"
    parsed(project, 0)
    assert list(kept.rglob("parse-*.zip"))
    for number, (what, (files, inputs)) in enumerate(EDITS.items(), 1):
        project.write(files)
        warm = parsed(project, 2 * number, **inputs)
        # The same again, and nothing to remember.
        shutil.move(kept, project.root.parent / f"aside-{number}")
        cold = parsed(project, 2 * number + 1, **inputs)
        shutil.rmtree(kept)
        shutil.move(project.root.parent / f"aside-{number}", kept)
        assert essence(warm) == essence(cold), what


GROUP = "groups: [{name: us, owner: {name: us}}]\n"
# What dbt's partial parsing, left alone, does not notice: files before, what is written then, and the status of a run.
UNNOTICED: dict[str, tuple[dict[str, str], dict[str, str], tuple[str, ...], int]] = {
    "a model with the name of one in a package": (
        {
            "models/two.sql": "select * from {{ ref('borrowed') }}",
            "package/dbt_project.yml": "name: borrowed\nversion: '1.0'\nmodels: {+schema: p}\n",
        },
        {"models/borrowed.sql": "select 7 as id"},
        (),
        0,
    ),
    "a model that became private": (
        {"models/one.yml": "groups: [{name: us, owner: {name: us}}]\nmodels: [{name: one, group: us}]"},
        {"models/one.yml": GROUP + "models: [{name: one, group: us, access: private}]"},
        (),
        3,
    ),
    "a warning that is an error": ({"models/s.yml": "models: [{name: nothere}]"}, {}, ("--dbt-args=--warn-error",), 3),
}


@pytest.mark.parametrize("what", UNNOTICED)
def test_what_dbt_does_not_notice_is_parsed_anew(project: Project, what: str) -> None:
    before, then, arguments, exit_code = UNNOTICED[what]
    project.write(FILES | before)
    assert project.run().exit_code == 0

    project.write(then)
    done = project.run(*arguments)

    assert done.exit_code == exit_code, done.output


def test_a_configuration_by_the_clock_is_that_of_each_run(project: Project) -> None:
    project.write({"models/events.sql": "{{ config(alias='events_' ~ run_started_at.strftime('%f')) }} select 1 as id"})
    aliases = {project.run().read("manifest.json")["nodes"]["model.little.events"]["alias"] for _ in range(2)}
    assert len(aliases) == 2


def test_a_full_refresh_is_known_where_the_project_is_read(project: Project) -> None:
    by_flag = "{{ config(materialized='table' if flags.FULL_REFRESH else 'view') }} select 1 as id"
    project.write({"models/one.sql": by_flag})
    for refresh, kind in (("false", "view"), ("true", "table"), ("false", "view")):
        done = project.run("--full-refresh", refresh)
        assert done.exit_code == 0, done.output
        assert done.read("manifest.json")["nodes"]["model.little.one"]["config"]["materialized"] == kind


def test_a_warm_parse_is_much_faster(project: Project) -> None:
    for number in range(500):
        project.write({f"models/m_{number}.sql": f"select {number} as id from {{{{ ref('one') }}}}"})
    cold = parsed(project, 0)
    # An edit of a model is read for itself.
    project.write({"models/m_7.sql": "select 8 as id from {{ ref('one') }}"})
    warm = parsed(project, 1)

    seconds = [
        next(command["elapsed"] for command in each.read("session.json")["commands"] if command["name"] == "parse")
        for each in (cold, warm)
    ]
    assert seconds[1] < 0.6 * seconds[0], seconds


def test_a_parse_that_cannot_be_read_costs_nothing_but_time(project: Project) -> None:
    parsed(project, 0)
    [kept] = (project.root / "target/headless_dbt/kept").rglob("parse-*.zip")
    kept.write_bytes(b"\x81\xa1torn")

    parsed(project, 1)

    assert len(kept.read_bytes()) > 100


def test_a_secret_of_the_project_is_not_kept(project: Project) -> None:
    project.write({"models/two.sql": "select '{{ env_var('PASSWORD') }}' as id from {{ ref('one') }}"})
    done = project.run(HEADLESS_DBT_DBT_ENV="PASSWORD=hunter2-of-the-warehouse")

    assert done.exit_code == 0, done.output
    assert "The next run parses from nothing: a secret, or a value of `dbt-env`, stands in the parse." in done.output
    assert not [file for file in project.root.rglob("parse-*") if b"hunter2" in file.read_bytes()]
