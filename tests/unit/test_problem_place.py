"""The place of a problem is the right one, or none: from dbt's own words, and the files that the project has."""

import time

import pytest
from headless_dbt.locate import Place
from headless_dbt.problem_place import macro_place, problem_place
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.broken_projects import BASE, TOLD, Told
from tests.unit.builders import HOSTILE

SCHEMA = "The schema file at {} is invalid because the value of 'models' is not a list"
MACROS = """{% macro fine() %}1{% endmacro %}
{# {% macro boom() %} #}

{%- macro boom(x) -%}
  {{ exceptions.raise_compiler_error('bad') }}
{%- endmacro %}
{% test positive(model) %}{% endtest %}
{% materialization odd, adapter='duckdb' %}{% endmaterialization %}
{% macro twice() %}{% endmacro %}
{% macro twice() %}{% endmacro %}
"""


@pytest.mark.parametrize("told", TOLD, ids=[told.kind for told in TOLD])
def test_what_dbt_says_of_a_broken_project_has_its_place(told: Told) -> None:
    files = {**BASE, **told.files}

    assert problem_place(f"The project cannot be parsed: {told.message}", files, "/project") == told.place


@pytest.mark.parametrize("told", TOLD, ids=[told.kind for told in TOLD])
def test_a_file_that_the_project_does_not_have_is_never_named(told: Told) -> None:
    assert problem_place(told.message, {}, "/project") is None


@pytest.mark.parametrize(
    "file",
    [
        "/etc/passwd",
        "../secrets.yml",
        "models/../../secrets.yml",
        "/project/../secrets.yml",
        "/project//etc/passwd",
        "models",
        "",
        *HOSTILE,
    ],
)
def test_a_hostile_message_names_nothing_but_files_of_the_project(file: str) -> None:
    for message in (
        SCHEMA.format(file),
        f"Compilation Error in model x ({file})\n  bad",
        f"Model 'model.shop.x' ({file}) depends on a node named 'gone' which was not found",
        f"Compilation Error in model x (x)\n  > in macro boom ({file})",
        f"Error encountered in {file}",
        f"dbt found two models\n  - model.shop.one ({file})\n - {file}",
        f"Contents of file '{file}' are not valid.",
    ):
        assert problem_place(message, BASE, "/project") is None


def test_the_file_of_another_project_is_not_meant() -> None:
    schema = {**BASE, "models/schema.yml": "models:\n  - name: one\n    description: a: b\n"}
    said = next(told.message for told in TOLD if told.kind == "yaml_colon")

    assert problem_place(said, schema, "/project") == Place("models/schema.yml", 3)
    assert problem_place(said.replace("reading shop", "reading dbt_utils"), schema, "/project") is None
    of_package = "Error encountered in /project/dbt_packages/x/dbt_project.yml"
    assert problem_place(of_package, BASE, "/project") is None
    unit_test = next(told for told in TOLD if told.kind == "unit_test_broken")
    elsewhere = unit_test.message.replace("/project", "/project/dbt_packages/x")
    assert problem_place(elsewhere, {**BASE, **unit_test.files}, "/project") is None


def test_a_file_that_is_named_by_halves_is_the_one_with_the_lines_that_dbt_shows() -> None:
    said = next(told.message for told in TOLD if told.kind == "yaml_colon")
    broken, other = "models:\n  - name: one\n    description: a: b\n", "models:\n  - name: two\n"

    assert problem_place(said, {**BASE, "a/schema.yml": other, "b/schema.yml": broken}, "/project") == Place(
        "b/schema.yml", 3
    )
    assert problem_place(said, {**BASE, "a/schema.yml": broken, "b/schema.yml": broken}, "/project") is None
    assert problem_place(said, {**BASE, "a/xschema.yml": broken}, "/project") is None


@pytest.mark.parametrize("kind", ["macro_jinja", "macro_unclosed", "model_env_var", "not_utf8", "schema_jinja"])
def test_an_error_without_a_name_that_can_be_in_two_files_is_in_none(kind: str) -> None:
    told = next(told for told in TOLD if told.kind == kind)
    [(name, text)] = told.files.items()
    twice = {**BASE, name: text, f"more/{name}": text}

    assert told.place is not None
    assert problem_place(told.message, twice, "/project") is None


def frame(name: str, file: str = "macros/util.sql", error: str = "Compilation Error") -> str:
    frames = f"> in macro {name} ({file})\n  > called by model m (models/m.sql)"
    return f"{error} in model m (models/m.sql)\n  bad\n  \n  {frames}"


@pytest.mark.parametrize(
    ("message", "line"),
    [
        (frame("boom"), 4),
        (frame("fine"), 1),
        (frame("test_positive"), 7),
        (frame("materialization_odd_duckdb"), 8),
        (frame("materialization_odd_default"), None),
        (frame("twice"), None),
        (frame("gone"), None),
        (frame("boom", "macros/of_a_package.sql"), None),
        (frame("boom", error="Runtime Error"), None),
        (
            frame("theirs", "macros/theirs.sql").replace(
                "> called by", "> called by macro boom (macros/util.sql)\n  > by"
            ),
            4,
        ),
        ("Database Error\n  Compilation Error\n  > in macro boom (macros/util.sql)", None),
    ],
)
def test_an_error_in_a_macro_is_in_the_innermost_that_the_project_has(message: str, line: int | None) -> None:
    place = macro_place(message, {"macros/util.sql": MACROS})

    assert place == (Place("macros/util.sql", line) if line else None)


WORDS = st.sampled_from(
    [word for told in TOLD for word in told.message.split(" ")]
    + ["\n", "\n  ", "(", ")", "models/one.sql", "line 1\n x"]
)


@given(st.lists(WORDS, max_size=40).map(" ".join))
def test_whatever_the_message_there_is_no_exception_and_no_foreign_file(message: str) -> None:
    place = problem_place(message, BASE, "/project")

    assert place is None or (place.file in BASE and 0 <= place.line <= BASE[place.file].count("\n") + 1)


@pytest.mark.parametrize(
    "part",
    [
        "Error in a ",
        "Error in model x (",
        " (x)",
        "Invalid x config given in ",
        "' (",
        "Error reading a: ",
        "- a.b (",
        "\n",
        " ",
    ],
)
def test_a_long_message_takes_no_time(part: str) -> None:
    began = time.process_time()

    problem_place(part * (100_000 // len(part)), {**BASE, "big.sql": "{% macro x() %}\n" * 20_000}, "/project")
    problem_place(f"Compilation Error {part * (100_000 // len(part))})", BASE, "/project")
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("told", "place"),
    [
        ("  --> models/a.sql:2:5\n   0: <unknown>\n  --> models/b.sql:1:1", Place("models/a.sql", 2)),
        ("  --> models/a.sql:9:5", None),
        ("  --> models/a.sql:0:5", None),
        ("  --> dbt_packages/p/models/a.sql:1:1\n  --> models/a.sql:1:1", None),
        ("  --> /project/models/a.sql:1:1", Place("models/a.sql", 1)),
    ],
)
def test_dbt_2_names_the_place_itself(told: str, place: Place | None) -> None:
    message = f"[DependencyNotFound (dbt1048)]: Ref 'none' not found in project.\n{told}"
    files = {**BASE, "models/a.sql": "select\n1", "models/b.sql": "select 1"}
    assert problem_place(f"The project cannot be parsed: {message}", files, "/project") == place
