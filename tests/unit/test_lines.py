"""On which line what failed stands."""

from pathlib import Path
from typing import Any

import msgspec
from headless_dbt.artifacts import Manifest
from headless_dbt.lines import located
from headless_dbt.model import Node

from tests.unit.builders import make_node, manifest, manifest_node

YAML = """\
models:
  - name: a
    columns:
      - name: id
        data_tests:
          - unique
"""
A, T = "model.shop.a", "test.shop.unique_a_id.1"
TEST = {
    **manifest_node(T, A),
    "resource_type": "test",
    "name": "unique_a_id",
    "original_file_path": "models/a.yml",
    "column_name": "id",
    "test_metadata": {"name": "unique", "kwargs": {"column_name": "id", "model": "{{ get_where_subquery(ref('a')) }}"}},
}
MANIFEST = msgspec.convert(manifest(manifest_node(A), TEST), Manifest)


def _node(unique_id: str, status: str, **changes: Any) -> Node:
    return make_node(unique_id, status, **changes)


def _lines(workspace: Path, *nodes: Node) -> list[int]:
    return [node.line for node in located(nodes, MANIFEST, workspace)]


def test_a_test_stands_on_its_line_of_the_properties(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models/a.yml").write_text(YAML)
    assert _lines(tmp_path, _node(T, "fail", file="models/a.yml"), _node(T, "pass", file="models/a.yml")) == [6, 0]


def test_the_first_line_of_a_file_says_no_more_than_the_file(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models/a.sql").write_text("select 1")
    assert _lines(tmp_path, _node(A, "error", file="models/a.sql", message="Binder Error")) == [0]


def test_an_error_that_names_its_line_is_on_it(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models/a.sql").write_text("select 1\nfrom {{ ref('b') }}\nwher x")
    message = 'Parser Error: syntax error at or near "x"\n  LINE 9: wher x\n               ^'
    node = _node(A, "error", file="models/a.sql", message=message, compiled_code="select 1\nfrom b\nwher x")
    assert _lines(tmp_path, node) == [3]


def test_an_exception_of_a_python_model_is_on_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def model(dbt, session):\n    x = dbt.ref('b')\n    return x.nope()\n")
    message = 'Runtime Error\n  File "/tmp/t.py", line 3, in model\n      return x.nope()\n             ^^^^^'
    assert _lines(tmp_path, _node(A, "error", file="a.py", message=message)) == [3]


def test_a_file_that_is_not_there_has_no_lines(tmp_path: Path) -> None:
    nodes = [
        _node(A, "error", file="models/gone.sql"),
        _node(A, "error"),
        _node("model.shop.unknown", "error", file="x.sql"),
    ]
    assert _lines(tmp_path, *nodes) == [0, 0, 0]
