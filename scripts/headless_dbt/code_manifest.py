"""The code in manifest.json: what decides whether a node would be built the same again. Pure.

Only the manifest of a parse can be compared with another one: a build writes the macros that a node called beside
those that its code names.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import Any

import msgspec

from headless_dbt.artifacts import UNREADABLE, Metadata
from headless_dbt.errors import RunFolderError
from headless_dbt.lineage import reachable

# These leave no relation in the warehouse.
_NO_RELATION = frozenset({"ephemeral", "test", "unit", "raw", "analysis"})

# Database, schema, identifier.
Relation = tuple[str | None, str | None, str | None]
# From the file of a node, relative to its project, to what identifies its content.
Checksum = Callable[[str], str]


class Code(msgspec.Struct, frozen=True):
    """The code of a run: code.json. ``nodes`` is the fingerprint of each node by its unique_id.

    ``surroundings`` identify all that is not of one node: the connection, variables, environment variables that the
    project reads, and macros that change dbt's own. ``hooks`` are the unique ids of the project's hooks.
    """

    surroundings: str = ""
    nodes: dict[str, str] = {}
    hooks: tuple[str, ...] = ()


class _Dependencies(msgspec.Struct):
    macros: list[str] = []
    nodes: list[str] = []


class _Macro(msgspec.Struct):
    name: str = ""
    package_name: str = ""
    macro_sql: str = ""
    depends_on: _Dependencies = msgspec.field(default_factory=_Dependencies)


class _Source(msgspec.Struct):
    relation_name: str | None = None


class _Node(msgspec.Struct):
    resource_type: str = ""
    package_name: str = ""
    original_file_path: str = ""
    checksum: Any = None
    raw_code: str | None = None
    config: dict[str, Any] = {}
    description: Any = None
    columns: Any = None
    constraints: Any = None
    test_metadata: Any = None
    given: Any = None
    expect: Any = None
    overrides: Any = None
    relation_name: str | None = None
    database: str | None = None
    schema: str | None = None
    alias: str | None = None
    depends_on: _Dependencies = msgspec.field(default_factory=_Dependencies)

    @property
    def written_with(self) -> Any:
        """What an enforced contract and persisted docs make of the columns; else they change nothing."""
        enforced = (self.config.get("contract") or {}).get("enforced")
        persisted = any((self.config.get("persist_docs") or {}).values())
        return [
            [self.columns, self.constraints] if enforced else None,
            [self.description, self.columns] if persisted else None,
        ]

    @property
    def has_path_for_checksum(self) -> bool:
        """Whether dbt took the content for too large, and the path in place of it."""
        return isinstance(self.checksum, dict) and self.checksum.get("name") == "path"


class CodeManifest(msgspec.Struct):
    """manifest.json, as far as it says what would be built."""

    metadata: Metadata = msgspec.field(default_factory=Metadata)
    nodes: dict[str, _Node] = {}
    unit_tests: dict[str, _Node] = {}
    functions: dict[str, _Node] = {}
    sources: dict[str, _Source] = {}
    macros: dict[str, _Macro] = {}

    def code(self, selected: Iterable[str], surroundings: Iterable[str], checksum: Checksum) -> Code:
        """The code of what is selected. ``surroundings`` is what dbt itself says of them."""
        of_macros = _MacroFingerprints(self.macros)
        return Code(
            surroundings=_hashed([*surroundings, *self._changes_of_dbt()]),
            nodes={name: self._fingerprint(name, checksum, of_macros) for name in selected},
            hooks=tuple(sorted(name for name, node in self.nodes.items() if node.resource_type == "operation")),
        )

    def _fingerprint(self, unique_id: str, checksum: Checksum, of_macros: "_MacroFingerprints") -> str:
        """What identifies the code of a node, that of the ephemeral models in it too; empty where there is no node."""
        nodes = self._with_inlined(unique_id)
        parts = [[name, self._parts(node, checksum)] for name, node in sorted(nodes.items())]
        macros = [of_macros.of(node.depends_on.macros) for _, node in sorted(nodes.items())]
        return _hashed([parts, macros]) if nodes else ""

    def parents(self, unique_id: str) -> list[str]:
        """The unique ids that a node depends on."""
        node = self._node(unique_id)
        return node.depends_on.nodes if node else []

    def is_ephemeral(self, unique_id: str) -> bool:
        """Whether a node is only ever a part of others, so that no run has a result for it."""
        node = self._node(unique_id)
        return node is not None and node.config.get("materialized") == "ephemeral"

    def relations(self, unique_ids: Iterable[str]) -> dict[str, Relation]:
        """Where these nodes, as far as they leave a relation in the warehouse, left it: unique_id to relation."""
        nodes = {unique_id: self.nodes[unique_id] for unique_id in unique_ids if unique_id in self.nodes}
        return {
            unique_id: (node.database, node.schema, node.alias)
            for unique_id, node in nodes.items()
            if node.relation_name and node.config.get("materialized") not in _NO_RELATION
        }

    def _node(self, unique_id: str) -> _Node | None:
        return self.nodes.get(unique_id) or self.unit_tests.get(unique_id) or self.functions.get(unique_id)

    def _parts(self, node: _Node, checksum: Checksum) -> list[Any]:
        sources = self.sources
        return [
            checksum(node.original_file_path) if node.has_path_for_checksum else node.checksum,
            node.raw_code,
            node.config,
            node.written_with,
            node.test_metadata,
            node.given,
            node.expect,
            node.overrides,
            node.relation_name,
            [[name, sources[name].relation_name if name in sources else ""] for name in node.depends_on.nodes],
        ]

    def _with_inlined(self, unique_id: str) -> Mapping[str, _Node]:
        found: dict[str, _Node] = {}
        waiting = [unique_id]
        while waiting:
            name = waiting.pop()
            node = self._node(name)
            if node is not None and name not in found:
                found[name] = node
                waiting.extend(parent for parent in node.depends_on.nodes if self.is_ephemeral(parent))
        return found

    def _changes_of_dbt(self) -> list[list[str]]:
        """The macros that take the place of dbt's own: a materialization calls them, and no node names them."""
        adapter = self.metadata.adapter
        own = {name: macro for name, macro in self.macros.items() if not _is_dbts(macro.package_name, adapter)}
        dbts = {_bare(macro.name) for macro in self.macros.values() if _is_dbts(macro.package_name, adapter)}
        return sorted(
            [name, macro.macro_sql]
            for name, macro in own.items()
            if _bare(macro.name) in dbts or macro.name.startswith("materialization_")
        )


