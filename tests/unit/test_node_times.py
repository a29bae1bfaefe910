"""How long nodes took, and that it survives a file."""

from pathlib import Path

import pytest
from headless_dbt.changes import PreviousNode, PreviousRun
from headless_dbt.node_times import FILE, keep_times, read_times, times_of

from tests.unit.builders import make_context, make_request


def _run(**seconds: float) -> PreviousRun:
    nodes = tuple(PreviousNode(unique_id=name, status="success", execution_time=each) for name, each in seconds.items())
    request = make_request(make_context())
    return PreviousRun(schema_version=1, status="success", started_at="", request=request, nodes=nodes)


def test_the_newest_run_that_knows_of_a_node_counts() -> None:
    assert times_of([_run(a=2.0, b=0.0), _run(a=9.0, b=3.0)]) == {"a": 2.0, "b": 3.0}
    taken_over = PreviousNode(unique_id="c", status="success", execution_time=5.0, tries=0)
    run = PreviousRun(
        schema_version=1, status="x", started_at="", request=make_request(make_context()), nodes=(taken_over,)
    )
    assert times_of([run]) == {}


def test_times_are_kept_in_a_file(tmp_path: Path) -> None:
    keep_times(tmp_path / "earlier", {"model.a": 1.5})

    assert read_times(tmp_path / "earlier") == {"model.a": 1.5}


@pytest.mark.parametrize("content", [b"", b"[]", b'{"a": "x"}'])
def test_a_file_that_is_none_tells_nothing(tmp_path: Path, content: bytes) -> None:
    assert read_times(tmp_path) == {}
    (tmp_path / FILE).write_bytes(content)
    assert read_times(tmp_path) == {}
