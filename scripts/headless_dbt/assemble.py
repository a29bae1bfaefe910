"""From the files of a run folder to the Run. The one place where they meet; it only reads."""

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

import msgspec

import headless_dbt
from headless_dbt.artifacts import (
    FreshnessResult,
    Manifest,
    ManifestNode,
    NodeResult,
    read_manifest,
    read_run_results,
    read_sources,
)
from headless_dbt.dbt_commands import is_built
from headless_dbt.errors import DbtUnusableError, RunFolderError
from headless_dbt.journal import read_journal
from headless_dbt.model import Node, Problem, Request, Run, count_blocked, judge, outcome_of
from headless_dbt.run_folder import RunFolder, SessionRecord

INTERRUPTED = "Started, but did not finish: the run ended before."
NOT_REACHED = "Not run: the run ended before its turn."


def assemble_run(folder: RunFolder) -> Run:
    """Read a run folder and return the Run.

    Raises RunFolderError only where request.json is missing: whatever else is missing or unreadable is part
    of what the Run tells.
    """
    request = folder.read_request()
    try:
        record = folder.read_session()
        manifest = read_manifest(folder.artifact("manifest.json"))
        results = tuple(_results(folder, record, manifest))
        freshness = read_sources(folder.artifact("sources.json"))
        problem = record.problem or _unfinished(record) or _without_results(folder)
    except RunFolderError as error:
        record = SessionRecord(started_at="")
        manifest, results, freshness = None, (), None
        problem = Problem(title=error.title, message=str(error), exit_code=DbtUnusableError.exit_code)
    nodes = _nodes(request, manifest, (freshness.results if freshness else ()), results)
    succeeded = {command.name: command.success for command in record.commands}
    status, exit_code = judge(
        (node.outcome for node in nodes),
        problem,
        build_succeeded=succeeded.get("build", False),
        docs_succeeded=succeeded.get("docs generate", True),
    )
    return Run(
        headless_dbt_version=headless_dbt.__version__,
        status=status,
        exit_code=exit_code,
        problem=problem,
        started_at=record.started_at,
        elapsed=record.elapsed,
        request=request,
        installation=record.installation,
        commands=record.commands,
        nodes=nodes,
    )


def _unfinished(record: SessionRecord) -> Problem | None:
    if record.finished:
        return None
    return Problem(
        title="The run ended early",
        message="`headless-dbt run` was ended before it could finish; what is shown is what it had done by then.",
        exit_code=DbtUnusableError.exit_code,
    )


def _without_results(folder: RunFolder) -> Problem | None:
    """A build that calls itself done and left no results is no success."""
    if folder.artifact("run_results.json").is_file():
        return None
    return Problem(
        title="dbt left no results",
        message="dbt build ended without writing run_results.json; what is shown is what its log tells. "
        "Look at the log of the run.",
        exit_code=DbtUnusableError.exit_code,
    )


def _results(folder: RunFolder, record: SessionRecord, manifest: Manifest | None) -> Iterator[NodeResult]:
    """Every selected node's result: from run_results.json, else from the journal."""
    run_results = read_run_results(folder.artifact("run_results.json"))
    known = manifest.every() if manifest else {}
    selected = [
        unique_id
        for unique_id in record.selected or ()
        if is_built(unique_id) and unique_id in known and known[unique_id].config.materialized != "ephemeral"
    ]
    if run_results is not None:
        yield from run_results.results
        done = {result.unique_id for result in run_results.results}
        stale = _downstream(record.stale_sources, known.values())
        for unique_id in selected:
            if unique_id not in done and unique_id in stale:
                source = known[stale[unique_id]].relation_name or stale[unique_id]
                yield NodeResult(unique_id, "skipped", message=f"Skipped: the source {source} is stale.")
        return
    journal = read_journal(folder.journal)
    yield from journal.finished.values()
    for unique_id in sorted(journal.unfinished):
        yield NodeResult(unique_id, "error", message=INTERRUPTED)
    for unique_id in selected:
        if unique_id not in journal.started and unique_id not in journal.finished:
            yield NodeResult(unique_id, "skipped", message=NOT_REACHED)


def _downstream(sources: Iterable[str], known: Iterable[ManifestNode]) -> dict[str, str]:
    """All that depends on these sources: unique_id to the source that it hangs on."""
    children: dict[str, list[str]] = {}
    for node in known:
        for parent in node.depends_on.nodes:
            children.setdefault(parent, []).append(node.unique_id)
    found: dict[str, str] = {}
    for source in sources:
        waiting = list(children.get(source, ()))
        while waiting:
            child = waiting.pop()
            if child not in found:
                found[child] = source
                waiting.extend(children.get(child, ()))
    return found


def _nodes(
    request: Request,
    manifest: Manifest | None,
    freshness: Iterable[FreshnessResult],
    results: Iterable[NodeResult],
) -> tuple[Node, ...]:
    known = manifest.every() if manifest else {}
    project_dir = PurePosixPath(request.inputs.get("project-dir", "."))
    nodes = [
        *(_node(project_dir, known.get(result.unique_id), _as_node_result(result)) for result in freshness),
        *(_node(project_dir, known.get(result.unique_id), result) for result in results),
    ]
    blocked = count_blocked(nodes, {node.unique_id: tuple(node.depends_on.nodes) for node in known.values()})
    return tuple(msgspec.structs.replace(node, blocks=blocked.get(node.unique_id, 0)) for node in nodes)


def _as_node_result(result: FreshnessResult) -> NodeResult:
    age = result.max_loaded_at_time_ago_in_s
    message = result.error or (f"Last loaded {age:.0f} s ago, at {result.max_loaded_at}." if age is not None else "")
    return NodeResult(
        result.unique_id,
        result.status,
        message=message,
        execution_time=result.execution_time,
        thread_id=result.thread_id,
        timing=result.timing,
        adapter_response=result.adapter_response,
    )


def _node(project_dir: PurePosixPath, known: ManifestNode | None, result: NodeResult) -> Node:
    kind, _, name = result.unique_id.partition(".")
    timing = [phase for phase in result.timing if phase.started_at]
    return Node(
        unique_id=result.unique_id,
        name=known.name if known else name.rpartition(".")[2],
        resource_type=known.resource_type if known else kind,
        status=result.status,
        outcome=outcome_of(result.status),
        message=result.message or "",
        file=str(project_dir / known.original_file_path) if known and known.original_file_path else "",
        execution_time=result.execution_time,
        started_at=(timing[0].started_at or "") if timing else "",
        completed_at=(timing[-1].completed_at or "") if timing else "",
        thread=result.thread_id or "",
        failures=result.failures,
        adapter_response=result.adapter_response,
        depends_on=tuple(known.depends_on.nodes) if known else (),
        relation_name=(known.relation_name or "") if known else "",
    )
