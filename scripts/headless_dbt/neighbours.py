"""What lies around the nodes of a run without a result of its own: for the lineage of the report page. Pure."""

from collections.abc import Callable, Collection, Iterable, Mapping

from headless_dbt.artifacts import Manifest, ManifestNode
from headless_dbt.lineage import Graph, reachable, turned
from headless_dbt.model import Neighbour
from headless_dbt.origins import exposure, group_of, owners, tags_of

# They are said of what they test, and of a run that did not select them nobody asks.
_TESTS = ("test", "unit_test")


def neighbours_of(
    results: Collection[str],
    manifest: Manifest,
    graph: Graph,
    producers: tuple[Mapping[str, tuple[str, ...]], Iterable[Neighbour]],
    file_of: Callable[[ManifestNode], str],
) -> tuple[Neighbour, ...]:
    """All up or down of the nodes that have ``results``, and the steps outside of dbt that these come from."""
    known = manifest.every()
    around = reachable(graph, results) | reachable(turned(graph), results)
    found = [
        _neighbour(known[unique_id], manifest, producers[0], file_of)
        for unique_id in sorted(around - set(results))
        if unique_id in known and known[unique_id].resource_type not in _TESTS
    ]
    there = {*results, *(each.unique_id for each in found)}
    wanted = {step for unique_id, steps in producers[0].items() if unique_id in there for step in steps}
    return (*found, *(step for step in producers[1] if step.unique_id in wanted))


def _neighbour(
    node: ManifestNode,
    manifest: Manifest,
    produced_by: Mapping[str, tuple[str, ...]],
    file_of: Callable[[ManifestNode], str],
) -> Neighbour:
    shown = exposure(node) if node.resource_type == "exposure" else None
    return Neighbour(
        unique_id=node.unique_id,
        name=shown.name if shown else node.name,
        resource_type=node.resource_type,
        depends_on=(*node.depends_on.nodes, *produced_by.get(node.unique_id, ())),
        file=file_of(node),
        description=node.description or "",
        kind=shown.kind if shown else node.config.materialized,
        url=shown.url if shown else "",
        group=group_of(node),
        owners=(shown.owner,) if shown and shown.owner else owners(node, manifest),
        tags=tags_of(node),
    )
