"""The steps outside of dbt that bring data in, by what the project says of its sources and seeds. Pure.

``meta: {produced_by: shop-extract}`` on a source, one of its tables or a seed names what produces it: a text, a list of
them, or a mapping with ``name``, ``url`` and ``owner``. Where an exposure has that name, it is meant: what a model
feeds may come back as a source.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from headless_dbt.artifacts import Manifest, ManifestNode
from headless_dbt.model import Neighbour
from headless_dbt.origins import written_owners

_FIELD = "produced_by"


def producers(manifest: Manifest) -> tuple[dict[str, tuple[str, ...]], tuple[Neighbour, ...]]:
    """The unique ids of what produces each source or seed, and the steps among these that only the project knows."""
    exposures = {name: unique_id for unique_id, node in manifest.exposures.items() for name in (unique_id, node.name)}
    found: dict[str, tuple[str, ...]] = {}
    steps: dict[str, Neighbour] = {}
    for unique_id, node in manifest.every().items():
        if node.resource_type not in ("source", "seed"):
            continue
        names = []
        for said in _said(_of_meta(node)):
            name = said["name"]
            step = exposures.get(name, f"step.{name}")
            names.append(step)
            if name not in exposures:
                steps[step] = _step(step, said, steps.get(step))
        if names:
            found[unique_id] = tuple(dict.fromkeys(names))
    return found, tuple(steps.values())


def _of_meta(node: ManifestNode) -> Any:
    """What is said of the table goes before what is said of its source."""
    places = (node.config.meta, node.meta, node.source_meta)
    return next((meta[_FIELD] for meta in places if meta and meta.get(_FIELD)), None)


def _said(produced_by: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(produced_by, list):
        for each in produced_by:
            yield from _said(each)
    elif isinstance(produced_by, dict) and str(produced_by.get("name") or "").strip():
        yield {**produced_by, "name": str(produced_by["name"]).strip()}
    elif isinstance(produced_by, str) and produced_by.strip():
        yield {"name": produced_by.strip()}


def _step(unique_id: str, said: Mapping[str, Any], before: Neighbour | None) -> Neighbour:
    """A step by what is said of it here, and what was said before, which goes first."""
    known = before or Neighbour(unique_id=unique_id, name=said["name"], resource_type="step")
    return replace(
        known,
        description=known.description or str(said.get("description") or ""),
        url=known.url or str(said.get("url") or ""),
        owners=known.owners or written_owners(said.get("owner")),
    )
