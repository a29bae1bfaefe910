"""The verb ``fetch``: an earlier run of the workflow, from its artifacts on GitHub into a folder, to be continued."""

import re
import zipfile
from itertools import islice
from pathlib import Path

from msgspec.structs import replace

from headless_dbt.artifact_names import request_in
from headless_dbt.console import Console
from headless_dbt.earlier_runs import EarlierRun, write_finding
from headless_dbt.github import NETWORK_ERRORS
from headless_dbt.github_runs import Artifact, WorkflowRuns, why_not
from headless_dbt.inputs import LATEST
from headless_dbt.settings import FetchSettings

# What a run is continued from, of all that an artifact holds.
_NEEDED = re.compile(
    r"(request|session|code|run|run_results|manifest)\.json|dbt\.log|attempts/\d+/(run_results|manifest)\.json"
)
# As many runs back as `latest` looks for one that left an artifact, and as many jobs of a run as are looked at.
MOST_RUNS, MOST_ARTIFACTS = 30, 20
# Far more than the artifacts of a project of 10,000 nodes; a zip archive may claim anything.
MOST_BYTES = 4 << 30


class NothingToContinueError(Exception):
    """There is no such earlier run, for a reason that reads on after a colon."""


def fetch(settings: FetchSettings, folder: Path, console: Console) -> int:
    """Fill ``folder`` with the run that is to be continued, and earlier.json. What is in the way is said there.

    It raises nothing of GitHub's: `run` decides whether an earlier run that cannot be had ends it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    finding = _look_for(settings, folder)
    write_finding(folder, finding)
    what = f"{len(finding.folders)} artifacts" if finding.folders else finding.reason
    console.say(f"{finding.run}: {what}")
    return 0


def _look_for(settings: FetchSettings, folder: Path) -> EarlierRun:
    named = settings.resume_from.isdecimal()
    name = f"run {settings.resume_from}" if named else f"the {settings.resume_from} run"
    finding = EarlierRun(
        run=name if settings.resume_from else "the attempt before",
        unasked=not settings.resume_from,
        only_unfinished=not named,
    )
    if not settings.token or not settings.repository:
        return replace(finding, reason="GITHUB_REPOSITORY and GITHUB_TOKEN must both be set to fetch it")
    try:
        runs = WorkflowRuns(settings.token, settings.api_url, settings.repository)
        run_id, artifacts = _find(settings, runs)
        folders = [_unpacked(runs, artifact, folder / str(number)) for number, artifact in enumerate(artifacts, 1)]
    except NothingToContinueError as nothing:
        return replace(finding, reason=str(nothing))
    except NETWORK_ERRORS as error:
        return replace(finding, reason=why_not(error))
    except Exception as error:  # noqa: BLE001  Whatever an answer or an archive holds, `run` says that it was no use.
        return replace(finding, reason=f"its artifact cannot be used ({type(error).__name__}: {error})")
    return replace(
        finding,
        run=f"run {run_id}" if settings.resume_from else finding.run,
        url=f"{settings.context.server_url}/{settings.repository}/actions/runs/{run_id}",
        folders=tuple(map(str, folders)),
    )


def _find(settings: FetchSettings, runs: WorkflowRuns) -> tuple[int, list[Artifact]]:
    """The run to continue, and the artifacts of its jobs. Raises NothingToContinueError."""
    context, name = settings.context, settings.artifact_name
    this = int(context.run_id) if context.run_id.isdecimal() else 0
    if not settings.resume_from:
        return this, _left_by(runs, this, name)
    if settings.resume_from != LATEST:
        named = int(settings.resume_from)
        if not runs.is_own(named):
            raise NothingToContinueError("its code came from a fork")
        return named, _left_by(runs, named, name)
    # In a re-run the attempt before is the latest.
    left_out = {this} if context.run_attempt in ("", "1") else set()
    candidates = (run for run in runs.runs_of(context.workflow_file, context.ref) if run not in left_out)
    for run_id in islice(candidates, MOST_RUNS):
        try:
            return run_id, _left_by(runs, run_id, name)
        except NothingToContinueError:
            continue
    where = f"{context.workflow_file} on {context.ref}" if context.ref else context.workflow_file
    raise NothingToContinueError(f"no earlier run of {where} left an artifact {name!r}")


def _left_by(runs: WorkflowRuns, run_id: int, name: str) -> list[Artifact]:
    """The artifacts of the jobs of a run, the newest first. Raises NothingToContinueError where there is none."""
    ours = [artifact for artifact in runs.artifacts_of(run_id) if request_in(artifact.name, name)]
    usable = [artifact for artifact in ours if not artifact.expired]
    if not usable:
        raise NothingToContinueError(f"its artifact {name!r} has expired" if ours else f"it left no artifact {name!r}")
    return usable[:MOST_ARTIFACTS]


def _unpacked(runs: WorkflowRuns, artifact: Artifact, folder: Path) -> Path:
    """Download an artifact, and unpack what is needed of it."""
    archive = folder.with_suffix(".zip")
    runs.download(artifact, archive)
    with zipfile.ZipFile(archive) as content:
        needed = [entry for entry in content.infolist() if _NEEDED.fullmatch(entry.filename)]
        if sum(entry.file_size for entry in needed) > MOST_BYTES:
            raise NothingToContinueError("its artifact is too large")
        content.extractall(folder, needed)
    archive.unlink()
    if not (folder / "request.json").is_file():
        raise NothingToContinueError("its artifact has no request.json")
    return folder
