"""What a verb says while it works: dbt's log in groups on GitHub, under headings in a terminal."""

import secrets
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

from headless_dbt.errors import HeadlessDbtError
from headless_dbt.locate import Place
from headless_dbt.redaction import redact
from headless_dbt.workflow_commands import command


class Console:
    """Standard output, which on GitHub is also the way to the runner."""

    def __init__(self, *, on_github: bool, stream: BinaryIO | None = None) -> None:
        """Write to ``stream``, by default the process's standard output."""
        self._on_github = on_github
        self._stream = stream or sys.stdout.buffer
        self._last = b"\n"
        self._grouped = False
        self._secrets: frozenset[str] = frozenset()

    @property
    def colors(self) -> bool:
        """Whether colours are shown."""
        return self._on_github or self._stream.isatty()

    def say(self, text: str) -> None:
        """Show a line of our own."""
        # What came from bytes that are no text must not end the run that tells of it.
        self.show(text.encode("utf-8", "backslashreplace") + b"\n")

    def show(self, chunk: bytes) -> None:
        """Show bytes as they are, without the secrets that are known."""
        if chunk:
            self._stream.write(redact(chunk, self._secrets))
            self._stream.flush()
            self._last = chunk[-1:]

    def show_log(self, chunk: bytes) -> None:
        """Show a part of dbt's log; on GitHub never outside of a group, where it could give commands."""
        if self._on_github and not self._grouped:
            with self.group("dbt"):
                self.show(chunk)
        else:
            self.show(chunk)

    @contextmanager
    def group(self, title: str) -> Iterator[None]:
        """Fold what is shown meanwhile under a title; it cannot give commands to the runner."""
        if not self._on_github:
            self.say(f"\n── {title}")
            yield
            return
        # dbt's log holds text of the project and of the warehouse. Between these two commands, and the second
        # cannot be guessed, the runner takes no line of it for a command.
        token = secrets.token_hex(16)
        self.say(command("group", title))
        self.say(command("stop-commands", token))
        self._grouped = True
        try:
            yield
        finally:
            self._grouped = False
            self._end_line()
            self.say(command(token))
            self.say(command("endgroup"))

    def error(self, error: HeadlessDbtError, place: Place | None = None, advice: str = "") -> None:
        """Show an error, where it is, and what to change: one annotation on GitHub, one paragraph elsewhere."""
        self._end_line()
        text = "\n".join(part for part in (str(error), advice) if part)
        if self._on_github:
            file, line = (place.file, place.line) if place else ("", 0)
            self.say(command("error", text, file=file, line=line, title=error.title))
        else:
            self.say(f"{error.title}. {text}" + (f"\nIt is in {place}." if place else ""))

    def warning(self, text: str) -> None:
        """Show a warning."""
        self._end_line()
        self.say(command("warning", text, title="headless-dbt") if self._on_github else f"Warning: {text}")

    def mask(self, values: Iterable[str]) -> None:
        """Show these values no more; on GitHub the runner, too, masks them in the log of all steps."""
        known = frozenset(values)
        if self._on_github:
            for value in sorted(known):
                self.say(command("add-mask", value))
        self._secrets = known

    def _end_line(self) -> None:
        if self._last != b"\n":
            self.show(b"\n")
