"""The bytecode that a run of dbt has left, for the next one: a fresh environment has none, and making it takes seconds.

Kept is what the run imported and no more, some 20 of 600 MB, each file bound to a hash of its source. In the next run,
lent_bytecode.py has dbt's interpreter import from it.
"""

import contextlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path

from headless_dbt.kept_files import read_archive, write_archive

NAME = "bytecode.zip"
_MAGIC, _HEADER = importlib.util.MAGIC_NUMBER, 16
# By the second four bytes: checked against a hash of the source, not against its time, which is that of the install.
_CHECKED = (0b11).to_bytes(4, "little")
_BY_TIME = (0).to_bytes(4, "little")
# dbt-core and each adapter bring a file of their own, and chance says which of them an installation leaves: it would be
# news in every other run.
_SHARED = tuple(f"site-packages/dbt/{folder}__init__.py" for folder in ("", "adapters/", "include/"))


def keep_bytecode(file: Path, environment: Path) -> None:
    """Add to an archive what Python has compiled in an environment: all that the archive did not have.

    What is of another environment goes then: its package is not there any more.
    """
    found = dict(_bytecode_in(environment))
    if not found:
        return
    kept = read_archive(file)
    # By the header, which names the source: Python compiles the same source into other bytes at another time.
    news = {name: content for name, content in found.items() if kept.get(name, b"")[:_HEADER] != content[:_HEADER]}
    if news:
        still = {name: content for name, content in kept.items() if _source_of(environment / name).is_file()}
        write_archive(file, {**still, **news})


def _bytecode_in(environment: Path) -> Iterator[tuple[str, bytes]]:
    """Each file, relative to the environment, in the form in which it may be lent."""
    for file in environment.glob("lib/python3*/site-packages/**/__pycache__/*.pyc"):
        source = _source_of(file)
        if source.as_posix().endswith(_SHARED):
            continue
        with contextlib.suppress(OSError):
            content = file.read_bytes()
            if content[:4] == _MAGIC and content[4:8] in (_BY_TIME, _CHECKED):
                header = _MAGIC + _CHECKED + importlib.util.source_hash(source.read_bytes())
                yield file.relative_to(environment).as_posix(), header + content[_HEADER:]


def _source_of(file: Path) -> Path:
    """What stands beside `__pycache__`: `model.py` of `__pycache__/model.cpython-311.pyc`."""
    return file.parents[1] / f"{file.name.partition('.')[0]}.py"
