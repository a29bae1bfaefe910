"""A node's result and what the manifest says of it, as one Node. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath

from msgspec.structs import replace

from headless_dbt.artifacts import Age, FreshnessResult, Manifest, ManifestNode, NodeResult, Timing
from headless_dbt.bigquery_advice import bigquery_advice
from headless_dbt.causes import blocked_by
from headless_dbt.lineage import Graph
from headless_dbt.model import Freshness, Node, Outcome, outcome_of
from headless_dbt.origins import files_behind, group_of, owners, properties_file, tags_of
from headless_dbt.timeline import moment
from headless_dbt.warehouse import Usage, cost_of, rows_of, usage_of

_BAD = (Outcome.FAILED, Outcome.WARNED)
# The one row of their query is a verdict, and not data.
_CHECKS = ("test", "unit_test", "source")
# dbt's words in a source's freshness: https://docs.getdbt.com/reference/resource-properties/freshness
_PERIODS = {"minute": 60, "hour": 3600, "day": 86400}
_UNKNOWN = ManifestNode(unique_id="")


@dataclass(frozen=True)
class Project:
    """What is known of a project beside the results: where it lies in the repository, and all that it consists of.

    ``produced_by`` are the steps outside of dbt behind each source and seed, ``usage`` is what BigQuery said of all
    jobs of a node.
    """

    directory: str
    manifest: Manifest | None
    graph: Graph
    produced_by: Mapping[str, tuple[str, ...]]
    usd_per_tib: float = 0.0
    usage: Mapping[str, Usage] = field(default_factory=dict)

    @property
    def adapter(self) -> str:
        """dbt's name of the warehouse's kind."""
        return self.manifest.metadata.adapter if self.manifest else ""

    def file_of(self, node: ManifestNode) -> str:
        """The file of a node from the root of the repository; none of a package, which may lie anywhere."""
        return self._placed(node, node.original_file_path)

    def nodes_of(
        self, freshness: Iterable[FreshnessResult], results: Iterable[NodeResult], tries: Mapping[str, int]
    ) -> tuple[Node, ...]:
        """All results as nodes, those of sources first."""
        known = self.manifest.every() if self.manifest else {}
        nodes = [
            *(
                replace(self._node(known.get(each.unique_id), _as_result(each)), freshness=_freshness(each))
                for each in freshness
            ),
            *(self._node(known.get(each.unique_id), each, tries.get(each.unique_id, 1)) for each in results),
        ]
        blocked = blocked_by(nodes, self.graph)
        return tuple(
            replace(node, blocks=blocked.get(node.unique_id, 0), touched_by=self._touched_by(node.unique_id))
            if node.outcome in _BAD
            else node
            for node in nodes
        )

    def _touched_by(self, unique_id: str) -> tuple[str, ...]:
        if self.manifest is None or unique_id not in self.manifest.every():
            return ()
        return files_behind(unique_id, self.manifest, self.graph, PurePosixPath(self.directory))

    @cached_property
    def _folder(self) -> str:
        folder = str(PurePosixPath(self.directory))
        return "" if folder == "." else f"{folder}/"

    def _placed(self, node: ManifestNode, file: str) -> str:
        project = self.manifest.metadata.project_name if self.manifest else None
        own = project is None or node.package_name in ("", project)
        return self._folder + file if file and own else ""

    def _advice(self, result: NodeResult) -> str:
        failed = outcome_of(result.status) is Outcome.FAILED
        return bigquery_advice(result.message or "") if failed and self.adapter == "bigquery" else ""

    def _node(self, found: ManifestNode | None, result: NodeResult, tries: int = 1) -> Node:
        known = found or _UNKNOWN
        kind, _, name = result.unique_id.partition(".")
        timing = [phase for phase in result.timing if phase.started_at]
        seconds = {phase.name: _seconds(phase) for phase in timing}
        # dbt 2 gives the whole of a node as both of its phases.
        if len({(phase.started_at, phase.completed_at) for phase in timing}) < len(timing):
            seconds = {}
        usage = self.usage.get(result.unique_id) or usage_of(result.adapter_response)
        return Node(
            unique_id=result.unique_id,
            name=known.name if found else name.rpartition(".")[2],
            resource_type=known.resource_type if found else kind,
            status=result.status,
            outcome=outcome_of(result.status),
            message=result.message or "",
            advice=self._advice(result),
            file=self.file_of(known),
            execution_time=result.execution_time,
            started_at=(timing[0].started_at or "") if timing else "",
            completed_at=(timing[-1].completed_at or "") if timing else "",
            thread=result.thread_id or "",
            failures=result.failures,
            adapter_response=result.adapter_response,
            depends_on=(*known.depends_on.nodes, *self.produced_by.get(result.unique_id, ())),
            relation_name=known.relation_name or "",
            tries=tries,
            compiled_code=result.compiled_code or known.compiled_code or "",
            group=group_of(known),
            owners=owners(known, self.manifest) if self.manifest and found else (),
            tags=tags_of(known),
            description=known.description or "",
            materialized=known.config.materialized,
            package=known.package_name,
            properties_file=self._placed(known, properties_file(known)),
            attached_to=_attached_to(known),
            compile_time=seconds.get("compile", 0.0),
            execute_time=seconds.get("execute", 0.0),
            rows=rows_of(result.adapter_response) if kind not in _CHECKS else None,
            bytes_processed=usage.bytes_processed,
            bytes_billed=usage.bytes_billed,
            slot_ms=usage.slot_ms,
            cost=cost_of(usage.bytes_billed, self.adapter, self.usd_per_tib),
        )


def with_waiting(nodes: Iterable[Node], waiting: Mapping[str, float]) -> tuple[Node, ...]:
    """The nodes with the time that each waited for a thread; of one that was tried again nobody can tell."""
    return tuple(
        replace(node, waiting_time=round(waiting[node.unique_id], 6))
        if node.tries == 1 and node.unique_id in waiting
        else node
        for node in nodes
    )


def _attached_to(known: ManifestNode) -> str:
    """What a test tests: dbt says so of generic tests; others test all that they read."""
    if known.attached_node:
        return known.attached_node
    tested = known.depends_on.nodes if known.resource_type in ("test", "unit_test") else []
    return tested[0] if len(tested) == 1 else ""


def _seconds(phase: Timing) -> float:
    began, ended = moment(phase.started_at or ""), moment(phase.completed_at or "")
    return round(max(0.0, ended - began), 6) if began is not None and ended is not None else 0.0


def _as_result(freshness: FreshnessResult) -> NodeResult:
    age = freshness.max_loaded_at_time_ago_in_s
    message = freshness.error or (
        f"Last loaded {age / 3600:.1f} h ago, at {freshness.max_loaded_at}." if age is not None else ""
    )
    return NodeResult(
        freshness.unique_id,
        freshness.status,
        message=message,
        execution_time=freshness.execution_time,
        thread_id=freshness.thread_id,
        timing=freshness.timing,
        adapter_response=freshness.adapter_response,
    )


def _freshness(freshness: FreshnessResult) -> Freshness:
    criteria = freshness.criteria
    return Freshness(
        loaded_at=freshness.max_loaded_at or "",
        age=freshness.max_loaded_at_time_ago_in_s,
        warn_after=_age(criteria.warn_after) if criteria else None,
        error_after=_age(criteria.error_after) if criteria else None,
    )


def _age(said: Age | None) -> float | None:
    if said is None or said.count is None or said.period not in _PERIODS:
        return None
    return float(said.count * _PERIODS[said.period])
