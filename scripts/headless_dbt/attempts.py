"""The attempts of a build: what failed for causes that pass is built again, as often as `retries` allows.

What may pass is told by retrying.py; each attempt writes into a folder of its own, and final_artifacts.py merges them.
"""

import json
import random
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from headless_dbt.artifacts import Manifest
from headless_dbt.blame import build_error
from headless_dbt.console import Console
from headless_dbt.dbt_commands import DbtCommands
from headless_dbt.errors import DbtUnusableError, HeadlessDbtError, TimeLimitError
from headless_dbt.final_artifacts import merge_folder
from headless_dbt.journal import read_journal
from headless_dbt.merged_results import downstream, run_results_document
from headless_dbt.model import Attempt
from headless_dbt.recorded_commands import RecordedCommands
from headless_dbt.recorder import Recorder, now
from headless_dbt.resume import hook_carrier
from headless_dbt.retrying import delay_before, retry_causes, state_for, still_to_build
from headless_dbt.session_protocol import SessionException
from headless_dbt.transient import transient_cause

# The argument list of a build, for the commands of one attempt: each writes into a folder of its own.
Build = Callable[[DbtCommands], list[str]]


@dataclass(frozen=True)
class Attempts:
    """Builds in one session. ``commands`` are those of the first; ``manifest`` reads what the parse wrote."""

    dbt: RecordedCommands
    commands: DbtCommands
    recorder: Recorder
    console: Console
    deadline: float
    manifest: Callable[[], Manifest]

    @property
    def state(self) -> Path:
        """The folder of the results that the next build selects by."""
        return self.recorder.folder.path / "state"

    def build_until_settled(self, build: Build) -> None:
        """Build, and build again what failed for causes that pass, as often as `retries` allows."""
        commands, delay = self.commands, 0.0
        for number in range(1, self.commands.settings.retries + 2):
            last = number > self.commands.settings.retries
            causes, rest = self._attempt(number, delay, build(commands), last=last)
            if not causes or last:
                break
            delay = delay_before(number + 1, self.commands.settings.retry_delay, random.random())  # noqa: S311
            self.console.warning(
                f"Attempt {number} failed for causes that may pass ({', '.join(causes)}). "
                f"Attempt {number + 1} begins in {delay:.0f} s."
            )
            self._wait(delay)
            commands = replace(self.commands, target_path=self.recorder.folder.attempt(number + 1))
            commands.target_path.mkdir(parents=True)
            build = rest or build
        shutil.rmtree(self.state, ignore_errors=True)

    def build_of(self, entries: Sequence[Mapping[str, Any]], pending: frozenset[str]) -> Build:
        """The build of what is pending, which dbt selects by the results that are written for it."""
        self.state.mkdir(exist_ok=True)
        write_results(self.state, state_for(entries, pending))
        return lambda commands: commands.build_again(self.state)

    def _attempt(
        self, number: int, delay: float, argv: Sequence[str], *, last: bool
    ) -> tuple[tuple[str, ...], Build | None]:
        """Build once; return why it may be tried again, and the build of the rest: None is the same again."""
        began = time.monotonic()
        before = self.recorder.record.attempts
        self.recorder.note(attempts=(*before, Attempt(number=number, delay=round(delay, 3))))
        causes: tuple[str, ...] = ()
        rest: Build | None = None
        try:
            if not self.dbt.invoke("build", argv, self._build_error).success:
                causes, rest = self._rest(last=last)
        except DbtUnusableError as error:
            cause = transient_cause(self.manifest().metadata.adapter, "error", str(error))
            if cause is None or last:
                raise
            causes = (cause,)
        finally:
            elapsed = round(time.monotonic() - began, 3)
            attempt = Attempt(number=number, delay=round(delay, 3), elapsed=elapsed, causes=causes)
            self.recorder.note(attempts=(*before, attempt))
        return causes, rest

    def _rest(self, *, last: bool) -> tuple[tuple[str, ...], Build | None]:
        """Why what failed may be built again, and, unless this was the ``last`` time, the build of it."""
        manifest = self.manifest()
        entries = merge_folder(self.recorder.folder, self.recorder.record)
        causes = retry_causes(manifest.metadata.adapter, entries)
        if not causes or last:
            return causes, None
        # What a stale source feeds stays left out.
        stale = downstream(self.recorder.record.stale_sources, manifest.every().values()).keys()
        pending = still_to_build(entries) - stale
        if not pending and (carrier := hook_carrier(entry["unique_id"] for entry in entries)):
            pending = frozenset({carrier})  # What failed is a hook.
        return (causes, self.build_of(entries, pending)) if pending else ((), None)

    def _wait(self, seconds: float) -> None:
        if time.monotonic() + seconds >= self.deadline:
            raise TimeLimitError("`time-limit` would be over before another attempt. Raise it, or lower `retry-delay`.")
        time.sleep(seconds)

    def _build_error(self, problem: SessionException) -> HeadlessDbtError:
        builds = read_journal(self.recorder.folder.journal)
        return build_error(self.commands.settings, problem, begun=bool(builds and builds[-1].started))


def write_results(folder: Path, entries: Iterable[Mapping[str, Any]]) -> None:
    """Write results for dbt to select by, or to be merged with those of the attempts."""
    document = run_results_document(
        [dict(entry) for entry in entries], {}, dbt_version="", generated_at=now(), elapsed=0
    )
    (folder / "run_results.json").write_text(json.dumps(document), "utf-8")
