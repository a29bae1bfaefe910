"""Both engines come to the same results, whatever each of them writes about them."""

import pytest

from tests.integration.conftest import Project, on_both_engines

WARNING = "{{ config(severity='warn') }} "
SLOW = """\
{{ config(materialized='table') }}
select max(a.range) as id from range(60000) a, range(60000) b where a.range % 7 = b.range % 5
"""
HOOK = 'on-run-end: ["select no_such_function()"]\n'


@on_both_engines
def test_a_test_that_cannot_run_is_an_error_and_one_that_fails_says_how(project: Project) -> None:
    project.write(
        {
            "tests/broken.sql": "select no_such_column from {{ ref('three') }}",
            "tests/broken_warning.sql": WARNING + "select no_such_column from {{ ref('three') }}",
            "tests/found.sql": "select 1 as id from {{ ref('three') }} union all select 2",
            "tests/found_warning.sql": WARNING + "select 1 as id from {{ ref('three') }}",
            "models/four.yml": "unit_tests: [{name: expects, model: four, given: [], expect: {rows: [{id: 5}]}}]",
            "models/four.sql": "select 4 as id",
        }
    )
    done = project.run("--retries", "0")
    assert done.exit_code == 1, done.output
    nodes = {node["unique_id"].rpartition(".")[2]: node for node in done.read("run.json")["nodes"]}
    told = {name: (node["status"], node["failures"]) for name, node in nodes.items() if "test." in node["unique_id"]}
    assert told == {
        "broken": ("error", None),
        "broken_warning": ("error", None),
        "found": ("fail", 2),
        "found_warning": ("warn", 1),
        "expects": ("fail", 1),
    }
    assert "no_such_column" in nodes["broken"]["message"]
    assert "no_such_column" in nodes["broken_warning"]["message"]
    assert nodes["found"]["message"] == "Got 2 results, configured to fail if != 0"
    assert nodes["found_warning"]["message"] == "Got 1 result, configured to warn if != 0"
    assert nodes["four"]["status"] == "skipped"


@on_both_engines
def test_a_hook_that_fails_at_the_end_takes_no_result_away(project: Project) -> None:
    definition = (project.root / "dbt_project.yml").read_text("utf-8")
    project.write(
        {"dbt_project.yml": definition + HOOK, "models/bad.sql": "select no_such_column from {{ ref('one') }}"}
    )
    done = project.run("--retries", "0")
    assert done.exit_code == 1, done.output
    models = {name.rpartition(".")[2]: status for name, status in done.nodes.items() if name.startswith("model.")}
    assert models == {"one": "success", "two": "success", "three": "success", "bad": "error"}
    said = (done.folder / "summary.md").read_text("utf-8")
    assert "no_such_column" in said
    assert "no_such_function" in said


@on_both_engines
def test_fail_fast_names_what_failed_and_skips_the_rest(project: Project) -> None:
    project.write({"models/bad.sql": "select no_such_column from {{ ref('one') }}", "models/slow.sql": SLOW})
    project.write({"models/after.sql": "select * from {{ ref('slow') }}"})
    done = project.run("--fail-fast", "true", "--retries", "0")
    assert done.exit_code == 1, done.output
    assert done.nodes["model.little.bad"] == "error"
    assert done.nodes["model.little.after"] == "skipped"
    assert done.nodes["model.little.slow"] in {"success", "skipped"}
    assert done.read("run.json")["problem"] is None
    assert [status for status in done.nodes.values() if status == "error"] == ["error"]


@on_both_engines
def test_what_failed_is_built_again_wherever_it_lies(project: Project) -> None:
    """A folder may have a name with a space or a comma, or that of a model beside it."""
    later = "select id from {{ target.schema }}.later"
    project.write({f"models/{name}.sql": later for name in ("my folder/a", "b,c/d", "e")})
    project.write({"models/e/f.sql": "select 1 as id", "models/g.sql": "select id from {{ ref('a') }}"})
    failed = project.run("--retries", "0")
    assert failed.exit_code == 1, failed.output

    project.write({"models/e.sql": "select 5 as id", "models/my folder/a.sql": "select 1 as id"})
    again = project.run("--resume-from", str(failed.folder), "--retries", "0")

    assert again.exit_code == 1, again.output
    assert {name: status for name, status in again.nodes.items() if status != "success"} == {"model.little.d": "error"}
    # What had passed is taken over.
    tries = {node["unique_id"].rpartition(".")[2]: node["tries"] for node in again.read("run.json")["nodes"]}
    assert tries == dict.fromkeys("adeg", 1) | dict.fromkeys(("one", "two", "three", "f"), 0)


@on_both_engines
def test_a_seed_whose_file_is_broken_says_so(project: Project) -> None:
    project.write({"seeds/ragged.csv": "id,name\n1,a\n2,b,c,d\n"})
    done = project.run("--retries", "0")
    assert done.exit_code == 1, done.output
    [seed] = [node for node in done.read("run.json")["nodes"] if node["unique_id"] == "seed.little.ragged"]
    assert seed["status"] == "error"
    assert "4" in seed["message"]


SELECTORS = """
selectors:
  - name: daily
    default: true
    definition: {union: [{method: fqn, value: "*"}, {exclude: [{method: tag, value: never}]}]}
"""
STALE = """
sources:
  - name: raw
    schema: main
    tables:
      - name: landed
        config: {loaded_at_field: cast(loaded_at as timestamp), freshness: {error_after: {count: 1, period: day}}}
"""


@on_both_engines
@pytest.mark.parametrize("asked", [(), ("--selector", "daily")])
def test_a_stale_source_leaves_its_branch_out_and_brings_nothing_in(project: Project, asked: tuple[str, ...]) -> None:
    project.write(
        {
            "seeds/landed.csv": "id,loaded_at\n1,2020-01-01\n",
            "selectors.yml": SELECTORS,
            "models/stale.yml": STALE,
            "models/fed.sql": "select * from {{ source('raw', 'landed') }}",
            "models/never.sql": "{{ config(tags=['never']) }} select 1 as id",
        }
    )
    assert project.run("--select", "landed").exit_code == 0
    done = project.run("--source-freshness", "true", *asked)
    assert done.exit_code == 1, done.output
    results = done.read("run_results.json")["results"]
    statuses = {result["unique_id"].rpartition(".")[2]: result["status"] for result in results}
    assert statuses == {**dict.fromkeys(("landed", "one", "two", "three"), "success"), "fed": "skipped"}


@on_both_engines
@pytest.mark.parametrize(
    ("file", "text", "line"),
    [
        ("models/broken.sql", "select 1 as id\n  from {{ ref('nowhere') }}\n", 2),
        ("models/broken.yml", "models:\n  - name: one\n   description: x\n", 3),
        ("models/broken.sql", "select 1 as id\n\n{% if %}\n", 3),
    ],
)
def test_an_error_of_the_project_has_a_place(project: Project, file: str, text: str, line: int) -> None:
    project.write({file: text})
    done = project.run()
    assert done.exit_code == 3, done.output
    problem = done.read("run.json")["problem"]
    assert (problem["file"], problem["line"]) == (file, line), problem
