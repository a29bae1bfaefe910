"""A run that continues an earlier one: what of that stands, by its code and in the warehouse, and what is left."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from headless_dbt.artifacts import Manifest
from headless_dbt.blame import dbt_unusable
from headless_dbt.code_manifest import CodeManifest
from headless_dbt.console import Console
from headless_dbt.dbt_commands import DbtCommands
from headless_dbt.earlier_runs import EarlierRun, takeover_from
from headless_dbt.errors import DbtUnusableError
from headless_dbt.merged_results import downstream, skipped_entries
from headless_dbt.model import Continued
from headless_dbt.recorded_commands import RecordedCommands
from headless_dbt.recorder import Recorder
from headless_dbt.resume import Takeover, hook_carrier


@dataclass(frozen=True)
class Left:
    """What an earlier run has left: the results that are ``taken``, all ``entries``, and the ids still ``pending``."""

    taken: tuple[Mapping[str, Any], ...]
    entries: tuple[Mapping[str, Any], ...]
    pending: frozenset[str]


@dataclass(frozen=True)
class Continuation:
    """Asks the warehouse, by ``commands`` that write into a folder of their own, and puts on record what is taken."""

    dbt: RecordedCommands
    commands: DbtCommands
    recorder: Recorder
    console: Console

    def of(self, earlier: EarlierRun, code: CodeManifest, manifest: Manifest) -> Left | None:
        """What is left of this run, or None where everything is to be built."""
        record = self.recorder.record
        selected, name = record.selected or (), earlier.run
        takeover = self._takeover(earlier, code, selected)
        self.recorder.note(
            continued=Continued(run=name, url=earlier.url, taken=len(takeover.taken), reason=takeover.reason)
        )
        if not takeover.taken:
            self.console.warning(f"Everything is built, nothing is taken over from {name}: {takeover.reason}.")
            return None
        self.console.say(f"Taken over from {name}: {len(takeover.taken)} of {len(selected)} nodes.")
        taken = {entry["unique_id"] for entry in takeover.taken}
        known = manifest.every()
        left_out = taken | downstream(record.stale_sources, known.values()).keys()
        pending = [unique_id for unique_id in selected if unique_id not in left_out]
        if takeover.with_hooks and all(known[name].config.materialized == "ephemeral" for name in pending):
            pending = [*pending, *filter(None, [hook_carrier(taken)])]
        entries = (*takeover.taken, *skipped_entries(pending, known))
        return Left(tuple(takeover.taken), entries, frozenset(pending))

    def _takeover(self, earlier: EarlierRun, code: CodeManifest, selected: tuple[str, ...]) -> Takeover:
        """What of the earlier run stands: by its code, and in the warehouse."""
        folder = self.recorder.folder
        takeover = takeover_from(earlier, folder.read_request(), folder.read_code(), code, selected)
        try:
            gone = self._gone(code, [entry["unique_id"] for entry in takeover.taken]) if takeover.taken else ""
        except DbtUnusableError as error:
            return Takeover((), str(error).rstrip("."))
        if gone:
            return Takeover((), f"{gone} is not in the warehouse any more")
        return takeover

    def _gone(self, code: CodeManifest, unique_ids: Iterable[str]) -> str:
        """The first of these nodes whose relation the warehouse does not have; an empty text where it has all."""
        relations = code.relations(unique_ids)
        argv = self.commands.missing_relations(tuple(relations.values()))
        reply = self.dbt.require("compile", argv, dbt_unusable("Asking the warehouse for its relations"))
        missing = [int(position) for line in reply.lines for position in line.split(",") if position.strip()]
        return [*relations][missing[0]] if missing else ""
