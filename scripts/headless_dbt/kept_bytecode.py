"""The bytecode that a run of dbt has left, for the next one: a fresh environment has none, and making it takes seconds.

Kept is what the run imported and no more, some 20 of 600 MB. Python takes a file of it only where it belongs to the
very source that lies beside it: https://docs.python.org/3/reference/import.html#cached-bytecode-invalidation.
"""

import importlib.util
import marshal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from headless_dbt.kept_files import read_archive, write_archive

NAME = "bytecode.zip"
_MAGIC, _HEADER_BYTES = importlib.util.MAGIC_NUMBER, 16
# By the second four bytes: checked against a hash of the source, not against its time, which is that of the install.
_CHECKED = (0b11).to_bytes(4, "little")
_BY_TIME = (0).to_bytes(4, "little")


@dataclass(frozen=True)
class KeptBytecode:
    """The place where it is kept, and the environment. What goes wrong with it costs time and nothing else."""

    file: Path
    environment: Path

    def lend(self) -> None:
        """Put it into a fresh environment, all of it or, where any of it is broken, nothing."""
        contents = read_archive(self.file)
        if not all(_is_bytecode(name, content) for name, content in contents.items()):
            return
        for name, content in contents.items():
            target = self.environment / name
            try:
                if _source_of(target).is_file() and not target.exists():
                    target.parent.mkdir(exist_ok=True)
                    target.write_bytes(content)
            except OSError:
                return

    def keep(self) -> None:
        """Keep what there is now, where there is more than was kept."""
        found = dict(_bytecode_in(self.environment))
        if found.keys() - read_archive(self.file).keys():
            write_archive(self.file, found)


def _bytecode_in(environment: Path) -> Iterator[tuple[str, bytes]]:
    """Each file, relative to the environment, in the form in which it may be lent."""
    for file in environment.glob("lib/python3*/site-packages/**/__pycache__/*.pyc"):
        try:
            content, source = file.read_bytes(), _source_of(file)
            if content[:4] == _MAGIC and content[4:8] in (_BY_TIME, _CHECKED):
                header = _MAGIC + _CHECKED + importlib.util.source_hash(source.read_bytes())
                yield file.relative_to(environment).as_posix(), header + content[_HEADER_BYTES:]
        except OSError:
            continue


def _source_of(file: Path) -> Path:
    """The source beside ``__pycache__``: ``model.py`` of ``__pycache__/model.cpython-311.pyc``."""
    return file.parents[1] / f"{file.name.partition('.')[0]}.py"


def _is_bytecode(name: str, content: bytes) -> bool:
    """Whether Python could load it, and it lies where bytecode of a package lies."""
    path = PurePosixPath(name)
    placed = path.parts[:1] == ("lib",) and "site-packages" in path.parts and path.parent.name == "__pycache__"
    if not placed or ".." in path.parts or path.suffix != ".pyc" or content[:8] != _MAGIC + _CHECKED:
        return False
    try:
        marshal.loads(content[_HEADER_BYTES:])  # noqa: S302  Python would do the same with it, and end by it.
    except (EOFError, ValueError, TypeError):
        return False
    return True
