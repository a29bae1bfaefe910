"""The code in manifest.json: what decides whether a node would be built the same again. Pure."""

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

import msgspec
import yaml

from headless_dbt.artifacts import UNREADABLE
from headless_dbt.errors import RunFolderError

# Materializations of dbt itself that leave a relation in the warehouse.
_LASTING = frozenset({"table", "view", "incremental", "materialized_view", "snapshot", "seed"})
# What dbt_project.yml says of the project's code that manifest.json does not.
_PROJECT_WIDE = ("vars", "dispatch", "quoting")

# Database, schema, identifier.
Relation = tuple[str | None, str | None, str | None]


class _Dependencies(msgspec.Struct):
    macros: list[str] = []
    nodes: list[str] = []


class _Macro(msgspec.Struct):
    macro_sql: str = ""
    depends_on: _Dependencies = msgspec.field(default_factory=_Dependencies)


class _Source(msgspec.Struct):
    relation_name: str | None = None


class _Code(msgspec.Struct):
    checksum: Any = None
    raw_code: str | None = None
    config: dict[str, Any] = {}
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
    def contract(self) -> Any:
        """What an enforced contract makes of the columns; a description alone changes nothing."""
        enforced = (self.config.get("contract") or {}).get("enforced")
        return [self.columns, self.constraints] if enforced else None


class CodeManifest(msgspec.Struct):
    """manifest.json, as far as it says what would be built."""

    nodes: dict[str, _Code] = {}
    unit_tests: dict[str, _Code] = {}
    functions: dict[str, _Code] = {}
    sources: dict[str, _Source] = {}
    macros: dict[str, _Macro] = {}

    def fingerprint(self, unique_id: str) -> str:
        """What identifies the code of a node, that of the ephemeral models in it too; empty where there is no node."""
        codes = self._with_inlined(unique_id)
        macros = sorted(self._macros_of(codes.values()))
        parts = [
            *([name, self._parts(code)] for name, code in sorted(codes.items())),
            *([name, self.macros[name].macro_sql] for name in macros if name in self.macros),
        ]
        return sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest() if codes else ""

    def parents(self, unique_id: str) -> list[str]:
        """The unique ids that a node depends on."""
        code = self._code(unique_id)
        return code.depends_on.nodes if code else []

    def is_ephemeral(self, unique_id: str) -> bool:
        """Whether a node is only ever a part of others, so that no run has a result for it."""
        code = self._code(unique_id)
        return code is not None and code.config.get("materialized") == "ephemeral"

    def relations(self, unique_ids: Iterable[str]) -> dict[str, Relation]:
        """Where these nodes, as far as they leave a relation in the warehouse, left it: unique_id to relation."""
        codes = {unique_id: self.nodes[unique_id] for unique_id in unique_ids if unique_id in self.nodes}
        return {
            unique_id: (code.database, code.schema, code.alias)
            for unique_id, code in codes.items()
            if code.relation_name and code.config.get("materialized") in _LASTING
        }

    def _code(self, unique_id: str) -> _Code | None:
        return self.nodes.get(unique_id) or self.unit_tests.get(unique_id) or self.functions.get(unique_id)

    def _parts(self, code: _Code) -> list[Any]:
        sources = self.sources
        return [
            code.checksum,
            code.raw_code,
            code.config,
            code.contract,
            code.test_metadata,
            code.given,
            code.expect,
            code.overrides,
            code.relation_name,
            [[name, sources[name].relation_name if name in sources else ""] for name in code.depends_on.nodes],
        ]

    def _with_inlined(self, unique_id: str) -> Mapping[str, _Code]:
        found: dict[str, _Code] = {}
        waiting = [unique_id]
        while waiting:
            name = waiting.pop()
            code = self._code(name)
            if code is not None and name not in found:
                found[name] = code
                waiting.extend(parent for parent in code.depends_on.nodes if self.is_ephemeral(parent))
        return found

    def _macros_of(self, codes: Iterable[_Code]) -> set[str]:
        found: set[str] = set()
        waiting = [name for code in codes for name in code.depends_on.macros]
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting.extend(self.macros[name].depends_on.macros if name in self.macros else ())
        return found


def read_code(content: bytes) -> CodeManifest:
    """The code in a manifest.json. Raises RunFolderError."""
    try:
        return msgspec.json.decode(content, type=CodeManifest)
    except UNREADABLE as error:
        raise RunFolderError(f"manifest.json of the earlier run is not readable: {error}.") from None


def project_fingerprint(dbt_project: str) -> str:
    """What identifies the variables and the like of a dbt_project.yml; empty where it cannot be read."""
    try:
        project = yaml.safe_load(dbt_project)
        said = {name: project.get(name) for name in _PROJECT_WIDE}
    except (yaml.YAMLError, ValueError, AttributeError, RecursionError):
        return ""
    return sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()[:16]
