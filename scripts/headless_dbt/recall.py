"""The verb ``recall``: the previous run of the same request, from GitHub into the run folder, for ``report``.

It comes after the build, when the request is known as it stands in the names of artifacts, secrets taken out. Nothing
of it matters enough to fail or to be waited for: whatever is in the way is one sentence in the log.
"""

import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from itertools import islice
from pathlib import Path
from threading import Thread
from typing import TypeVar

from headless_dbt.archive_parts import TooLargeError
from headless_dbt.artifact_names import request_in, standing_for
from headless_dbt.changes import PreviousRun
from headless_dbt.console import Console
from headless_dbt.github import NETWORK_ERRORS, Patience
from headless_dbt.github_runs import Artifact, WorkflowRuns, why_not
from headless_dbt.model import Context
from headless_dbt.node_times import keep_times, times_of
from headless_dbt.previous_run import decode_previous, keep_previous
from headless_dbt.run_folder import find_run_folder
from headless_dbt.settings import FetchSettings, Flags, Places, RecallSettings, Runner, read_recall_settings

# All of it together, and of that what is waited before GitHub is asked again.
SECONDS, PATIENCE_SECONDS = 10.0, 3.0
# As many runs back as one of the same request is looked for, and as many artifacts of it as are looked at.
MOST_RUNS, MOST_ARTIFACTS = 30, 6
# Of an artifact. The run.json of 15,000 nodes has some 10 MB, and is packed to a tenth.
MOST_BYTES = 50 << 20

_Found = TypeVar("_Found")


class NoPreviousRunError(Exception):
    """There is none to compare with, for a reason that reads on after a colon."""


def recall(flags: Flags, runner: Runner, places: Places, console: Console, seconds: float = SECONDS) -> int:
    """Write previous.json into the run folder, where there is a previous run. It never fails."""
    try:
        settings = read_recall_settings(flags, runner)
        folder = find_run_folder(places.run_folder, runner.workspace, settings.project_dir)
        request = folder.read_request()
        if request.is_check:
            return 0
        key = standing_for(request)
        run_id, previous = _in_time(lambda: _look_for(settings, key), seconds)
        keep_previous(folder, previous)
        said = f"The previous run of the same request is run {run_id}."
    except Exception as error:  # noqa: BLE001  The build is over, and a report without a comparison is one too.
        said = f"There is no previous run to compare with: {_reason(error)}."
    console.say(" ".join(said.split()))
    return 0


def recall_times(settings: FetchSettings, folder: Path, console: Console, seconds: float = SECONDS) -> None:
    """Write times.json: how long nodes took in the newest run that any job of this workflow left. It never fails."""
    try:
        run_id, times = _in_time(lambda: _look_for_times(settings), seconds)
        keep_times(folder, times)
        said = f"The times of {len(times)} nodes are those of run {run_id}."
    except Exception as error:  # noqa: BLE001  dbt's own order is one too.
        said = f"There are no times of an earlier run: {_reason(error)}."
    console.say(" ".join(said.split()))


def _look_for_times(settings: FetchSettings) -> tuple[int, dict[str, float]]:
    runs = _runs(settings)
    for run_id in islice(_candidates(settings.context, runs), MOST_RUNS):
        ours = [each for each in runs.artifacts_of(run_id) if request_in(each.name, settings.artifact_name)]
        left = [previous for each in ours[:MOST_ARTIFACTS] if not each.expired and (previous := _read(runs, each))]
        if times := times_of(left):
            return run_id, times
    raise NoPreviousRunError(f"no earlier run of {settings.context.workflow_file or 'a workflow'} left any")


def _runs(settings: RecallSettings | FetchSettings) -> WorkflowRuns:
    if not settings.token or not settings.repository:
        raise NoPreviousRunError("GITHUB_REPOSITORY and GITHUB_TOKEN must both be set to look for it")
    return WorkflowRuns(settings.token, settings.api_url, settings.repository, Patience(seconds=PATIENCE_SECONDS))


def _reason(error: Exception) -> str:
    match error:
        case TimeoutError():
            return "GitHub took too long"
        case TooLargeError() | zipfile.BadZipFile():
            return "its artifact cannot be used"
        case _ if isinstance(error, NETWORK_ERRORS):
            return why_not(error)
        case _:
            return str(error).rstrip(".") or type(error).__name__


def _in_time(work: Callable[[], _Found], seconds: float) -> _Found:
    """What the work comes to, or its error. Raises TimeoutError after so many seconds, wherever it hangs."""
    ended: Future[_Found] = Future()

    def begin() -> None:
        try:
            ended.set_result(work())
        except Exception as error:  # noqa: BLE001  It is raised where it is waited for.
            ended.set_exception(error)

    # A daemon: nobody waits for it at the end of the process either.
    Thread(target=begin, daemon=True).start()
    return ended.result(timeout=seconds)


def _look_for(settings: RecallSettings, key: str) -> tuple[int, PreviousRun]:
    runs = _runs(settings)
    for run_id in islice(_candidates(settings.context, runs), MOST_RUNS):
        named = [
            artifact
            for artifact in runs.artifacts_of(run_id)
            if request_in(artifact.name, settings.artifact_name) == key and not artifact.expired
        ]
        if len(named) > MOST_ARTIFACTS:
            raise NoPreviousRunError("too many jobs asked for the same")
        if found := _of_one_job([previous for each in named if (previous := _read(runs, each))], settings.context):
            return run_id, found
    raise NoPreviousRunError(f"no earlier run of {settings.context.workflow_file or 'a workflow'} asked for the same")


def _candidates(context: Context, runs: WorkflowRuns) -> Iterator[int]:
    """The ids of the runs that may have been before this one, the newest first; a re-run is its own predecessor."""
    this = int(context.run_id) if context.run_id.isdecimal() else 0
    if context.run_attempt not in ("", "1"):
        yield this
    yield from (run_id for run_id in runs.runs_of(context.workflow_file, context.ref) if run_id < this)


def _read(runs: WorkflowRuns, artifact: Artifact) -> PreviousRun | None:
    content = runs.read_file(artifact, "run.json", MOST_BYTES)
    return decode_previous(content) if content is not None else None


def _of_one_job(found: list[PreviousRun], here: Context) -> PreviousRun | None:
    """The one of the latest attempt. Raises NoPreviousRunError where several jobs asked for the same.

    They are those of a matrix over secrets, say, and nothing tells which of them was this one.
    """
    by_attempt: dict[int, PreviousRun] = {}
    for each in found:
        then = each.request.context
        attempt = int(then.run_attempt) if then.run_attempt.isdecimal() else 1
        if then.run_id == here.run_id and attempt >= int(here.run_attempt or 1):
            continue
        if attempt in by_attempt:
            raise NoPreviousRunError("several jobs asked for the same, and nothing tells them apart")
        by_attempt[attempt] = each
    return by_attempt[max(by_attempt)] if by_attempt else None
