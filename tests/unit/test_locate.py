"""A node's line in its file is the right one, or none; the shapes are those of dbt 1.12's manifest."""

import time
from typing import Any

import pytest
from headless_dbt.locate import Located, Place, line_of, line_of_entry, line_of_error, line_of_traceback
from hypothesis import given
from hypothesis import strategies as st

# "# here: x" is the line on which x begins.
SCHEMA = """version: 2

# models:
models:
  - name: orders
    data_tests:
      - unique: # here: of the model
          column_name: id
          name: one_of_its_own
      - dbt_utils.expression_is_true: # here: first expression
          arguments: {expression: "a > 0"}
      - dbt_utils.expression_is_true: # here: second expression
          arguments:
            expression: "b > 0"
            flag: true
            list: [1, 'x', null, {y: 2.5}]
      - twice: {x: 1}
      - twice: {x: 1}
    columns:
      - name: id
        tests:
          - unique # here: unique
          - unique: # here: named
              config: {where: "a = 1"}
              name: other_unique
          - not_null: # here: not_null
          -
            accepted_values: # here: on its own line
              values: [a]
      - name: status
        data_tests:
          - accepted_values: {arguments: {values: [a, b]}} # here: arguments
          - accepted_values: # here: without arguments
              values: ["1"]
          - accepted_values: # here: number
              values: [1]
          - name: other_form # here: other form
            test_name: accepted_values
            values: [y]
      - name: Quoted Column
        quote: true
        data_tests: &shared
          - dbt_utils.at_least_one # here: quoted
      - name: shared
        data_tests: *shared
  - name: versioned
    columns:
      - name: id
        data_tests:
          - unique # here: version 1
    versions:
      - v: 1
      - v: 2
        columns:
          - include: all
            exclude: [id]
          - name: id
            data_tests:
              - unique # here: version 2

seeds:
  - name: tiny
    columns:
      - {name: a, data_tests: [unique]} # here: seed

snapshots:
  - name: old
    columns:
      - name: id
        data_tests:
          - unique # here: snapshot's test
  - name: new # here: snapshot
    relation: ref('orders')

sources:
  - name: raw
    tables:
      - name: orders # here: table
        columns:
          - name: id
            data_tests:
              - unique # here: source
  - name: other
    tables:
      - name: orders # here: other table

unit_tests:
  - name: adds_up # here: unit test
    model: orders
  - name: same_name # here: of orders
    model: orders
  - name: same_name # here: of versioned
    model: versioned

exposures:
  - name: dashboard # here: exposure
    type: dashboard
"""


def here(mark: str, source: str = SCHEMA) -> int:
    [line] = [number for number, line in enumerate(source.split("\n"), 1) if line.endswith(f"# here: {mark}")]
    return line


def generic_test(
    test: str = "unique", tested: str = "ref('orders')", column: str = "id", name: str = "", **arguments: Any
) -> Located:
    kwargs = {
        "model": f"{{{{ get_where_subquery({tested}) }}}}",
        **arguments,
        **({"column_name": column} if column else {}),
    }
    return Located(
        "test", name or f"{test}_x_{column}", "models/schema.yml", column_name=column, test=test, kwargs=kwargs
    )


