"""From the files of a run folder to the Run. The one place where they meet; it only reads."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import TypeVar

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
from headless_dbt.errors import DbtUnusableError, RunFolderError
from headless_dbt.journal import Journal, read_journal
from headless_dbt.model import Node, Problem, Request, Run, count_blocked, judge, outcome_of
from headless_dbt.run_folder import RunFolder, SessionRecord

_Content = TypeVar("_Content")

INTERRUPTED = "Started, but did not finish: the run ended before."
NOT_REACHED = "Not run: the run ended before its turn."


def assemble_run(folder: RunFolder) -> Run:
    """Read a run folder and return the Run.

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
    problem = record.problem or _problem(record, troubles, run_results)
    results = tuple(_results(record, manifest, run_results, read_journal(folder.journal), complete=problem is None))
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


def _results(
    record: SessionRecord,
    manifest: Manifest | None,
    run_results: RunResults | None,
    journal: Journal,
    *,
    complete: bool,
) -> Iterator[NodeResult]:
    """Every selected node's result, each once.

    A run that is ``complete`` has them in run_results.json, but for the branches of stale sources. Another one may
    have written none, or only a part of them: dbt does, on SIGINT. The journal then tells the rest.
    """
    known = manifest.every() if manifest else {}
    done = {result.unique_id for result in run_results.results} if run_results else set()
    yield from run_results.results if run_results else ()
    if not complete:
        # The journal holds the freshness check too; its results are in sources.json.
        ours = {unique_id for unique_id in journal.started | journal.finished.keys() if _of_build(unique_id)}
        for unique_id in sorted(ours - done):
            yield journal.finished.get(unique_id) or NodeResult(unique_id, "error", message=INTERRUPTED)
        done |= ours
    stale = _downstream(record.stale_sources, known.values())
    for unique_id in record.selected or ():
        # dbt gives no result for an ephemeral model: it is part of others.
        if unique_id in done or unique_id not in known or known[unique_id].config.materialized == "ephemeral":
            continue
        if unique_id in stale:
            source = known[stale[unique_id]].relation_name or stale[unique_id]
            yield NodeResult(unique_id, "skipped", message=f"Skipped: the source {source} is stale.")
        elif not complete:
            yield NodeResult(unique_id, "skipped", message=NOT_REACHED)


def _of_build(unique_id: str) -> bool:
    return not unique_id.startswith("source.")


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
    project = manifest.metadata.project_name if manifest else None
    nodes = [
        *(_node(project_dir, known.get(result.unique_id), _as_node_result(result), project) for result in freshness),
        *(_node(project_dir, known.get(result.unique_id), result, project) for result in results),
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
    )
