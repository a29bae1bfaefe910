"""Which commits may be why something broke: those since it last passed that touch what it is made of. Pure."""

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from headless_dbt.incident_state import Suspect
from headless_dbt.model import Cause, Node, Outcome, Run

MOST_SUSPECTS = 5


@dataclass(frozen=True)
class Commit:
    """A commit: the first line of its message, its author's login or else name, and the files that it touched."""

    sha: str
    subject: str
    author: str
    files: frozenset[str]


def files_of(cause: Cause, nodes: Mapping[str, Node]) -> frozenset[str]:
    """The files that a cause may come from, relative to the root of the repository; none for a run as a whole."""
    return frozenset(file for name in cause.nodes if name in nodes for file in nodes[name].touched_by)


def passed_in(cause: Cause, run: Run) -> bool:
    """Whether an earlier run shows that all was well with what is broken now."""
    if not cause.nodes:
        return run.exit_code == 0
    outcomes = {node.unique_id: node.outcome for node in run.nodes}
    return all(outcomes.get(name) in (Outcome.PASSED, Outcome.WARNED) for name in cause.nodes)


def suspects_among(commits: Iterable[Commit], files: frozenset[str], project_dir: str) -> tuple[Suspect, ...]:
    """The commits, the newest first, that touch these files; without files those that touch the project."""
    # A package may lie anywhere in the repository: origins.py gives its files with a star in front.
    packaged = tuple(file.removeprefix("*") for file in files if file.startswith("*/"))
    root = posixpath.normpath(project_dir or ".")
    folder = "" if root == "." else f"{root}/"

    def touches(commit: Commit) -> bool:
        if not files:
            return any(file.startswith(folder) for file in commit.files)
        return bool(commit.files & files) or any(file.endswith(packaged) for file in commit.files)

    found = (commit for commit in commits if touches(commit))
    return tuple(
        Suspect(sha=commit.sha, subject=_text(commit.subject, 100), author=_text(commit.author, 60))
        for commit, _ in zip(found, range(MOST_SUSPECTS), strict=False)
    )


def _text(text: str, most: int) -> str:
    # Half of a character, which JSON can hold, cannot be written.
    return text[:most].encode("utf-8", "replace").decode()