TESTS = [
    (generic_test(), "unique"),
    (generic_test(name="other_unique"), "named"),
    (generic_test("not_null"), "not_null"),
    (generic_test("accepted_values", values=["a"]), "on its own line"),
    (
        Located(
            "test",
            "one_of_its_own",
            "a.yml",
            test="unique",
            kwargs={"model": "{{ get_where_subquery(ref('orders')) }}", "column_name": "id"},
        ),
        "of the model",
    ),
    (generic_test("dbt_utils.expression_is_true", column="", expression="a > 0"), "first expression"),
    (
        generic_test(
            "dbt_utils.expression_is_true", column="", expression="b > 0", flag=True, list=[1, "x", None, {"y": 2.5}]
        ),
        "second expression",
    ),
    (generic_test("accepted_values", column="status", values=["a", "b"]), "arguments"),
    (generic_test("accepted_values", column="status", values=["1"]), "without arguments"),
    (generic_test("accepted_values", column="status", values=[1]), "number"),
    (generic_test("accepted_values", column="status", name="other_form", values=["y"]), "other form"),
    (generic_test("dbt_utils.at_least_one", column='"Quoted Column"'), "quoted"),
    (generic_test("dbt_utils.at_least_one", column="`Quoted Column`"), "quoted"),
    (generic_test("dbt_utils.at_least_one", column="shared"), "quoted"),
    (generic_test(tested="ref('versioned', version='1')"), "version 1"),
    (generic_test(tested="ref('versioned', version='2')"), "version 2"),
    (generic_test(tested="ref('tiny')", column="a"), "seed"),
    (generic_test(tested="ref('old')"), "snapshot's test"),
    (generic_test(tested="source('raw', 'orders')"), "source"),
    (Located("snapshot", "new", "snapshots/new.yml"), "snapshot"),
    (Located("source", "orders", "a.yaml", source_name="raw"), "table"),
    (Located("source", "orders", "a.yaml", source_name="other"), "other table"),
    (Located("unit_test", "adds_up", "a.yml", model="orders"), "unit test"),
    (Located("unit_test", "adds_up", "a.yml"), "unit test"),
    (Located("unit_test", "same_name", "a.yml", model="orders"), "of orders"),
    (Located("unit_test", "same_name", "a.yml", model="versioned"), "of versioned"),
    (Located("exposure", "dashboard", "a.yml"), "exposure"),
]


@pytest.mark.parametrize(("node", "mark"), TESTS, ids=[mark for _, mark in TESTS])
def test_a_node_of_a_yaml_file_is_found(node: Located, mark: str) -> None:
    assert line_of(node, SCHEMA) == here(mark)
    assert line_of(node, "\ufeff" + SCHEMA) == here(mark)
    assert line_of(node, SCHEMA.replace("\n", "\r\n")) == here(mark)


@pytest.mark.parametrize(
    "node",
    [
        generic_test("twice", column="", x=1),
        generic_test("accepted_values", column="status", values=["gone"]),
        generic_test("unique", column="gone"),
        generic_test("gone"),
        generic_test(tested="ref('gone')"),
        generic_test(tested="source('raw', 'gone')"),
        generic_test(tested="something_else('orders')"),
        Located("test", "x", "a.yml", test="unique"),
        Located("unit_test", "same_name", "a.yml"),
        Located("source", "orders", "a.yml", source_name="gone"),
        Located("exposure", "gone", "a.yml"),
        Located("operation", "shop-on-run-start-0", "./dbt_project.yml"),
        Located("model", "orders", ""),
    ],
)
def test_what_is_not_certain_has_no_line(node: Located) -> None:
    assert line_of(node, SCHEMA) is None


def test_a_model_that_is_described_twice_has_no_line() -> None:
    assert line_of(generic_test(column=""), "models: [{name: orders, tests: [unique]}, {name: orders}]") is None


def test_only_what_github_counts_as_a_line_is_one() -> None:
    source = 'models:\n  - {name: a, description: "x\u2028\x85y"}\n  - name: orders\n    data_tests: [unique]\n'

    assert line_of(generic_test(column=""), source) == 4


@pytest.mark.parametrize(
    ("file", "kind", "line"), [("a.sql", "model", 1), ("b.py", "model", 1), ("c.csv", "seed", 1), ("d.sql", "test", 1)]
)
def test_a_file_of_its_own_begins_on_its_first_line(file: str, kind: str, line: int) -> None:
    assert line_of(Located(kind, "x", file), "select 1\n\nfrom x") == line


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("\n{% snapshot old %}\nselect 1\n{% endsnapshot %}", 2),
        ("{% snapshot older %}{% endsnapshot %}\n\n  {%- snapshot old -%}", 3),
        ("{# {% snapshot old %} #}\n{% snapshot old %}", None),
        ("select 1", None),
    ],
)
def test_a_snapshot_is_a_block(source: str, line: int | None) -> None:
    assert line_of(Located("snapshot", "old", "snapshots/old.sql"), source) == line


