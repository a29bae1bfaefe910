"""The files of the caller's dbt project, as far as an error can be about one of them. It only reads."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from headless_dbt.problem_place import TOP

PROJECT = "dbt_project.yml"
_READ = (".sql", ".yml", ".yaml", ".py", ".md", ".csv")
_NOT_READ = {"target", "logs", "node_modules", "__pycache__"}
# Far more than projects have; whatever the folder is, looking through it comes to an end.
_MOST_FILES = 50_000
_MOST_CHARACTERS = 500_000


@dataclass(frozen=True)
class ProjectFiles(Mapping[str, str]):
    """The text of each file, by its path in the project; one that is not UTF-8 has surrogates in it.

    ``root`` is the project's folder, and ``folder`` the same from the root of the repository. A file is left out that
    has the same path in a package: which of both dbt speaks of is not certain.
    """

    root: Path
    folder: str
    _texts: dict[str, str] = field(default_factory=dict)

    @cached_property
    def _names(self) -> frozenset[str]:
        own: set[str] = set()
        foreign: set[str] = set()
        for project, file in _walk(self.root, is_package=False):
            (own if project == self.root else foreign).add(file)
        return frozenset(own - (foreign - set(TOP)))

    def __iter__(self) -> Iterator[str]:
        """The paths, in their order."""
        return iter(sorted(self._names))

    def __len__(self) -> int:
        """How many there are."""
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        """Whether there is such a file."""
        return name in self._names

    def __getitem__(self, name: str) -> str:
        """The text of a file, empty where it cannot be read or is huge."""
        if name not in self._names:
            raise KeyError(name)
        if name not in self._texts:
            self._texts[name] = _text(self.root / name)
        return self._texts[name]

    def from_repository(self, name: str) -> str:
        """The path of a file from the root of the repository."""
        return f"{self.folder}/{name}" if self.folder else name


def project_files(workspace: Path, project_dir: str) -> ProjectFiles | None:
    """The files of a project of the workspace, or None where it lies elsewhere."""
    try:
        top, root = workspace.resolve(), (workspace / project_dir).resolve()
        if root.is_relative_to(top) and (root / PROJECT).is_file():
            return ProjectFiles(root, "" if root == top else root.relative_to(top).as_posix())
    except OSError:
        pass
    return None


def _walk(root: Path, *, is_package: bool) -> Iterator[tuple[Path, str]]:
    """The files of a project, and of its packages, each with the folder that it is relative to."""
    left = _MOST_FILES
    for folder, folders, files in os.walk(root):
        here = Path(folder)
        packages = {name for name in folders if (here / name / PROJECT).is_file()}
        folders[:] = sorted(name for name in folders if not _passed_over(here / name) and name not in packages)
        for name in files:
            if name.endswith(_READ) and not (here / name).is_symlink():
                yield root, (here / name).relative_to(root).as_posix()
        if not is_package:
            for name in packages:
                yield from _walk(here / name, is_package=True)
        left -= len(files) + len(folders)
        if left < 0:
            return


def _passed_over(folder: Path) -> bool:
    # A folder with a manifest in it is what dbt made of a project.
    return folder.name.startswith(".") or folder.name in _NOT_READ or (folder / "manifest.json").is_file()


def _text(file: Path) -> str:
    try:
        text = file.read_text("utf-8", "surrogateescape")
    except OSError:
        return ""
    return text if len(text) <= _MOST_CHARACTERS else ""
