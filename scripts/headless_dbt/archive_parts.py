"""One file out of a zip archive that lies elsewhere, without reading the rest of it.

A zip archive has its directory at its end, so that a file of it costs a few parts: the first, which tells how large
the whole is, the end, and the file itself.
"""

import io
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

# The end of most archives, with the whole of their directory.
_PART = 1 << 16
# What stands before a file's content in the archive, at most: its header, its name and extra fields.
_HEADER = 1 << 10


class TooLargeError(Exception):
    """It is more than anybody wants to wait for."""


@dataclass(frozen=True)
class Part:
    """A part of an archive, from its byte ``start`` on. ``total`` is how many bytes the whole has."""

    start: int
    content: bytes
    total: int

    def holds(self, start: int, end: int) -> bool:
        """Whether all these bytes are in it."""
        return self.start <= start and end <= self.start + len(self.content)


# The part from the first byte to the last, both included; or the whole, where parts cannot be had.
Ask = Callable[[int, int], Part]


def read_entry(ask: Ask, name: str, most_bytes: int) -> bytes | None:
    """One file of an archive; None where it is not in it.

    Raises TooLargeError, zipfile.BadZipFile, and what ``ask`` raises.
    """
    archive = _PartlyRead(ask, most_bytes)
    with zipfile.ZipFile(archive) as content:
        entry = content.NameToInfo.get(name)
        if entry is None:
            return None
        if entry.file_size > most_bytes:
            raise TooLargeError
        archive.fetch(entry.header_offset, entry.header_offset + _HEADER + entry.compress_size)
        return content.read(entry)


class _PartlyRead(io.RawIOBase):
    """A file to read and to seek in, of which only the parts are there that were needed."""

    def __init__(self, ask: Ask, most_bytes: int) -> None:
        self._ask, self._left = ask, most_bytes
        self._parts: list[Part] = []
        self._position = self._size = 0
        self._size = self._asked(0, _PART).total

    def fetch(self, start: int, end: int) -> Part:
        """The part that holds these bytes, as far as the file goes."""
        end = min(end, self._size)
        return next((part for part in self._parts if part.holds(start, end)), None) or self._asked(start, end)

    def _asked(self, start: int, end: int) -> Part:
        if end - start > self._left:
            raise TooLargeError
        part = self._ask(start, end - 1)
        if not part.holds(start, min(end, part.total)):
            raise zipfile.BadZipFile("a part of it is missing")
        self._left -= len(part.content)
        self._parts.append(part)
        return part

    def readable(self) -> bool:
        """It is there to be read."""
        return True

    def seekable(self) -> bool:
        """It is there to be sought in."""
        return True

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to another byte."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise OSError("before the beginning")  # As a real file would; zipfile counts on it.
        self._position = base + offset
        return self._position

    def read(self, size: int | None = -1) -> bytes:
        """The next bytes."""
        start = min(self._position, self._size)
        end = self._size if size is None or size < 0 else min(start + size, self._size)
        if start == end:
            return b""
        # Whoever reads something at the end will soon read what stands just before it.
        part = self.fetch(max(0, min(start, self._size - _PART)), end)
        self._position = end
        return part.content[start - part.start : end - part.start]
