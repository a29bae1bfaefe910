"""What is known of a cause beside the run: its owners, when it last passed, and which commits came since.

None of it is needed to tell of a failure. Where GitHub does not give it, the issue does without.
"""

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from zipfile import ZipFile

import msgspec

from headless_dbt.artifact_names import request_in
from headless_dbt.codeowners import CODEOWNERS_PLACES, TOO_LARGE, owners_of, parse_codeowners
from headless_dbt.git_history import commits_between
from headless_dbt.github_runs import WorkflowRuns
from headless_dbt.incident_state import Suspect
from headless_dbt.model import Cause, Run
from headless_dbt.suspects import Commit, files_of, passed_in, suspects_among

# How many artifacts are looked into for the last green run.
MOST_DOWNLOADS = 20


def owners_by_node(run: Run, causes: Iterable[Cause], workspace: Path) -> dict[str, tuple[str, ...]]:
    """The owners of the nodes of these causes: as dbt's files name them, else by CODEOWNERS."""
    rules = parse_codeowners(_codeowners(workspace))
    nodes = {node.unique_id: node for node in run.nodes}
    members = [nodes[name] for cause in causes for name in cause.nodes if name in nodes]
    return {node.unique_id: node.owners or owners_of(node.file, rules) for node in members}


def last_green(run: Run, causes: Iterable[Cause], runs: WorkflowRuns) -> dict[str, str]:
    """The commit of the newest earlier run in which all was well with a cause, by the cause's key."""
    found: dict[str, str] = {}
    waiting = {cause.key: cause for cause in causes}
    try:
        for earlier in _earlier_runs(run, runs):
            sha = earlier.request.context.sha
            for cause in [cause for cause in waiting.values() if sha and passed_in(cause, earlier)]:
                found[cause.key] = sha
                del waiting[cause.key]
            if not waiting:
                break
    except Exception:  # noqa: BLE001, S110  Whatever GitHub answers: it is not needed.
        pass
    return found


def suspects(
    run: Run, causes: Iterable[Cause], green: dict[str, str], runs: WorkflowRuns, workspace: Path
) -> tuple[dict[str, tuple[Suspect, ...]], frozenset[str]]:
    """The commits that may be why, by the key of the cause, and the keys for which all of them were looked at."""
    head, project_dir = run.request.context.sha, run.request.inputs.get("project-dir", ".")
    nodes = {node.unique_id: node for node in run.nodes}
    commits: dict[str, tuple[list[Commit], bool]] = {head: ([], True)}
    found, searched = {}, set()
    for cause in causes:
        base = green.get(cause.key, "")
        if base and base not in commits:
            commits[base] = _commits(workspace, base, head, runs)
        since, complete = commits.get(base, ([], False))
        found[cause.key] = suspects_among(since, files_of(cause, nodes), project_dir)
        if base and complete:
            searched.add(cause.key)
    return found, frozenset(searched)


def _commits(workspace: Path, base: str, head: str, runs: WorkflowRuns) -> tuple[list[Commit], bool]:
    """The commits after ``base``, the newest first, and whether these are all."""
    here = commits_between(workspace, base, head)
    if here is not None:
        return here, True
    try:
        return runs.commits_between(base, head)
    except Exception:  # noqa: BLE001  Whatever GitHub answers: it is not needed.
        return [], False


def _earlier_runs(run: Run, runs: WorkflowRuns) -> Iterator[Run]:
    """What earlier runs of the workflow on this branch left, the newest first."""
    context, name = run.request.context, run.request.inputs.get("artifact-name", "")
    others = [number for number in runs.runs_of(context.workflow_file, context.ref) if str(number) != context.run_id]
    left = MOST_DOWNLOADS
    with tempfile.TemporaryDirectory(prefix="headless-dbt-") as folder:
        file = Path(folder) / "artifact.zip"
        for number in others:
            for artifact in runs.artifacts_of(number):
                if left and request_in(artifact.name, name) and not artifact.expired:
                    left -= 1
                    runs.download(artifact, file)
                    earlier = _run_in(file)
                    if earlier is not None and _came_before(earlier, run):
                        yield earlier
            if not left:
                return


def _run_in(file: Path) -> Run | None:
    try:
        with ZipFile(file) as archive:
            return msgspec.json.decode(archive.read("run.json"), type=Run)
    except Exception:  # noqa: BLE001  A broken archive is none.
        return None


def _came_before(earlier: Run, run: Run) -> bool:
    same = all(earlier.request.inputs.get(name) == run.request.inputs.get(name) for name in ("target", "project-dir"))
    return same and earlier.started_at < run.started_at


def _codeowners(workspace: Path) -> str:
    for place in CODEOWNERS_PLACES:
        try:
            file = workspace / place
            if file.is_file():
                return file.read_bytes()[:TOO_LARGE].decode("utf-8-sig", "replace")
        except OSError:
            continue
    return ""
