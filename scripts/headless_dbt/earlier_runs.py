"""The earlier run that is to be continued: where its folder is, and what of it stands.

The verb ``fetch`` downloads it from GitHub into a folder of its own, and says in earlier.json there what it found. So
the step that holds the warehouse's credentials needs no GitHub token.
"""

from pathlib import Path

import msgspec

from headless_dbt.artifacts import UNREADABLE
from headless_dbt.code_manifest import Code, CodeManifest
from headless_dbt.errors import RequestError, RunFolderError
from headless_dbt.final_artifacts import read_earlier
from headless_dbt.inputs import LATEST, NONE
from headless_dbt.model import Request
from headless_dbt.parsing import mend, shown
from headless_dbt.resume import Takeover, closest, take_over
from headless_dbt.run_folder import RunFolder
from headless_dbt.settings import is_file

FINDING = "earlier.json"


class EarlierRun(msgspec.Struct, frozen=True, kw_only=True):
    """An earlier run, as ``fetch`` found it: earlier.json.

    ``folders`` are the run folders of its jobs, the newest first. Where there are none, ``reason`` says why. An
    ``unasked`` one is the attempt before, which only the very same request continues; only one that was named may also
    have succeeded (``only_unfinished``).
    """

    run: str
    url: str = ""
    folders: tuple[str, ...] = ()
    reason: str = ""
    unasked: bool = False
    only_unfinished: bool = False


def find_earlier(resume_from: str, workspace: Path, fetched: Path | None) -> EarlierRun | None:
    """The run that ``resume_from`` names, or that was fetched into ``fetched``. Raises RequestError."""
    if resume_from == NONE:
        return None
    finding = _finding(fetched) if fetched else None
    if finding is None and resume_from and resume_from != LATEST and not resume_from.isdecimal():
        folder = (workspace / resume_from).resolve()
        finding = _finding(folder) or EarlierRun(run=folder.name, folders=(str(folder),))
        if not finding.reason and not all(is_file(Path(each) / "request.json") for each in finding.folders):
            raise _refusal(resume_from, "there is no request.json in it")
    if resume_from.isdecimal() and (finding is None or finding.reason):
        raise _refusal(resume_from, finding.reason if finding else "that run has not been fetched")
    if resume_from == LATEST and finding is None:
        return EarlierRun(run="the latest run", reason="it has not been fetched")
    return finding


def write_finding(folder: Path, finding: EarlierRun) -> None:
    """Write earlier.json."""
    (folder / FINDING).write_bytes(msgspec.json.encode(finding))


def takeover_from(
    earlier: EarlierRun, request: Request, code: Code, manifest: CodeManifest, selected: tuple[str, ...]
) -> Takeover:
    """What of an earlier run stands; nothing, with the reason, where it cannot be read.

    Of several jobs the most similar request counts that was made in the same surroundings: a matrix over secrets, say,
    leaves artifacts whose requests do not tell them apart.
    """
    if earlier.reason:
        return Takeover((), earlier.reason)
    folders = [RunFolder(Path(each)) for each in earlier.folders]
    reason = "it left no artifact of the same request"
    try:
        for index in closest([folder.read_request() for folder in folders], request, same=earlier.unasked):
            if earlier.only_unfinished and _succeeded(folders[index]):
                takeover = Takeover((), "it succeeded, and nothing of it is left to build")
            else:
                takeover = take_over(read_earlier(folders[index]), request, code, manifest, selected)
            if takeover.taken or not _is_of_another_job(folders[index], code):
                return takeover
            reason = takeover.reason
    except (RunFolderError, OSError) as error:
        reason = str(error).rstrip(".")
    return Takeover((), reason)


def _is_of_another_job(folder: RunFolder, code: Code) -> bool:
    try:
        return folder.read_code().surroundings != code.surroundings
    except RunFolderError:
        return True


def _finding(folder: Path) -> EarlierRun | None:
    try:
        return msgspec.json.decode((folder / FINDING).read_bytes(), type=EarlierRun)
    except (OSError, *UNREADABLE):
        return None


def _succeeded(folder: RunFolder) -> bool:
    try:
        return folder.read_run().exit_code == 0
    except RunFolderError:
        return False


def _refusal(resume_from: str, what: str) -> RequestError:
    return RequestError(
        "resume-from",
        given=f"{shown(resume_from)}, but {what}",
        allowed="the id of an earlier run of this repository that left an artifact, latest, none, or a run folder",
        advice=mend("resume-from"),
    )
