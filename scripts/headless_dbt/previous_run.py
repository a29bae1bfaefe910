"""The previous run, with which a run is compared: where it is found on this machine, and previous.json.

It is not the earlier run that a run continues (earlier_runs.py). On GitHub the verb ``recall`` looks for it. Once
found it lies in the run folder, so that every later report on that says the same.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import msgspec

from headless_dbt.artifacts import UNREADABLE
from headless_dbt.changes import PreviousRun
from headless_dbt.errors import RequestError, RunFolderError
from headless_dbt.model import SCHEMA_VERSION
from headless_dbt.resume import closest
from headless_dbt.run_folder import RunFolder
from headless_dbt.settings import is_file

FILE = "previous.json"
# As many runs back as one of the same request is looked for.
MOST_RUNS = 30


def decode_previous(content: bytes) -> PreviousRun | None:
    """The run of a run.json, or of a previous.json; None where it is none that can be compared."""
    try:
        found = msgspec.json.decode(content, type=PreviousRun)
    except UNREADABLE:
        return None
    return found if found.schema_version == SCHEMA_VERSION else None


def read_previous(folder: RunFolder) -> PreviousRun | None:
    """The previous run that a run folder has."""
    return _decoded(folder.path / FILE)


def keep_previous(folder: RunFolder, previous: PreviousRun) -> None:
    """Write previous.json."""
    folder.write(FILE, msgspec.json.encode(previous))


def named_previous(given: str, workspace: Path) -> PreviousRun:
    """The run of a run.json, or of a folder that holds one. Raises RequestError."""
    path = (workspace / given).resolve()
    file = path if is_file(path) else path / "run.json"
    previous = _decoded(file)
    if previous is None:
        what = "is not a readable one of this version" if is_file(file) else "is not there"
        raise RequestError(
            "--previous",
            given=f"{given!r}, but {file.name} {what}",
            allowed="a run.json of headless-dbt, or a folder that holds one",
            advice="Name another one, or leave it out.",
        )
    return previous


def neighbouring_previous(folder: RunFolder, project_dir: Path) -> PreviousRun | None:
    """The newest earlier run of the same request among the run folders of the project."""
    try:
        request, started_at = folder.read_request(), folder.read_session().started_at
    except RunFolderError:
        return None
    others = sorted((project_dir / "target" / "headless_dbt").glob("*/run.json"), reverse=True)
    for file in islice((file for file in others if file.parent != folder.path), MOST_RUNS):
        try:
            same = closest([RunFolder(file.parent).read_request()], request, same=True)
        except RunFolderError:
            continue
        previous = _decoded(file) if same else None
        if previous is not None and "" < previous.started_at < started_at:
            return previous
    return None


def earlier_ones(folder: RunFolder, project_dir: Path) -> Iterator[PreviousRun]:
    """The runs among the other run folders of the project, the newest first, whatever they asked for."""
    others = sorted((project_dir / "target" / "headless_dbt").glob("*/run.json"), reverse=True)
    for file in islice((file for file in others if file.parent != folder.path), MOST_RUNS):
        if previous := _decoded(file):
            yield previous


def _decoded(file: Path) -> PreviousRun | None:
    try:
        return decode_previous(file.read_bytes())
    except OSError:
        return None
