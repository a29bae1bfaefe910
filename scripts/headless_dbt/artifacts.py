"""dbt's JSON artifacts, read into structs: only the fields that are used, new ones tolerated.

Each artifact names its schema version; one that nobody here has seen is refused, not guessed at.
Source: https://docs.getdbt.com/reference/artifacts/dbt-artifacts and https://schemas.getdbt.com.
"""

import re
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from headless_dbt.errors import RunFolderError

# What a file that is not what it should be makes msgspec raise.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

KNOWN_VERSIONS = {"manifest": (12,), "run-results": (6,), "sources": (3,)}


class Metadata(msgspec.Struct):
    """What every artifact begins with."""

    dbt_schema_version: str = ""
    dbt_version: str = ""
    adapter_type: str | None = None
    project_name: str | None = None

    @property
    def adapter(self) -> str:
        """The adapter's short name, or an empty text."""
        return self.adapter_type or ""


class Dependencies(msgspec.Struct):
    """The unique ids that a node depends on."""

    nodes: list[str] = []
    macros: list[str] = []


class NodeConfig(msgspec.Struct):
    """The part of a node's config that is used."""

    materialized: str = ""
    meta: dict[str, Any] | None = None
    group: str | None = None
    tags: str | list[str] | None = None
    # Of a test: when so many failures are a failure, and when a warning.
    error_if: str | None = None
    warn_if: str | None = None


class ManifestNode(msgspec.Struct):
    """A node, source, exposure or unit test of the manifest. Only an exposure has label, type, url and owner."""

    unique_id: str
    name: str = ""
    resource_type: str = ""
    package_name: str = ""
    original_file_path: str = ""
    patch_path: str | None = None
    relation_name: str | None = None
    compiled_code: str | None = None
    column_name: str | None = None
    attached_node: str | None = None
    source_name: str | None = None
    source_meta: dict[str, Any] | None = None
    description: str | None = None
    tags: str | list[str] | None = None
    model: str | None = None
    test_metadata: dict[str, Any] | None = None
    group: str | None = None
    meta: dict[str, Any] | None = None
    label: str | None = None
    type: Any = None
    url: str | None = None
    owner: Any = None
    depends_on: Dependencies = msgspec.field(default_factory=Dependencies)
    config: NodeConfig = msgspec.field(default_factory=NodeConfig)


class ManifestMacro(msgspec.Struct):
    """A macro of the manifest."""

    package_name: str = ""
    original_file_path: str = ""
    patch_path: str | None = None
    depends_on: Dependencies = msgspec.field(default_factory=Dependencies)


class ManifestGroup(msgspec.Struct):
    """A group of the manifest, and its owner: name, email, and whatever else the project says."""

    name: str = ""
    owner: Any = None


class Manifest(msgspec.Struct, dict=True):
    """manifest.json."""

    metadata: Metadata
    macros: dict[str, ManifestMacro] = {}
    groups: dict[str, ManifestGroup] = {}
    nodes: dict[str, ManifestNode] = {}
    sources: dict[str, ManifestNode] = {}
    exposures: dict[str, ManifestNode] = {}
    unit_tests: dict[str, ManifestNode] = {}
    saved_queries: dict[str, ManifestNode] = {}
    functions: dict[str, ManifestNode] = {}

    def every(self) -> dict[str, ManifestNode]:
        """All of them, by unique_id."""
        return self._every

    @cached_property
    def _every(self) -> dict[str, ManifestNode]:
        # Asked for once a failed node, and a large project has tens of thousands of them.
        return {
            **self.sources,
            **self.nodes,
            **self.unit_tests,
            **self.exposures,
            **self.saved_queries,
            **self.functions,
        }


class Timing(msgspec.Struct):
    """One phase of a node: ``compile`` or ``execute``, in ISO 8601."""

    name: str = ""
    started_at: str | None = None
    completed_at: str | None = None


class NodeResult(msgspec.Struct):
    """One result of run_results.json. ``execution_time`` is in seconds."""

    unique_id: str
    status: str
    message: str | None = None
    execution_time: float = 0.0
    thread_id: str | None = ""
    failures: int | None = None
    timing: list[Timing] = []
    adapter_response: dict[str, Any] = {}
    compiled_code: str | None = None


class RunResults(msgspec.Struct):
    """run_results.json."""

    metadata: Metadata
    results: list[NodeResult] = []


class Age(msgspec.Struct):
    """An age in the words of a project: ``{count: 12, period: hour}``; without a count there is no bound."""

    count: int | None = None
    period: str | None = None


class Criteria(msgspec.Struct):
    """From which age on a source is stale."""

    warn_after: Age | None = None
    error_after: Age | None = None


class FreshnessResult(msgspec.Struct):
    """One result of sources.json. dbt 2 writes its status with a capital: ``Pass``."""

    unique_id: str
    status: str
    error: str | None = None
    max_loaded_at: str | None = None
    max_loaded_at_time_ago_in_s: float | None = None
    criteria: Criteria | None = None
    execution_time: float = 0.0
    thread_id: str | None = ""
    timing: list[Timing] = []
    adapter_response: dict[str, Any] = {}

    def __post_init__(self) -> None:
        """Write the status as dbt 1 does."""
        self.status = self.status.lower()


class Sources(msgspec.Struct):
    """sources.json."""

    metadata: Metadata
    results: list[FreshnessResult] = []


_Artifact = TypeVar("_Artifact", Manifest, RunResults, Sources)


def read_manifest(file: Path) -> Manifest | None:
    """Read manifest.json, or return None where there is none. Raises RunFolderError."""
    return _read(file, "manifest", Manifest)


def read_run_results(file: Path) -> RunResults | None:
    """Read run_results.json, or return None where there is none. Raises RunFolderError."""
    return _read(file, "run-results", RunResults)


def read_sources(file: Path) -> Sources | None:
    """Read sources.json, or return None where there is none. Raises RunFolderError."""
    return _read(file, "sources", Sources)


def _read(file: Path, kind: str, artifact: type[_Artifact]) -> _Artifact | None:
    if not file.is_file():
        return None
    try:
        content = msgspec.json.decode(file.read_bytes(), type=artifact)
    except UNREADABLE as error:
        raise RunFolderError(f"{file.name} is not a readable dbt {kind} artifact: {error}.") from None
    match = re.search(r"/([a-z-]+)/v([0-9]+)\.json$", content.metadata.dbt_schema_version)
    if match is None or match[1] != kind or int(match[2]) not in KNOWN_VERSIONS[kind]:
        known = ", ".join(f"v{version}" for version in KNOWN_VERSIONS[kind])
        raise RunFolderError(
            f"{file.name} has the schema {content.metadata.dbt_schema_version!r}; headless-dbt reads {kind} {known}. "
            "Use a dbt version that writes it, or a newer headless-dbt."
        )
    return content


class _Anything(msgspec.Struct):
    """Any JSON object; it is read to its end, and nothing of it kept."""


def is_whole(file: Path) -> bool:
    """Whether a file is there and is a whole JSON object."""
    try:
        msgspec.json.decode(file.read_bytes() if file.is_file() else b"", type=_Anything)
    except (OSError, *UNREADABLE):
        return False
    return True