@pytest.mark.parametrize(
    ("key", "name", "mark"),
    [
        ("snapshots", "new", "snapshot"),
        ("unit_tests", "adds_up", "unit test"),
        ("exposures", "dashboard", "exposure"),
        ("unit_tests", "same_name", None),
        ("exposures", "gone", None),
        ("gone", "x", None),
    ],
)
def test_an_entry_is_found_by_its_list_and_name(key: str, name: str, mark: str | None) -> None:
    assert line_of_entry(key, name, SCHEMA) == (here(mark) if mark else None)
    assert line_of_entry(key, name, "a: [") is None


TRACEBACK = """Runtime Error in model m (models/m.py)
  Python model failed:
  Traceback (most recent call last):
    File "/site-packages/duckdb/_relation.py", line 2, in run_python_job
        df = module.model(dbt, con)
             ^^^^^^^^^^^^^^^^^^^^^^
    File "/tmp/tmp93q1bec7.py", line 4, in model
      x.nope_py()
      ^^^^^^^^^
    File "/site-packages/duckdb/_relation.py", line 3, in guarded
      return function(*args, **kwargs)
  AttributeError: This relation does not contain a column by the name of 'nope_py'"""


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        ("def model(dbt, session):\n  dbt.config()\n  x = 1\n  x.nope_py()\n  return x\n", 4),
        ("def model(dbt, session):\n  dbt.config()\n  x = 1\n\n  x.nope_py()\n", None),
        ("", None),
    ],
)
def test_an_exception_of_python_is_on_the_last_line_that_is_the_models(raw: str, line: int | None) -> None:
    assert line_of_traceback(TRACEBACK, raw) == line


@pytest.mark.parametrize(("place", "written"), [(Place("a.sql", 3), "a.sql:3"), (Place("a.sql"), "a.sql")])
def test_a_place_is_written_as_people_do(place: Place, written: str) -> None:
    assert str(place) == written


def bomb(line: str) -> str:
    return "a0: &a0 {b: c}\n" + "".join(
        f"a{number}: &a{number} {line.replace('*', f'*a{number - 1}')}\n" for number in range(1, 60)
    )


@pytest.mark.parametrize(
    "source",
    [
        "",
        "models",
        "- a",
        "models: {orders: 1}",
        "models: [1, null, [], {name: [orders]}, {name: orders, data_tests: 1, columns: {id: 1}}]",
        "models:\n  - name: {{ var('x') }}\n    columns: [",
        "models:\n\t- name: orders",
        "models: [{name: orders}]\n---\nmodels: []",
        "x: *nothing",
        "x: !!python/object:os.system y",
        "x: 2001-99-99",
        'x: "\\UFFFFFFFF"',
        f"x: {'9' * 9000}",
        f"models: [{{name: 0x{'f' * 9000}}}]",
        "x\0: y\ud800",
        "{? [a]: b}",
        "models: &m [{name: orders, data_tests: *m, columns: *m}]",
        "models: [&m {name: orders, data_tests: [*m, unique: *m, unique: *m]}]",
        "[" * 50_000,
        "{a: " * 50_000,
        "- " * 50_000,
        f"x: {'1:' * 200_000}1",
        bomb("[*, *, *]") + "models: [{name: *a59}, {name: orders, versions: [v: *a59]}]",
        bomb("[*, *, *]") + "models: [{name: orders, data_tests: [unique: {x: *a59}, unique: {x: *a58}]}]",
        bomb("{<<: [*, *, *]}") + "models: [*a59]\nsets: !!set {<<: *a59}",
        "# \n" * 200_000,
    ],
    ids=lambda source: source[:30],
)
def test_broken_and_hostile_yaml_has_no_line_and_takes_no_time(source: str) -> None:
    began = time.process_time()

    assert line_of(generic_test(column="", x=[[1], [2]]), source) is None
    assert line_of(generic_test(tested="ref('orders', version='1')", x={"y": 1}), source) is None
    assert time.process_time() - began < 10


