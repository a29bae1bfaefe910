"""Commands on record, and what becomes of one that fails. Their order is test_supervisor.py's."""

import io
from pathlib import Path
from typing import Any

import pytest
from headless_dbt.blame import dbt_unusable
from headless_dbt.console import Console
from headless_dbt.errors import CostLimitError, DbtUnusableError
from headless_dbt.recorded_commands import RecordedCommands
from headless_dbt.recorder import Recorder
from headless_dbt.run_folder import RunFolder
from headless_dbt.session_protocol import Reply, SessionException

from tests.unit.builders import make_settings

BLAME = dbt_unusable("It")


class _Session:
    def __init__(self, answer: Reply | Exception) -> None:
        self.answer = answer

    def invoke(self, argv: list[str], timeout: float) -> Reply:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def _commands(folder: Path, answer: Reply | Exception) -> RecordedCommands:
    session: Any = _Session(answer)
    return RecordedCommands(
        session, make_settings(), Recorder(RunFolder(folder)), Console(on_github=False, stream=io.BytesIO())
    )


def test_a_command_is_on_record_with_its_arguments(tmp_path: Path) -> None:
    dbt = _commands(tmp_path, Reply(success=True, lines=("a",)))

    assert dbt.require("list", ["list", "-s", "x"], BLAME).lines == ("a",)

    [command] = RunFolder(tmp_path).read_session().commands
    assert (command.name, command.arguments, command.success) == ("list", ("list", "-s", "x"), True)


def test_a_failure_without_an_exception_ends_only_what_requires_it(tmp_path: Path) -> None:
    dbt = _commands(tmp_path, Reply(success=False))

    assert not dbt.invoke("build", ["build"], BLAME).success
    with pytest.raises(DbtUnusableError, match="It failed: dbt parse failed; see its log"):
        dbt.require("parse", ["parse"], BLAME)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Reply(success=False, exception=SessionException("X", "lost")), DbtUnusableError),
        (Reply(success=False, refused=True, bytes_billed=1), CostLimitError),
        (TimeoutError(), TimeoutError),
    ],
)
def test_what_ends_a_command_is_on_record_too(tmp_path: Path, answer: Reply | Exception, kind: type[Exception]) -> None:
    dbt = _commands(tmp_path, answer)

    with pytest.raises(kind):
        dbt.invoke("build", ["build"], BLAME)

    [command] = RunFolder(tmp_path).read_session().commands
    assert not command.success
