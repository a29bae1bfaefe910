"""dbt's commands, one at a time, each on record, and what its failure means as an error."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

from headless_dbt.blame import Blame, cost_limit_error
from headless_dbt.console import Console
from headless_dbt.model import Command
from headless_dbt.recorder import Recorder, now
from headless_dbt.session_process import SessionProcess
from headless_dbt.session_protocol import Reply, SessionException
from headless_dbt.settings import RunSettings


@dataclass(frozen=True)
class RecordedCommands:
    """The commands of one session."""

    session: SessionProcess
    settings: RunSettings
    recorder: Recorder
    console: Console

    def require(self, name: str, argv: Sequence[str], blame: Blame, timeout: float = math.inf) -> Reply:
        """Run a command without which there is no going on. Raises what ``blame`` makes of its failure."""
        reply = self.invoke(name, argv, blame, timeout)
        if not reply.success:
            raise blame(SessionException(type="", message=f"dbt {name} failed; see its log"))
        return reply

    def invoke(self, name: str, argv: Sequence[str], blame: Blame, timeout: float = math.inf) -> Reply:
        """Run a command. Raises what ``blame`` makes of its exception, and CostLimitError."""
        reply = self.call(name, argv, timeout)
        if reply.exception is not None:
            raise blame(reply.exception)
        if reply.refused:
            raise cost_limit_error(self.settings, reply.bytes_billed)
        return reply

    def call(self, name: str, argv: Sequence[str], timeout: float = math.inf) -> Reply:
        """Run a command, whatever it answers; raises what session_process.py raises."""
        started_at, began = now(), time.monotonic()
        reply = Reply(success=False, exception=SessionException(type="", message="ended before it answered"))
        try:
            with self.console.group(f"dbt {name}"):
                reply = self.session.invoke(argv, timeout)
        finally:
            command = Command(
                name=name,
                arguments=tuple(argv),
                started_at=started_at,
                elapsed=round(time.monotonic() - began, 3),
                success=reply.success,
                message=reply.exception.message if reply.exception else "",
            )
            self.recorder.note(commands=(*self.recorder.record.commands, command))
        return reply
