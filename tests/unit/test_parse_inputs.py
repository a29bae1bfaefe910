"""What dbt remembers of a parse serves again only where all that it does not compare is the same."""

from dataclasses import replace
from pathlib import Path

import pytest
from headless_dbt.parse_inputs import parse_inputs
from headless_dbt.settings import RunSettings

from tests.unit.builders import make_settings

FILES = {
    "dbt_project.yml": "name: shop\n",
    "profiles.yml": "shop: {}\n",
    "models/a.sql": "{{ config(materialized='table') }} select 1 as id",
    "models/b.sql": "select * from {{ ref('a') }}",
    "models/c.sql": "{{ config(alias=generate('x')) }} select 1 as id",
    "models/a.yml": "models: [{name: a, columns: [{name: invocation_id}]}]",
    "macros/m.sql": "{% macro generate(name) %}{{ name }}{{ env_var('CITY', '') }}{% endmacro %}",
    "seeds/s.csv": "id\n1\n",
    "dbt_packages/p/models/p.sql": "select '{{ run_started_at }}'",
}
TODAY = "{% macro today() %}{{ return(modules.datetime.date.today()) }}{% endmacro %}"
WRAPPED = "{% macro wrapped() %}{{ return(today()) }}{% endmacro %}"
DISPATCHED = (
    "{% macro today() %}{{ return(adapter.dispatch('today', 'p')()) }}{% endmacro %}"
    "{%- macro default__today() %}{{ return(run_started_at) }}{% endmacro %}"
)
ENVIRONMENT = {"CITY": "Berlin", "PASSWORD": "hunter2", "DBT_WARN_ERROR": "false", "OTHER": "1"}


@pytest.fixture
def settings(tmp_path: Path) -> RunSettings:
    """Those of a small project."""
    write(tmp_path, FILES)
    return make_settings(tmp_path)


def write(root: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)


@pytest.mark.parametrize(
    ("file", "content", "serves"),
    [
        # What dbt reads anew.
        ("models/b.sql", "select 2 as id from {{ ref('a') }}", True),
        ("models/a.sql", "{{ config(materialized='table') }} select 2 as id", True),
        ("seeds/s.csv", "id\n2\n", True),
        # What is none of dbt's.
        ("target/manifest.sql", "{}", True),
        ("notes.txt", "", True),
        (".git/x.sql", "", True),
        # What may change more than itself.
        ("models/a.sql", "{{ config(materialized='view') }} select 1 as id", False),
        ("models/b.sql", "{{ config(access='private') }} select * from {{ ref('a') }}", False),
        ("models/c.sql", "{{ config(alias=generate('x')) }} select 2 as id", False),
        ("models/a.yml", "models: [{name: a, access: private}]", False),
        ("models/new.sql", "select 1", False),
        ("seeds/new.csv", "id\n", False),
        ("macros/m.sql", "{% macro generate(name) %}{{ name }}_x{% endmacro %}", False),
        ("dbt_project.yml", "name: shop\nmodels: {}\n", False),
        ("profiles.yml", "shop: {target: prod}\n", False),
        ("dbt_packages/p/models/a.yml", "models: []", False),
    ],
)
def test_it_serves_where_only_sql_below_the_configuration_has_changed(
    settings: RunSettings, file: str, content: str, serves: bool
) -> None:
    before = parse_inputs(settings, ENVIRONMENT, {"hunter2"})
    write(settings.project_dir, {file: content})
    assert before
    assert (parse_inputs(settings, ENVIRONMENT, {"hunter2"}) == before) is serves


def test_it_serves_no_other_request(settings: RunSettings) -> None:
    others = [
        settings,
        replace(settings, target="other"),
        replace(settings, vars="{a: 1}"),
        replace(settings, threads=7),
        replace(settings, full_refresh=True),
        replace(settings, dbt_args=("--warn-error",)),
    ]
    assert len({parse_inputs(each, ENVIRONMENT, ()) for each in others}) == len(others)


@pytest.mark.parametrize(
    ("name", "serves"), [("CITY", False), ("DBT_WARN_ERROR", False), ("PASSWORD", True), ("OTHER", True)]
)
def test_it_serves_where_the_variables_that_are_read_are_the_same(
    settings: RunSettings, name: str, serves: bool
) -> None:
    """Of one that holds a secret, dbt looks itself: a digest would let people try values."""
    secrets = {"hunter2", "hunter3"}
    write(settings.project_dir, {"models/d.sql": "select '{{ env_var('PASSWORD') }}'"})
    before = parse_inputs(settings, ENVIRONMENT, secrets)
    now = "hunter3" if name == "PASSWORD" else "other"
    assert (parse_inputs(settings, {**ENVIRONMENT, name: now}, secrets) == before) is serves