YAML = (*"{}[]:,-?&*!|>'\"%@`#~ \t\n\\0é", "\n  ", "- ", ": ", "<<: ", "&a ", "*a", "!!set ", "---\n", "{{ x }}")
KEYS = (
    "models:\n",
    "sources:\n",
    "- name: orders\n",
    "name: orders",
    "  columns:\n",
    "  - unique\n",
    "  data_tests:\n",
)


@given(st.lists(st.sampled_from((*YAML, *KEYS)), max_size=40).map("".join))
def test_whatever_the_file_there_is_no_exception(source: str) -> None:
    for node, _ in TESTS:
        found = line_of(node, source)
        assert found is None or 1 <= found <= source.count("\n") + 1


RAW = """

{{ config(materialized='table') }}

select
    order_id,
    order_totl,
    1 as one,
    {% for name in ['a', 'b'] %}
    max({{ name }}) as {{ name }},
    {% endfor %}
    1 as one
from {{ ref('stg_orders') }} o
wher x = 1
"""
COMPILED = """

select
    order_id,
    order_totl,
    1 as one,
    
    max(a) as a,
    
    max(b) as b,
    
    1 as one
from "shop"."stg_orders" o
wher x = 1"""  # noqa: W293
TOTAL, WHERE = RAW.split("\n").index("    order_totl,") + 1, RAW.split("\n").index("wher x = 1") + 1

DUCKDB = """Runtime Error in model m (models/m.sql)
  Parser Error: syntax error at or near "x"
  
  LINE {number}: {line}
               ^"""  # noqa: W293
DATABRICKS = """Database Error in model m (models/m.sql)
  [PARSE_SYNTAX_ERROR] Syntax error at or near 'x'. SQLSTATE: 42601 (line 18, pos 5)
  
  == SQL ==
  /* {{"app": "dbt", "node_id": "model.shop.m"}} */
  create or replace view `shop`.`m`
    as
  {line}
  -----^^^
  """  # noqa: W293


@pytest.mark.parametrize(
    ("message", "line"),
    [
        # dbt's comment and its `create` stand above what was compiled: LINE 17 is line 14 of it.
        (DUCKDB.format(number=17, line="wher x = 1"), WHERE),
        (DUCKDB.format(number=17, line="    order_totl,"), TOTAL),
        (DUCKDB.format(number=17, line="...der_tot..."), TOTAL),
        (DUCKDB.format(number=17, line="... one..."), None),
        (DUCKDB.format(number=17, line="    1 as one,"), RAW.split("\n").index("    1 as one,") + 1),
        (DUCKDB.format(number=17, line="max(a) as a,"), None),
        (DUCKDB.format(number=17, line=");"), None),
        (DUCKDB.format(number=17, line=""), None),
        (DATABRICKS.format(line="wher x = 1"), WHERE),
        (DATABRICKS.format(line="create or replace view"), None),
        ("Database Error\n  Unrecognized name: order_totl; Did you mean order_id? at [9:5]", TOTAL),
        ("Database Error\n  Name order_totl not found inside o at [9:5]", TOTAL),
        ("Database Error\n  Unrecognized name: order_totl at [9:6]", None),
        ("Database Error\n  Unrecognized name: order_totl at [2:5]", None),
        ("Database Error\n  Unrecognized name: gone at [9:5]", None),
        ('Database Error\n  Syntax error: Unexpected identifier "wher" at [18:1]', WHERE),
        ('Database Error\n  Syntax error: Expected ")" but got end of script at [18:1]', None),
        ("SQL compilation error: error line 9 at position 4\n  invalid identifier 'ORDER_TOTL'", TOTAL),
        ("SQL compilation error:\n  syntax error line 18 at position 0 unexpected 'wher'.", WHERE),
        (
            "A column with name `order_totl` cannot be resolved. Did you mean [`order_id`]?; line 9 pos 4",
            TOTAL,
        ),
        ("Runtime Error\n  A column with name `a` cannot be resolved.; line 9, pos 8;", None),
        ("Database Error\n  line 9:5: Column 'order_totl' cannot be resolved", TOTAL),
        ('Runtime Error in model m\n  Binder Error: Referenced column "order_totl" not found in FROM clause!', None),
        ("Got 2 results, configured to fail if != 0", None),
        ("at [99999999999999999999:1]", None),
        ("", None),
    ],
)
def test_the_error_of_a_database_is_mapped_back_only_where_it_is_certain(message: str, line: int | None) -> None:
    assert line_of_error(message, COMPILED, RAW) == line


