"""What is left of an earlier run, once the warehouse has been asked."""

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from headless_dbt.artifacts import read_manifest
from headless_dbt.code_manifest import read_code_manifest
from headless_dbt.console import Console
from headless_dbt.continuation import Continuation, Left
from headless_dbt.dbt_commands import DbtCommands
from headless_dbt.earlier_runs import EarlierRun
from headless_dbt.errors import DbtUnusableError
from headless_dbt.recorded_commands import RecordedCommands
from headless_dbt.recorder import Recorder
from headless_dbt.session_protocol import Reply

from tests.unit.builders import (
    make_project,
    make_record,
    make_request,
    make_run_folder,
    make_settings,
    manifest,
    manifest_node,
    result,
    run_results,
)

A, B = "model.shop.a", "model.shop.b"
MANIFEST = manifest(manifest_node(A, alias="a"), manifest_node(B, A, alias="b"))
CODE = read_code_manifest(json.dumps(MANIFEST).encode())


@dataclass
class _Warehouse:
    """Answers as dbt would: the positions of the relations that are missing, or an error."""

    answer: str | DbtUnusableError = ""
    asked: list[Sequence[str]] = field(default_factory=list)

    def require(self, _name: str, argv: Sequence[str], _blame: object) -> Reply:
        self.asked.append(argv)
        if isinstance(self.answer, DbtUnusableError):
            raise self.answer
        return Reply(success=True, lines=(self.answer,))


@pytest.fixture
def left(tmp_path: Path) -> Callable[..., tuple[Left | None, Recorder]]:
    """What is left of a run in which a node passed and the next one failed."""
    earlier = make_run_folder(
        tmp_path / "earlier",
        request=make_request(),
        record=make_record(A, B),
        manifest=MANIFEST,
        results=run_results(result(A), result(B, "error")),
    )
    earlier.write_code(CODE.code([A, B], ["here"], str))
    now = make_run_folder(tmp_path / "now", request=make_request(), record=make_record(A, B), manifest=MANIFEST)
    now.write_code(CODE.code([A, B], ["here"], str))

    def ask(warehouse: _Warehouse, **changes: Any) -> tuple[Left | None, Recorder]:
        recorder = Recorder(now)
        recorder.note(selected=(A, B), **changes)
        commands = DbtCommands(make_settings(make_project(tmp_path / "project")), now.path, now.path, colors=False)
        console = Console(on_github=False, stream=io.BytesIO())
        continuation = Continuation(cast("RecordedCommands", warehouse), commands, recorder, console)
        known = read_manifest(now.attempt(1) / "manifest.json")
        assert known is not None
        run = EarlierRun(run="run 7", url="https://github.com/run/7", folders=(str(earlier.path),))
        return continuation.of(run, CODE, known), recorder

    return ask


def test_what_passed_and_is_still_there_is_taken(left: Callable[..., tuple[Left | None, Recorder]]) -> None:
    warehouse = _Warehouse()
    found, recorder = left(warehouse)
    assert found is not None
    assert [entry["unique_id"] for entry in found.taken] == [A]
    assert [(entry["unique_id"], entry["status"]) for entry in found.entries] == [(A, "success"), (B, "skipped")]
    assert found.pending == {B}
    assert "'a'" in str(warehouse.asked)
    assert recorder.record.continued is not None
    assert (recorder.record.continued.run, recorder.record.continued.taken) == ("run 7", 1)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [("0", f"{A} is not in the warehouse any more"), (DbtUnusableError("No way there."), "No way there")],
)
def test_what_is_gone_or_cannot_be_asked_for_is_built_with_everything(
    left: Callable[..., tuple[Left | None, Recorder]], answer: str | DbtUnusableError, reason: str
) -> None:
    found, recorder = left(_Warehouse(answer))
    assert found is None
    assert recorder.record.continued is not None
    assert (recorder.record.continued.taken, recorder.record.continued.reason) == (0, reason)
