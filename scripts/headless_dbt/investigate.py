"""What is known of a cause beside the run: its owners, when it last passed, and which commits came since.

None of it is needed to tell of a failure. Where GitHub does not give it, the issue does without.
"""

import tempfile
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import msgspec

from headless_dbt.artifacts import UNREADABLE
from headless_dbt.codeowners import CODEOWNERS_PLACES, TOO_LARGE, owners_of, parse_codeowners
from headless_dbt.git_history import commits_between
from headless_dbt.github import NETWORK_ERRORS
from headless_dbt.github_runs import WorkflowRuns
from headless_dbt.incident_state import Suspect
from headless_dbt.model import Cause, Run
from headless_dbt.report import request_in
from headless_dbt.suspects import Commit, files_of, passed_in, suspects_among

# How many runs back the last green one is looked for.
MOST_RUNS = 10


def owners_by_cause(run: Run, causes: Iterable[Cause], workspace: Path) -> dict[str, tuple[str, ...]]:
    """The owners of each cause, by its key: as dbt's files name them, else by CODEOWNERS."""
    rules = parse_codeowners(_codeowners(workspace))
    nodes = {node.unique_id: node for node in run.nodes}
    found: dict[str, tuple[str, ...]] = {}
    for cause in causes:
        members = [nodes[name] for name in cause.nodes if name in nodes]
        owners = [owner for node in members for owner in node.owners or owners_of(node.file, rules)]
        found[cause.key] = tuple(dict.fromkeys(owners))
    return found


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
    except (*NETWORK_ERRORS, OSError):
        pass
    return found


def suspects(
    run: Run, causes: Iterable[Cause], green: dict[str, str], runs: WorkflowRuns, workspace: Path
) -> dict[str, tuple[Suspect, ...]]:
    """The commits that may be why, by the key of the cause."""
    head, project_dir = run.request.context.sha, run.request.inputs.get("project-dir", ".")
    nodes = {node.unique_id: node for node in run.nodes}
    commits: dict[str, list[Commit]] = {}
    found = {}
    for cause in causes:
        base = green.get(cause.key, "")
        if base and base != head and base not in commits:
            commits[base] = _commits(workspace, base, head, runs)
        found[cause.key] = suspects_among(commits.get(base, ()), files_of(cause, nodes), project_dir)
    return found


def _commits(workspace: Path, base: str, head: str, runs: WorkflowRuns) -> list[Commit]:
    here = commits_between(workspace, base, head)
    if here is not None:
        return here
    try:
        return runs.commits_between(base, head)
    except NETWORK_ERRORS:
        return []


def _earlier_runs(run: Run, runs: WorkflowRuns) -> Iterator[Run]:
    """What earlier runs of the workflow on this branch left, the newest first."""
    context, name = run.request.context, run.request.inputs.get("artifact-name", "")
    others = (number for number in runs.runs_of(context.workflow_file, context.ref) if str(number) != context.run_id)
    with tempfile.TemporaryDirectory(prefix="headless-dbt-") as folder:
        file = Path(folder) / "artifact.zip"
        for number in islice(others, MOST_RUNS):
            for artifact in runs.artifacts_of(number):
                if request_in(artifact.name, name) and not artifact.expired:
                    runs.download(artifact, file)
                    earlier = _run_in(file)
                    if earlier is not None and _same_pipeline(run, earlier):
                        yield earlier


def _run_in(file: Path) -> Run | None:
    try:
        with ZipFile(file) as archive:
            return msgspec.json.decode(archive.read("run.json"), type=Run)
    except (BadZipFile, KeyError, RuntimeError, *UNREADABLE):
        return None


def _same_pipeline(one: Run, other: Run) -> bool:
    return all(one.request.inputs.get(name) == other.request.inputs.get(name) for name in ("target", "project-dir"))


def _codeowners(workspace: Path) -> str:
    for place in CODEOWNERS_PLACES:
        try:
            file = workspace / place
            if file.is_file():
                return file.read_bytes()[:TOO_LARGE].decode("utf-8-sig", "replace")
        except OSError:
            continue
    return ""