def test_where_compiled_and_raw_are_equal_up_to_the_error_the_line_may_stand_there_again() -> None:
    raw = "\n\nselect\n  nope\nfrom {{ ref('a') }}\n{% if false %}\n  nope\n{% endif %}\n"

    assert line_of_error("Unrecognized name: nope at [4:3]", "select\n  nope\nfrom a", raw) == 4
    assert line_of_error("Unrecognized name: nope at [4:3]", "select \n\n  nope\nfrom a", raw) is None


LINE = "LINE 9: from db.a wher x\n             ^"


@pytest.mark.parametrize(
    ("raw", "compiled", "line"),
    [
        ("select\n  1\nfrom {{ ref('a') }} wher x\n", "select\n  1\nfrom db.a wher x", 3),
        (
            "\n{{ config(\n  a=1\n) }}\n{# so\nit is #}{% set b = 2 %}\nselect {{ b }}\nfrom {{ ref('a') }} wher x\n",
            "\n\nselect 2\nfrom db.a wher x",
            8,
        ),
        # An expression that became two lines, one that took several, and what can take lines away.
        ("select {{ x }}\nfrom {{ ref('a') }} wher x", "select 1,\n2\nfrom db.a wher x", None),
        ("select 1\nfrom {{ ref(\n'a') }} wher x", "select 1\nfrom db.a wher x", None),
        ("select {{ x }}\n{{- y }}\nfrom {{ ref('a') }} wher x", "select 1,\n2\nfrom db.a wher x", None),
        ("select {{ x }}\n{{ y -}}\nfrom {{ ref('a') }} wher x", "select 1,\n2\nfrom db.a wher x", None),
        (
            "{% if x %}\n\nselect {{ x }}\n{% endif %}from {{ ref('a') }} wher x",
            "\nselect 1,\n2\nfrom db.a wher x",
            None,
        ),
    ],
)
def test_a_line_with_an_expression_is_found_where_every_line_became_one(raw: str, compiled: str, line: int) -> None:
    assert line_of_error(LINE, compiled, raw) == line


def test_a_line_without_a_word_is_not_certain() -> None:
    assert line_of_error("LINE 6: )", "select (\n1\n)", "select (\n1\n)\n") is None


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("Compilation Error in model j (models/j.sql)\n  unexpected '}'\n    line 3\n      from {{ ref(\"a\" }}", 5),
        ("It did not parse: Compilation Error in model j (j.sql)\n  bad\n    line 1\n      -- empty lines above", 3),
        ("Compilation Error in macro m (macros/m.sql)\n  bad\n    line 3\n      {{ of_another_file( }}", None),
        ("Compilation Error in model j (models/j.sql)\n  bad\n    line 0\n      x", None),
        ("Compilation Error in model j (models/j.sql)\n  bad\n    line 99\n      x", None),
        ("Compilation Error in model j (models/j.sql)\n  'nope' is undefined.", None),
        ("Compilation Error in model j (models/j.sql)\n  bad 3\n  \n  > in macro boom (macros/boom.sql)", None),
    ],
)
def test_the_error_of_dbt_counts_in_the_file_without_the_empty_lines_above(message: str, line: int | None) -> None:
    assert line_of_error(message, "", '\n\n-- empty lines above\nselect 1 as a\nfrom {{ ref("a" }}\n') == line


@given(st.text(), st.text(max_size=50), st.text(max_size=50))
def test_whatever_the_error_there_is_no_exception(message: str, compiled: str, raw: str) -> None:
    for text in (message, f"LINE 1: {message}", f"Compilation Error\n line 1\n {message}", f"'{message}' at [1:0]"):
        found = line_of_error(text, compiled, raw)
        assert found is None or 1 <= found <= raw.count("\n") + 1