class _MacroFingerprints:
    """What identifies the text of macros and of all that they call; many nodes call the same."""

    def __init__(self, macros: Mapping[str, _Macro]) -> None:
        self._macros = macros
        self._calls = {name: macro.depends_on.macros for name, macro in macros.items()}
        self._texts: dict[str, str] = {}
        self._known: dict[tuple[str, ...], str] = {}

    def of(self, names: Iterable[str]) -> str:
        """The fingerprint of these macros, in whichever order."""
        key = tuple(sorted(set(names)))
        if key not in self._known:
            every = sorted({*key, *reachable(self._calls, key)} & self._macros.keys())
            self._known[key] = _hashed([[name, self._text(name)] for name in every])
        return self._known[key]

    def _text(self, name: str) -> str:
        if name not in self._texts:
            self._texts[name] = sha256(self._macros[name].macro_sql.encode("utf-8", "replace")).hexdigest()
        return self._texts[name]


def read_code_manifest(content: bytes) -> CodeManifest:
    """The code in a manifest.json. Raises RunFolderError."""
    try:
        return msgspec.json.decode(content, type=CodeManifest)
    except UNREADABLE as error:
        raise RunFolderError(f"manifest.json is not readable: {error}.") from None


def _is_dbts(package: str, adapter: str) -> bool:
    # An adapter may build on another one's package.
    return package in ("dbt", f"dbt_{adapter}", "dbt_postgres", "dbt_spark", "dbt_fabric")


def _bare(name: str) -> str:
    """The name of a macro without the adapter that it is for: ``duckdb__create_view_as`` is ``create_view_as``."""
    return name.partition("__")[2] or name


def _hashed(parts: list[Any]) -> str:
    return sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()
