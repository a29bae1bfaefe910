"""Import from the bytecode that an earlier run left. Runs inside dbt's own interpreter; session.py loads it by path.

It is read out of its archive, module by module: to write more than a thousand small files into a fresh environment can
take as long as to compile them. Python takes what belongs to the very source that lies in the environment, and
compiles what does not: https://docs.python.org/3/reference/import.html#cached-bytecode-invalidation.
"""

import contextlib
import sys
import zipfile
from importlib.abc import PathEntryFinder
from importlib.machinery import (
    BYTECODE_SUFFIXES,
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    SourceFileLoader,
    SourcelessFileLoader,
)
from importlib.util import cache_from_source
from types import CodeType


def lend(file: str, environment: str) -> None:
    """Let the modules of an environment (its folder) be imported with what is in an archive, if there is one.

    Its members are named as the files would be, relative to the environment: kept_bytecode.py writes them.
    """
    # A broken archive breaks zipfile in many ways, and all of them mean that there is none.
    with contextlib.suppress(Exception):
        archive = zipfile.ZipFile(file)
        # Nothing else: a loader is asked for sources and for data files, too.
        compiled = (member for member in archive.infolist() if member.filename.endswith(".pyc"))
        members = {f"{environment}/{member.filename}": member for member in compiled}
        folder = f"{environment}/lib/"
        find = FileFinder.path_hook(
            (ExtensionFileLoader, EXTENSION_SUFFIXES),
            (loader_of(archive, members), SOURCE_SUFFIXES),
            (SourcelessFileLoader, BYTECODE_SUFFIXES),
        )

        def hook(path: str) -> PathEntryFinder:
            if path.startswith(folder):
                return find(path)
            raise ImportError(path)

        sys.path_hooks.insert(0, hook)
        sys.path_importer_cache.clear()


def loader_of(archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo]) -> type[SourceFileLoader]:
    """What loads a module's source as Python does, but looks for its bytecode among ``members`` first."""

    class LentBytecodeLoader(SourceFileLoader):
        def get_data(self, path: str) -> bytes:
            if path in members:
                try:
                    return archive.read(members[path])
                except Exception:  # noqa: BLE001  As above.
                    del members[path]
            return super().get_data(path)

        def get_code(self, fullname: str) -> CodeType | None:
            try:
                return super().get_code(fullname)
            except (EOFError, ImportError, TypeError, ValueError):  # What is said of bytes that are no code.
                if members.pop(cache_from_source(self.path), None) is None:
                    raise
                return super().get_code(fullname)

    return LentBytecodeLoader