@pytest.mark.parametrize(
    "files",
    [
        {"models/d.sql": "{{ config(alias='d_' ~ run_started_at.year) }} select 1"},
        {"models/logs/d.sql": "{{ config(alias='d_' ~ run_started_at.year) }} select 1"},
        {"models/d.sql": "{% set now = run_started_at.year %}{{ config(alias=now) }} select 1"},
        {"models/d.sql": "{% set m = modules %}{{ config(alias=m['datetime'].date.today() | string) }} select 1"},
        {"models/d.yml": "models: [{name: b, config: {alias: 'b_{{ invocation_id }}'}}]"},
        {"macros/n.sql": TODAY, "models/d.sql": "{{ config(alias=today()) }} select 1"},
        {"macros/n.sql": TODAY + WRAPPED, "models/d.yml": "models: [{name: b, config: {alias: '{{ wrapped() }}'}}]"},
        {"dbt_packages/p/macros/n.sql": TODAY, "models/d.sql": "{{ config(alias=p.today()) }} select 1"},
        {"dbt_packages/p/macros/n.sql": DISPATCHED, "models/d.sql": "{{ config(alias=p.today()) }} select 1"},
        {"macros/n.sql": TODAY.replace("today()", "generate_alias_name(x, node)", 1)},
        {"macros/n.sql": TODAY.replace("today()", "default__generate_schema_name(x, node)", 1)},
        {"macros/n.sql": TODAY.replace("macro today()", "test recent(model)"), "models/d.yml": "tests: [recent]"},
        {"models/d.sql": "{%+ macro x() %}1{% endmacro %}{{ config(alias=invocation_id) }} select 1"},
        {"models/d.sql": "{{ config(alias=invocation_id) }}{% macro x() %}1{% endmacro %} select 1"},
        {"snapshots/s.sql": "{% snapshot s %}{{ config(alias=invocation_id) }}{% endsnapshot %}"},
    ],
)
def test_it_serves_nothing_where_the_configuration_may_come_from_the_clock(
    settings: RunSettings, files: dict[str, str]
) -> None:
    write(settings.project_dir, files)
    assert parse_inputs(settings, ENVIRONMENT, ()) == ""


@pytest.mark.parametrize(
    "files",
    [
        {"macros/n.sql": TODAY},
        {"macros/n.sql": TODAY + WRAPPED, "models/d.sql": "{{ config(alias='d') }} select '{{ wrapped() }}'"},
        {"dbt_packages/p/macros/n.sql": DISPATCHED, "models/d.sql": "{{ config(alias=p.tomorrow()) }} select 1"},
        {"models/d.sql": "{{ config(alias=modules.re.sub('a', 'b', 'c')) }} select 1"},
    ],
)
def test_a_clock_that_no_configuration_asks_is_in_nobodys_way(settings: RunSettings, files: dict[str, str]) -> None:
    write(settings.project_dir, files)
    assert parse_inputs(settings, ENVIRONMENT, ())


@pytest.mark.parametrize(
    "paths",
    ["macro-paths: [macros, ../shared]", "model-paths: [/x]", "seed-paths: ['{% if a %}b{% endif %}']",
     "model-paths: [./logs/x]", "model-paths: [.x]", "model-paths: ['']", "model-paths: [1]", "- x", "a: ["],
)  # fmt: skip
def test_it_serves_nothing_where_dbt_may_read_other_folders(settings: RunSettings, paths: str) -> None:
    write(settings.project_dir, {"dbt_project.yml": f"{paths}\n"})
    assert parse_inputs(settings, ENVIRONMENT, ()) == ""


def test_a_folder_of_the_projects_own_is_read_whatever_its_name(settings: RunSettings, tmp_path: Path) -> None:
    write(settings.project_dir, {"models/logs/a.yml": "models: []", "elsewhere/x.yml": "models: []"})
    before = parse_inputs(settings, ENVIRONMENT, ())
    (settings.project_dir / "models/linked").symlink_to(settings.project_dir / "elsewhere")
    assert parse_inputs(settings, ENVIRONMENT, ()) == before
    write(settings.project_dir, {"models/logs/a.yml": "models: [{name: a, access: private}]"})
    assert parse_inputs(settings, ENVIRONMENT, ()) != before


def test_a_model_may_say_when_it_was_built(settings: RunSettings) -> None:
    write(settings.project_dir, {"models/d.sql": "{{ config(alias='d') }} select '{{ run_started_at }}' as at"})
    assert parse_inputs(settings, ENVIRONMENT, ())


def test_a_package_that_is_a_link_is_looked_into(settings: RunSettings, tmp_path: Path) -> None:
    elsewhere = tmp_path.parent / f"{tmp_path.name}-package"
    write(elsewhere, {"models/a.yml": "models: []"})
    (settings.project_dir / "dbt_packages/linked").symlink_to(elsewhere)
    before = parse_inputs(settings, ENVIRONMENT, ())
    write(elsewhere, {"models/a.yml": "models: [{name: a}]"})
    assert parse_inputs(settings, ENVIRONMENT, ()) != before
