"""From the files of a run folder to the Run. The one place where they meet; it only reads."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace

import headless_dbt
from headless_dbt.artifacts import Manifest, read_manifest, read_run_results, read_sources
from headless_dbt.causes import find_causes
from headless_dbt.changes import changes_since
from headless_dbt.dbt_commands import is_built
from headless_dbt.errors import DbtUnusableError, RunFolderError
from headless_dbt.journal import read_journal
from headless_dbt.lines import located
from headless_dbt.model import Outcome, Problem, Run, Verdict, judge
from headless_dbt.neighbours import neighbours_of
from headless_dbt.nodes import Project, with_waiting
from headless_dbt.origins import exposure
from headless_dbt.outside_dbt import producers
from headless_dbt.previous_run import read_previous
from headless_dbt.run_folder import RunFolder, SessionRecord
from headless_dbt.timeline import critical_path, spans_of, waited_for, waiting_times
from headless_dbt.warehouse import total_cost, usage_by_node

_Content = TypeVar("_Content")


def assemble_run(folder: RunFolder, workspace: Path | None = None, usd_per_tib: float = 0.0) -> Run:
    """Read a run folder and return the Run.

    With the ``workspace`` that holds the project, failures have their lines; with a price, queries have their cost.

    Raises RunFolderError only where request.json is missing: whatever else is missing or unreadable is part
    of what the Run tells.
    """
    request = folder.read_request()
    troubles: list[str] = []

    def readable(read: Callable[[], _Content], instead: _Content) -> _Content:
        try:
            return read()
        except RunFolderError as error:
            troubles.append(str(error))
            return instead

    record = readable(folder.read_session, SessionRecord(started_at=""))
    manifest = readable(lambda: read_manifest(folder.artifact("manifest.json")), None)
    run_results = readable(lambda: read_run_results(folder.artifact("run_results.json")), None)
    freshness = readable(lambda: read_sources(folder.artifact("sources.json")), None)
    results = run_results.results if run_results else []
    if record.attempts and not (folder.attempt(len(record.attempts)) / "run_results.json").is_file():
        run_results = None
    problem = record.problem or _problem(record, troubles, built=run_results is not None or bool(record.checks))
    tries = _tries(folder, (result.unique_id for result in results)) if _several(folder, record) else {}
    graph = graph_of(manifest)
    made_by = producers(manifest) if manifest else ({}, ())
    usage = usage_by_node(folder.jobs.read_bytes().splitlines()) if folder.jobs.is_file() else {}
    project = Project(request.inputs.get("project-dir", "."), manifest, graph, made_by[0], usd_per_tib, usage)
    nodes = project.nodes_of((freshness.results if freshness else ()), results, tries)
    spans = spans_of(nodes)
    before = waited_for(nodes, spans)
    nodes = with_waiting(nodes, waiting_times(spans, before))
    if manifest is not None and workspace is not None:
        nodes = located(nodes, manifest, workspace)
    billed = {node.unique_id: node.bytes_billed for node in nodes if node.tries}
    billed |= {unique_id: each.bytes_billed for unique_id, each in usage.items()}
    exposures = {name: exposure(node) for name, node in manifest.exposures.items()} if manifest else {}
    of_outcome = {outcome: [node for node in nodes if node.outcome is outcome] for outcome in Outcome}
    skipped = of_outcome[Outcome.SKIPPED]
    succeeded = {command.name: command.success for command in record.commands}
    status, exit_code = judge(
        (node.outcome for node in nodes),
        problem,
        build_succeeded=succeeded.get("build", False),
        docs_succeeded=succeeded.get("docs generate", True),
    )
    if record.checks and problem is None:
        status, exit_code = Verdict.SUCCESS, 0
    run = Run(
        headless_dbt_version=headless_dbt.__version__,
        status=status,
        exit_code=exit_code,
        problem=problem,
        started_at=record.started_at,
        elapsed=record.elapsed,
        request=request,
        installation=record.installation,
        commands=record.commands,
        attempts=record.attempts,
        continued=record.continued,
        checks=record.checks,
        nodes=nodes,
        causes=find_causes(of_outcome[Outcome.FAILED], skipped, problem, graph, exposures),
        warnings=find_causes(of_outcome[Outcome.WARNED], (), None, graph, exposures),
        whole_project=_whole(record, manifest),
        adapter=project.adapter,
        neighbours=neighbours_of({node.unique_id for node in nodes}, manifest, graph, made_by, project.file_of)
        if manifest
        else (),
        critical_path=critical_path(spans, before),
        cost=total_cost(billed.values(), project.adapter, usd_per_tib),
    )
    previous = read_previous(folder)
    return replace(run, changes=changes_since(previous, run)) if previous else run


def _problem(record: SessionRecord, troubles: Sequence[str], *, built: bool) -> Problem | None:
    """What is wrong with a run that knows of no problem itself."""
    if troubles:
        return Problem(title=RunFolderError.title, message=" ".join(troubles), exit_code=DbtUnusableError.exit_code)
    if not record.finished:
        return Problem(
            title="The run ended early",
            message="`headless-dbt run` was ended before it could finish; what is shown is what it had done by then.",
            exit_code=DbtUnusableError.exit_code,
        )
    if not built:
        # A build that calls itself done and left no results is no success.
        return Problem(
            title="dbt left no results",
            message="dbt build ended without writing run_results.json; what is shown is what its log tells. "
            "Look at the log of the run.",
            exit_code=DbtUnusableError.exit_code,
        )
    return None


def _whole(record: SessionRecord, manifest: Manifest | None) -> bool:
    """Whether all that a build can build was selected, however the selection came about."""
    every = {unique_id for unique_id in manifest.every() if is_built(unique_id)} if manifest else set()
    return bool(every) and every <= set(record.selected or ())


def _several(folder: RunFolder, record: SessionRecord) -> bool:
    return len(record.attempts) > 1 or folder.attempt(0).is_dir()


def _tries(folder: RunFolder, unique_ids: Iterable[str]) -> dict[str, int]:
    """In how many attempts a node ran: 0 for what was taken over from an earlier run. Hooks run in each."""
    counts = {unique_id: 0 for unique_id in unique_ids if not unique_id.startswith("operation.")}
    for build in read_journal(folder.journal):
        for unique_id in build.started:
            result = build.finished.get(unique_id)
            counts[unique_id] = counts.get(unique_id, 0) + (result is None or result.status != "skipped")
    return counts


def graph_of(manifest: Manifest | None) -> dict[str, list[str]]:
    """Every unique_id of the project with those that it depends on."""
    return {node.unique_id: node.depends_on.nodes for node in manifest.every().values()} if manifest else {}
