"""The supervisor: drives one dbt session through the commands of a run, and records what it sees.

It judges nothing but this: which command failed, which says whose fault it is (blame.py). A build may take several
attempts (attempts.py).
"""

import json
import math
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from headless_dbt.artifacts import Manifest, Metadata, is_whole, read_manifest
from headless_dbt.attempts import Attempts, Build, write_results
from headless_dbt.blame import (
    dbt_unusable,
    parse_error,
    selection_error,
    selection_of,
)
from headless_dbt.checks import check_error, line_of, read_checks
from headless_dbt.code_manifest import CodeManifest
from headless_dbt.code_record import record_code
from headless_dbt.console import Console
from headless_dbt.continuation import Continuation
from headless_dbt.dbt_commands import DbtCommands, is_built
from headless_dbt.earlier_runs import EarlierRun
from headless_dbt.errors import DbtUnusableError
from headless_dbt.job_options import job_options
from headless_dbt.kept_parse import KeptParse
from headless_dbt.merged_results import downstream, skipped_entries
from headless_dbt.model import Installation
from headless_dbt.parse_inputs import parse_inputs
from headless_dbt.python_models import NAMING_PACKAGES
from headless_dbt.recorded_commands import RecordedCommands
from headless_dbt.recorder import Recorder
from headless_dbt.session_process import SessionEndedError, SessionProcess
from headless_dbt.session_protocol import Reply, SessionOptions
from headless_dbt.settings import RunSettings
from headless_dbt.source_freshness import add_failed_checks, stale_sources
from headless_dbt.transient import transient_cause

# `dbt deps` takes seconds when it works.
DEPS_SECONDS = 300.0
DEPS_TRIES = 3
CHECK_SECONDS = 8.0


class PackagesHungError(DbtUnusableError):
    """`dbt deps` did not end; its process has to go before another try."""


@dataclass(frozen=True)
class Memory:
    """What earlier runs have left.

    ``earlier`` is the run to continue. ``times`` are seconds of nodes, by which they are ordered; None leaves dbt its
    own order. ``parse`` is what dbt remembers of its last parse, and where this one's is kept; None keeps nothing.
    ``bytecode`` is the archive that dbt is imported with, if it is there.
    """

    earlier: EarlierRun | None = None
    times: Mapping[str, float] | None = None
    parse: KeptParse | None = None
    bytecode: Path | None = None


def run_dbt(  # noqa: PLR0913  Each is a collaborator of its own.
    python: Path,
    settings: RunSettings,
    environment: Mapping[str, str],
    requested: tuple[str, ...],
    memory: Memory,
    *,
    recorder: Recorder,
    console: Console,
) -> None:
    """Run all dbt commands of the request in one session. Raises HeadlessDbtError."""
    folder = recorder.folder
    first = folder.attempt(1)
    first.mkdir(parents=True)
    commands = DbtCommands(settings, folder.path, first, console.colors)
    context = folder.read_request().context
    jobs = job_options(context, settings.target, settings.cost_limit, settings.cost_per_tib, folder.jobs)
    docs = settings.docs and not settings.check
    options = SessionOptions(jobs, docs=docs, bytecode=str(memory.bytecode or ""))
    deadline = time.monotonic() + settings.time_limit * 60 if settings.time_limit else math.inf
    for tries_left in reversed(range(DEPS_TRIES)):
        try:
            with SessionProcess(
                python,
                settings.project_dir,
                environment,
                console.show_log,
                options,
                deadline,
            ) as session:
                dbt = RecordedCommands(session, settings, recorder, console)
                conversation = _Conversation(
                    session, dbt, settings, commands, memory, recorder, console, deadline, environment
                )
                return conversation.hold(requested)
        except SessionEndedError as ended:
            raise DbtUnusableError(str(ended)) from None
        except PackagesHungError as hung:
            if not tries_left:
                raise
            console.warning(f"{hung} Trying again.")
    return None


