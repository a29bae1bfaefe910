"""The recorder: what the supervisor sees, in session.json whenever it changes, so that a kill loses nothing."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from headless_dbt.errors import HeadlessDbtError
from headless_dbt.locate import Place
from headless_dbt.model import TIME_FORMAT, Problem
from headless_dbt.redaction import redact
from headless_dbt.run_folder import RunFolder, SessionRecord


@dataclass
class Recorder:
    """The record of a run, written to its folder whenever it changes."""

    folder: RunFolder
    secrets: frozenset[str] = frozenset()
    clock: Callable[[], float] = time.monotonic
    record: SessionRecord = field(init=False)

    def __post_init__(self) -> None:
        """Begin the record."""
        self._began = self.clock()
        self.record = SessionRecord(started_at=now())
        self.note()

    def note(self, **changes: object) -> None:
        """Change the record."""
        changed = {"elapsed": round(self.clock() - self._began, 3), **changes}
        written = msgspec.json.encode(msgspec.structs.replace(self.record, **changed))
        # Clean also in memory: messages of dbt and of uv may quote a secret.
        self.record = msgspec.json.decode(redact(written, self.secrets), type=SessionRecord)
        self.folder.write_session(self.record)

    def note_problem(self, error: HeadlessDbtError, place: Place | None = None, advice: str = "") -> None:
        """Record why the run did not get further, the place that this is about, and what to change."""
        file, line = (place.file, place.line) if place else ("", 0)
        self.note(problem=Problem(error.title, str(error), error.exit_code, file=file, line=line, advice=advice))


def now() -> str:
    """The time, as every file of a run has it: ISO 8601 in UTC."""
    return datetime.now(UTC).strftime(TIME_FORMAT)
