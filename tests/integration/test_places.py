"""Errors stand on the file and line that they are about, in a project that is not at the root of its repository."""

from pathlib import Path

import pytest

from tests.integration.conftest import PROFILE, Finished, Project

FILES = {
    "dbt_project.yml": 'name: shop\nprofile: little\nversion: "1.0.0"\nflags: {send_anonymous_usage_stats: false}\n',
    "profiles.yml": PROFILE,
    "models/one.sql": "select 1 as id",
    "models/tested.sql": "select 1 as id",
    "models/a,b:c%d.sql": "\n-- the error is in line 5\nselect\n  id\nfrom {{ ref('one') }} wher id = 1\n",
    "models/in_macro.sql": "select {{ boom() }} as id from {{ ref('one') }}",
    "macros/more.sql": (
        "{% macro fine() %}1{% endmacro %}\n\n{% macro boom() %}\n  {% if execute %}\n"
        "    {{ exceptions.raise_compiler_error('bad, 100%') }}\n  {% endif %}\n{% endmacro %}\n"
    ),
    "models/schema.yml": """\
models:
  - name: tested
    columns:
      - name: id
        data_tests:
          - not_null
          - accepted_values:
              arguments: {values: [2]}
          - accepted_values:
              name: only_a_warning
              arguments: {values: [3]}
              config: {severity: warn}

unit_tests:
  - name: adds_up
    model: summed
    given:
      - input: ref('one')
        rows: [{id: 1}]
    expect:
      rows: [{id: 2}]
""",
    "models/summed.sql": "select sum(id)::integer as id from {{ ref('one') }}",
    "models/behind.sql": "select 1 as id from {{ ref('summed') }}",
}


@pytest.fixture
def project(tmp_path: Path, dbt_python: Path) -> Project:
    """A project in a sub-folder of a repository, written on Windows."""
    made = Project(tmp_path / "repository", dbt_python)
    made.root.mkdir()
    made.write({f"analytics/dbt/{name}": text.replace("\n", "\r\n") for name, text in FILES.items()})
    return made


def run(project: Project) -> tuple[Finished, list[str], list[str]]:
    """The annotations of `run`, and of `report`, without their titles and messages."""
    folder = project.root.parent / "run"
    variables = {"GITHUB_ACTIONS": "true", "HEADLESS_DBT_PROJECT_DIR": "analytics/dbt"}
    dbt = ("--dbt-python", str(project.dbt_python), "--retries", "0")
    done = project.verb("run", "--target", "local", *dbt, folder=folder, **variables)
    told = project.verb("report", folder=folder, **variables)
    assert told.exit_code == 0, told.output
    return done, annotations(done.output), annotations(told.output)


def annotations(output: str) -> list[str]:
    return [line for line in output.splitlines() if line.startswith(("::error", "::warning"))]


def said(kind: str, file: str, line: int, title: str, message: str) -> str:
    return f"::{kind} file=analytics/dbt/{file},line={line},title={title}::{message}"


def test_each_failure_stands_on_the_line_that_it_is_about(project: Project) -> None:
    done, by_run, by_report = run(project)

    assert done.exit_code == 1, done.output
    assert by_run == []
    assert [line.partition("::Compilation Error")[0].partition("%0A")[0] for line in by_report] == [
        # It blocks a model.
        said(
            "error", "models/schema.yml", 15, "unit_test.shop.summed.adds_up%3A fail", "actual differs from expected:"
        ),
        said(
            "error",
            "models/a%2Cb%3Ac%25d.sql",
            5,
            "model.shop.a%2Cb%3Ac%25d%3A error",
            "Runtime Error in model a,b:c%25d (models/a,b:c%25d.sql)",
        ),
        "::error file=analytics/dbt/macros/more.sql,line=3,title=model.shop.in_macro%3A error",
        said(
            "error",
            "models/schema.yml",
            7,
            "test.shop.accepted_values_tested_id__2.c3b534f138%3A fail",
            "Got 1 result, configured to fail if != 0",
        ),
        said(
            "warning",
            "models/schema.yml",
            9,
            "test.shop.only_a_warning.6eae732a28%3A warn",
            "Got 1 result, configured to warn if != 0",
        ),
    ]
    assert "::Compilation Error in model in_macro (models/in_macro.sql)%0A  bad, 100%25%0A" in by_report[2]


def test_a_project_that_does_not_parse_stands_on_the_line_that_is_broken(project: Project) -> None:
    project.write({"analytics/dbt/models/marts/schema.yml": "models:\n  - name: one\n    description: a: b, 100%\n"})
    done, by_run, by_report = run(project)

    assert done.exit_code == 3
    [line] = by_run
    assert line.startswith(
        "::error file=analytics/dbt/models/marts/schema.yml,line=3,title=dbt could not work::The project cannot be "
        "parsed: Parsing Error%0A  Error reading shop: marts/schema.yml - Runtime Error%0A    Syntax error near line 3"
    )
    assert "description: a: b, 100%25%0A" in line
    assert by_report == []
    problem = done.read("run.json")["problem"]
    assert (problem["file"], problem["line"]) == ("analytics/dbt/models/marts/schema.yml", 3)
    assert "in `analytics/dbt/models/marts/schema.yml:3`" in (done.folder / "summary.md").read_text()
