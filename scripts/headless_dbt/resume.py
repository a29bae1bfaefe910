"""What of an earlier run may be taken over, and what is to be built. Pure.

A node is taken over when it passed then and its code is the same now: its own SQL or CSV, its config, and the macros
that it uses, also through others. One changed node among them, and everything is built: what was built from it then is
not what would be built from it now.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import msgspec

from headless_dbt.artifacts import UNREADABLE
from headless_dbt.errors import RunFolderError
from headless_dbt.model import Outcome, Request, outcome_of

# What must be the same in both requests; a full refresh is not half a one.
_SAME_INPUTS = ("project-dir", "target", "vars", "full-refresh", "dbt-args")


class _Dependencies(msgspec.Struct):
    macros: list[str] = []


class _Macro(msgspec.Struct):
    macro_sql: str = ""
    depends_on: _Dependencies = msgspec.field(default_factory=_Dependencies)


class _Code(msgspec.Struct):
    checksum: Any = None
    raw_code: str | None = None
    config: Any = None
    given: Any = None
    expect: Any = None
    depends_on: _Dependencies = msgspec.field(default_factory=_Dependencies)


class CodeManifest(msgspec.Struct):
    """The code in manifest.json: what decides whether a node would be built the same again."""

    nodes: dict[str, _Code] = {}
    unit_tests: dict[str, _Code] = {}
    macros: dict[str, _Macro] = {}

    def fingerprint(self, unique_id: str) -> str:
        """What identifies the code of a node; empty where there is no such node."""
        code = self.nodes.get(unique_id) or self.unit_tests.get(unique_id)
        if code is None:
            return ""
        macros = sorted(self._macros_of(code))
        parts = [
            code.checksum,
            code.raw_code,
            code.config,
            code.given,
            code.expect,
            [[name, self.macros[name].macro_sql] for name in macros if name in self.macros],
        ]
        return sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()

    def _macros_of(self, code: _Code) -> set[str]:
        found: set[str] = set()
        waiting = list(code.depends_on.macros)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting.extend(self.macros[name].depends_on.macros if name in self.macros else ())
        return found


@dataclass(frozen=True)
class Earlier:
    """An earlier run: what it was asked for, its results as in run_results.json, and its code."""

    name: str
    request: Request
    entries: tuple[Mapping[str, Any], ...]
    code: CodeManifest


@dataclass(frozen=True)
class Takeover:
    """``taken`` are the results that are taken over; without any, ``reason`` says why everything is built."""

    taken: tuple[Mapping[str, Any], ...]
    reason: str = ""


def read_code(content: bytes) -> CodeManifest:
    """The code in a manifest.json. Raises RunFolderError."""
    try:
        return msgspec.json.decode(content, type=CodeManifest)
    except UNREADABLE as error:
        raise RunFolderError(f"manifest.json of the earlier run is not readable: {error}.") from None


def take_over(earlier: Earlier, request: Request, code: CodeManifest, selected: Iterable[str]) -> Takeover:
    """Decide what of the earlier run stands."""
    for name in _SAME_INPUTS:
        before, now = earlier.request.inputs.get(name, ""), request.inputs.get(name, "")
        if before != now:
            return Takeover((), f"the input `{name}` was {before!r} then and is {now!r} now")
    wanted = set(selected)
    passed = [
        entry
        for entry in earlier.entries
        if entry["unique_id"] in wanted and outcome_of(entry["status"]) in (Outcome.PASSED, Outcome.WARNED)
    ]
    if not passed:
        return Takeover((), "nothing that is selected passed in it")
    for entry in passed:
        unique_id = entry["unique_id"]
        if earlier.code.fingerprint(unique_id) != code.fingerprint(unique_id):
            return Takeover((), f"the code of {unique_id} has changed since")
    return Takeover(tuple(passed))
