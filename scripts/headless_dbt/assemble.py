"""From the files of a run folder to the Run. The one place where they meet; it only reads."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

import msgspec

import headless_dbt
from headless_dbt.artifacts import (
    FreshnessResult,
    Manifest,
    ManifestNode,
    NodeResult,
    RunResults,
    read_manifest,
    read_run_results,
    read_sources,
)
from headless_dbt.causes import blocked_by, find_causes
from headless_dbt.changes import changes_since
from headless_dbt.dbt_commands import is_built
from headless_dbt.errors import DbtUnusableError, RunFolderError
from headless_dbt.journal import read_journal
from headless_dbt.lineage import Graph
from headless_dbt.lines import located
from headless_dbt.model import Node, Outcome, Problem, Request, Run, judge, outcome_of
from headless_dbt.origins import exposure, files_behind, group_of, owners
from headless_dbt.previous_run import read_previous
from headless_dbt.run_folder import RunFolder, SessionRecord

_Content = TypeVar("_Content")
_BAD = (Outcome.FAILED, Outcome.WARNED)


def assemble_run(folder: RunFolder, workspace: Path | None = None) -> Run:
    """Read a run folder and return the Run. With the ``workspace`` that holds the project, failures have their lines.

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
    problem = record.problem or _problem(record, troubles, run_results)
    tries = _tries(folder, (result.unique_id for result in results)) if _several(folder, record) else {}
    graph = graph_of(manifest)
    nodes = _nodes(request, manifest, graph, (freshness.results if freshness else ()), results, tries)
    if manifest is not None and workspace is not None:
        nodes = located(nodes, manifest, workspace)
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
        nodes=nodes,
        causes=find_causes(of_outcome[Outcome.FAILED], skipped, problem, graph, exposures),
        warnings=find_causes(of_outcome[Outcome.WARNED], (), None, graph, exposures),
        whole_project=_whole(record, manifest),
    )
    previous = read_previous(folder)
    return msgspec.structs.replace(run, changes=changes_since(previous, run)) if previous else run


def _problem(record: SessionRecord, troubles: Sequence[str], run_results: RunResults | None) -> Problem | None:
    """What is wrong with a run that knows of no problem itself."""
    if troubles:
        return Problem(title=RunFolderError.title, message=" ".join(troubles), exit_code=DbtUnusableError.exit_code)
    if not record.finished:
        return Problem(
            title="The run ended early",
            message="`headless-dbt run` was ended before it could finish; what is shown is what it had done by then.",
            exit_code=DbtUnusableError.exit_code,
        )
    if run_results is None:
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


def _nodes(  # noqa: PLR0913, PLR0917  Each is a source of its own.
    request: Request,
    manifest: Manifest | None,
    graph: Graph,
    freshness: Iterable[FreshnessResult],
    results: Iterable[NodeResult],
    tries: Mapping[str, int],
) -> tuple[Node, ...]:
    known = manifest.every() if manifest else {}
    project_dir = PurePosixPath(request.inputs.get("project-dir", "."))
    project = manifest.metadata.project_name if manifest else None
    nodes = [
        *(_node(project_dir, known.get(result.unique_id), _as_node_result(result), project) for result in freshness),
        *(_node(project_dir, known.get(result.unique_id), result, project) for result in results),
    ]
    blocked = blocked_by(nodes, graph)
    return tuple(
        msgspec.structs.replace(
            node,
            blocks=blocked.get(node.unique_id, 0),
            tries=tries.get(node.unique_id, 1),
            **(_why(node.unique_id, manifest, graph, project_dir) if manifest and node.outcome in _BAD else {}),
        )
        for node in nodes
    )


def graph_of(manifest: Manifest | None) -> dict[str, list[str]]:
    """Every unique_id of the project with those that it depends on."""
    return {node.unique_id: node.depends_on.nodes for node in manifest.every().values()} if manifest else {}


def _why(unique_id: str, manifest: Manifest, graph: Graph, project_dir: PurePosixPath) -> dict[str, Any]:
    """What helps to find out why a node failed."""
    known = manifest.every().get(unique_id)
    if known is None:
        return {}
    return {
        "group": group_of(known),
        "owners": owners(known, manifest),
        "touched_by": files_behind(unique_id, manifest, graph, project_dir),
    }


def _as_node_result(result: FreshnessResult) -> NodeResult:
    age = result.max_loaded_at_time_ago_in_s
    message = result.error or (
        f"Last loaded {age / 3600:.1f} h ago, at {result.max_loaded_at}." if age is not None else ""
    )
    return NodeResult(
        result.unique_id,
        result.status,
        message=message,
        execution_time=result.execution_time,
        thread_id=result.thread_id,
        timing=result.timing,
        adapter_response=result.adapter_response,
    )


def _node(project_dir: PurePosixPath, known: ManifestNode | None, result: NodeResult, project: str | None) -> Node:
    # The file of a package's node is in the package, not in the caller's repository.
    own = project is None or (known is not None and known.package_name in ("", project))
    kind, _, name = result.unique_id.partition(".")
    timing = [phase for phase in result.timing if phase.started_at]
    return Node(
        unique_id=result.unique_id,
        name=known.name if known else name.rpartition(".")[2],
        resource_type=known.resource_type if known else kind,
        status=result.status,
        outcome=outcome_of(result.status),
        message=result.message or "",
        file=str(project_dir / known.original_file_path) if known and known.original_file_path and own else "",
        execution_time=result.execution_time,
        started_at=(timing[0].started_at or "") if timing else "",
        completed_at=(timing[-1].completed_at or "") if timing else "",
        thread=result.thread_id or "",
        failures=result.failures,
        adapter_response=result.adapter_response,
        depends_on=tuple(known.depends_on.nodes) if known else (),
        relation_name=(known.relation_name or "") if known else "",
        compiled_code=_compiled(result, known) if outcome_of(result.status) in _BAD else "",
    )


def _compiled(result: NodeResult, known: ManifestNode | None) -> str:
    return result.compiled_code or (known.compiled_code if known else "") or ""
