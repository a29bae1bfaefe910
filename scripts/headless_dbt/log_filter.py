"""dbt's log on its way to the user: whole lines, and of Python tracebacks the error alone; dbt.log keeps dbt's."""

import re

# How dbt's text format begins a line; a line of a message that goes on has no time. Colours come before it.
_BEGINS = re.compile(rb"(?:\x1b\[[0-9;]*m)*\d\d:\d\d:\d\d(?:\.\d+)?\s")
_TRACEBACK = b"Traceback (most recent call last):"
_INSTEAD = b"(a Python traceback is left out here)\n"


class LogFilter:
    """Feed it chunks as they come; it gives back what is to be shown."""

    def __init__(self) -> None:
        """Begin outside a traceback."""
        self._incomplete = b""
        # How far the traceback is indented in which the log is.
        self._inside: int | None = None

    def feed(self, chunk: bytes) -> bytes:
        """The complete lines so far that are to be shown."""
        *lines, self._incomplete = (self._incomplete + chunk).split(b"\n")
        return b"".join(self._shown(line + b"\n") for line in lines)

    def flush(self) -> bytes:
        """What is left of a line that was never ended."""
        rest, self._incomplete = self._incomplete, b""
        return self._shown(rest) if rest else b""

    def _shown(self, line: bytes) -> bytes:
        begins = _BEGINS.match(line)
        depth = 0 if begins else len(line) - len(line.lstrip(b" "))
        # Its last line, which is the error itself, is not indented any more.
        if self._inside is not None and not begins and (depth > self._inside or not line.strip()):
            return b""
        # In dbt's JSON format a traceback stands inside one line.
        self._inside = depth if _TRACEBACK in line and not line.startswith(b"{") else None
        if self._inside is None:
            return line
        return (begins[0] + b" " if begins else b" " * depth) + _INSTEAD