@dataclass(frozen=True)
class _Conversation:
    """The commands of a run, one after the other, in one session."""

    session: SessionProcess
    dbt: RecordedCommands
    settings: RunSettings
    commands: DbtCommands
    memory: Memory
    recorder: Recorder
    console: Console
    deadline: float
    environment: Mapping[str, str]

    def hold(self, requested: tuple[str, ...]) -> None:
        self.recorder.note(session=self.session.pid)
        self._meet(requested)
        if any((self.settings.project_dir / file).is_file() for file in NAMING_PACKAGES):
            self._install_packages()
        parsed = self._parse()
        self._keep_manifest()
        if self.settings.cost_limit and self._adapter != "bigquery":
            self.console.warning("`cost-limit` is without effect: only BigQuery says what a query costs.")
        replace(self, commands=self._within_the_profile()).build_all(parsed)

    def _parse(self) -> Reply:
        """Read the project, with what dbt remembers of an earlier parse of the same."""
        kept, secrets, target_path = self.memory.parse, self.recorder.secrets, self.commands.target_path
        inputs = parse_inputs(self.settings, self.environment, secrets) if kept else ""
        if kept:
            kept.lend(target_path, inputs)
        parsed = self.dbt.require("parse", self.commands.parse(), lambda problem: parse_error(self.settings, problem))
        if kept and not kept.keep(target_path, inputs, secrets):
            self.console.say(
                "The next run parses from nothing: a secret, or a value of `dbt-env`, stands in the parse."
            )
        return parsed

    def _within_the_profile(self) -> DbtCommands:
        """The commands with no more threads than the profile has: it says how many connections the warehouse bears."""
        wanted = self.settings.threads
        if wanted is None:
            return self.commands
        asked = self.dbt.require(
            "compile", self.commands.profile_threads(), dbt_unusable("Reading the profile's threads")
        )
        most = next((int(line) for line in asked.lines if line.strip().isdecimal()), wanted)
        if wanted <= most:
            return self.commands
        self.console.warning(f"`threads` is {wanted}, and the profile allows {most}: {most} are used.")
        return replace(self.commands, settings=replace(self.settings, threads=most))

    def build_all(self, parsed: Reply) -> None:
        sources = self._select()
        if self.settings.check:
            return self._check(sources)
        if self.memory.times is not None:
            self._schedule(self.memory.times)
        manifest = self.commands.target_path / "manifest.json"
        selected, project_dir = self.recorder.record.selected or (), self.settings.project_dir
        code = record_code(self.recorder.folder, manifest, project_dir, selected, parsed.lines)
        stale = self._stale(sources) if self.settings.source_freshness and sources else ()
        attempts = Attempts(self.dbt, self.commands, self.recorder, self.console, self.deadline, self._manifest)
        attempts.build_until_settled(self._resumed(code, attempts) or self._build_without(stale, attempts))
        if self.settings.docs:
            self._docs()
        return None

    def _build_without(self, stale: Sequence[str], attempts: Attempts) -> Build:
        """The build of all that is selected but what stale sources feed."""
        settings = self.settings
        by_default = not (settings.select or settings.exclude) and (settings.project_dir / "selectors.yml").is_file()
        if not stale or not (settings.selector or by_default):
            return lambda commands: commands.build(without=stale)
        # Beside a selector dbt takes no --exclude, and for one it forgets the default of selectors.yml.
        known = self._manifest().every()
        pending = frozenset(self.recorder.record.selected or ()) - downstream(stale, known.values()).keys()
        return attempts.build_of(skipped_entries(sorted(pending), known), pending)

    def _schedule(self, times: Mapping[str, float]) -> None:
        """Order by the critical path, where there are times, and a dbt that lets itself be ordered."""
        if not times:
            self.console.say("`schedule: critical-path` needs the times of an earlier run; this one keeps dbt's order.")
            return
        reply = self.session.schedule(times)
        if reply.exception is not None:
            reason = f"{reply.exception.type}: {reply.exception.message}"
            self.console.warning(f"`schedule: critical-path` cannot be had from this dbt ({reason}): its order stays.")

    def _check(self, sources: Sequence[str]) -> None:
        """Try the warehouse in place of building."""
        with self.console.group("Checks"):
            reply = self.session.check(self.recorder.record.selected or (), sources, CHECK_SECONDS)
            if reply.exception is not None:
                raise DbtUnusableError(f"The warehouse could not be tried: {reply.exception.message}")
            self.recorder.note(checks=read_checks(reply.lines, self._adapter))
            for check in self.recorder.record.checks:  # Their messages are clean on record.
                self.console.say(line_of(check))
        if error := check_error(self.recorder.record.checks):
            raise error

    def _keep_manifest(self) -> None:
        """Copy what the parse wrote: the build writes it anew, and may be ended in the middle of that."""
        manifest = self.commands.target_path / "manifest.json"
        if manifest.is_file():
            self.recorder.folder.write(manifest.name, manifest.read_bytes())

    def _install_packages(self) -> None:
        """Run `dbt deps`, which is known to hang: https://github.com/dbt-labs/dbt-core/issues/3177."""
        for tries_left in reversed(range(DEPS_TRIES)):
            try:
                self.dbt.require("deps", self.commands.deps(), dbt_unusable("dbt deps"), timeout=DEPS_SECONDS)
            except TimeoutError:
                raise PackagesHungError(f"dbt deps did not end within {DEPS_SECONDS} s.") from None
            except DbtUnusableError as error:
                if not tries_left or not transient_cause("", "error", str(error)):
                    raise
                self.console.warning(f"{error} Trying again.")
            else:
                return

    def _resumed(self, code: CodeManifest, attempts: Attempts) -> Build | None:
        """The build of what an earlier run left, or None where everything is to be built."""
        if self.memory.earlier is None:
            return None
        commands = replace(self.commands, target_path=attempts.state)
        continuation = Continuation(self.dbt, commands, self.recorder, self.console)
        left = continuation.of(self.memory.earlier, code, self._manifest())
        if left is None:
            return None
        before_the_first = self.recorder.folder.attempt(0)
        before_the_first.mkdir(parents=True)
        write_results(before_the_first, left.taken)
        return attempts.build_of(left.entries, left.pending)

    @property
    def _adapter(self) -> str:
        return self._manifest().metadata.adapter

    def _manifest(self) -> Manifest:
        """What the parse wrote."""
        return read_manifest(self.commands.target_path / "manifest.json") or Manifest(Metadata())

    def _meet(self, requested: tuple[str, ...]) -> None:
        hello = self.session.hello()
        installation = Installation(requested=requested, installed=hello.installed, python=hello.python)
        self.recorder.note(installation=installation)
        versions = ", ".join(f"{name} {version}" for name, version in hello.installed.items())
        self.console.say(f"Asked for: {', '.join(requested)}")
        self.console.say(f"Installed: {versions or 'no dbt'}; Python {hello.python}")
        if hello.exception is not None:
            raise DbtUnusableError(
                f"dbt cannot be imported by its interpreter: {hello.exception.message}. "
                "`requirements` and --dbt-python must bring dbt-core and an adapter, or dbt 2; else the lock does."
            )

    def _select(self) -> tuple[str, ...]:
        """Record the nodes that the build is to build; return the sources that they read."""
        reply = self.dbt.require(
            "list", self.commands.list_selected(), lambda problem: selection_error(self.settings, problem)
        )
        listed = tuple(json.loads(line)["unique_id"] for line in reply.lines)
        selected = tuple(unique_id for unique_id in listed if is_built(unique_id))
        self.recorder.note(selected=selected)
        if not selected:
            self.console.warning(f"Nothing is selected: {selection_of(self.settings)} matches no node to build.")
        known = self._manifest().every()
        read = {
            parent
            for unique_id in selected
            if unique_id in known
            for parent in known[unique_id].depends_on.nodes
            if parent.startswith("source.")
        }
        return tuple(sorted(read | {unique_id for unique_id in listed if unique_id.startswith("source.")}))

    def _stale(self, sources: Iterable[str]) -> tuple[str, ...]:
        """The sources whose branch the build leaves out, because their data is too old."""
        reply = self.dbt.invoke(
            "source freshness",
            self.commands.source_freshness(sources),
            lambda problem: DbtUnusableError(f"The freshness of sources could not be checked: {problem.message}"),
        )
        file = self.commands.target_path / "sources.json"
        if not reply.success:
            add_failed_checks(file, self.recorder.folder.journal)
        stale = stale_sources(file)
        self.recorder.note(stale_sources=stale)
        return stale

    def _compiled_all(self) -> Path | None:
        """The manifest of the last build, if every node was built in this session, so that none has to be compiled."""
        selected = set(self.recorder.record.selected or ())
        manifest = self.recorder.folder.attempts()[-1] / "manifest.json"
        every = {unique_id for unique_id in self._manifest().every() if is_built(unique_id)}
        return manifest if self.memory.earlier is None and every <= selected and is_whole(manifest) else None

    def _docs(self) -> None:
        folder = self.recorder.folder
        target_path = folder.path / "docs"
        target_path.mkdir(exist_ok=True)
        compiled = self._compiled_all()
        if compiled is not None:
            shutil.copyfile(compiled, target_path / compiled.name)
        reply = self.dbt.call("docs generate", self.commands.docs(target_path, compiled=compiled is not None))
        if not reply.success or reply.exception is not None:
            reason = reply.exception.message if reply.exception else "see the log"
            what = "The docs have no page" if reply.success else "The docs could not be generated"
            self.console.warning(f"{what}: {reason}")
        folder.keep_docs(target_path)
