"""The supervisor: drives one dbt session through the commands of a run, and records what it sees.

It judges nothing but this: which of the phases failed. The phase says whose fault it is. What fails in
``parse`` is the project; in ``list``, after a good parse, the selection; in ``build`` before any node, the
connection; after that, nodes.
"""

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from headless_dbt.artifacts import read_manifest, read_sources
from headless_dbt.console import Console
from headless_dbt.dbt_commands import DbtCommands, is_built
from headless_dbt.errors import DbtUnusableError, HeadlessDbtError, RequestError
from headless_dbt.inputs import shown
from headless_dbt.journal import read_journal
from headless_dbt.model import Command, Installation, Outcome, Problem, outcome_of
from headless_dbt.run_folder import RunFolder, SessionRecord
from headless_dbt.session_process import Reply, SessionEndedError, SessionException, SessionProcess
from headless_dbt.settings import RunSettings

PROJECT_DEPENDENCIES = ("packages.yml", "dependencies.yml")


class BuildEndedError(HeadlessDbtError):
    """dbt broke off after some nodes had run."""

    exit_code = 1
    title = "dbt broke off"


@dataclass
class Recorder:
    """The record of a run, written to its folder whenever it changes."""

    folder: RunFolder
    clock: Callable[[], float] = time.monotonic
    record: SessionRecord = field(init=False)

    def __post_init__(self) -> None:
        """Begin the record."""
        self._began = self.clock()
        self.record = SessionRecord(started_at=_now())
        self.note()

    def note(self, **changes: object) -> None:
        """Change the record."""
        changed = {"elapsed": round(self.clock() - self._began, 3), **changes}
        self.record = msgspec.structs.replace(self.record, **changed)
        self.folder.write_session(self.record)

    def note_problem(self, error: HeadlessDbtError) -> None:
        """Record why the run did not get further."""
        self.note(problem=Problem(title=error.title, message=str(error), exit_code=error.exit_code))


def run_dbt(  # noqa: PLR0913  Each is a collaborator of its own.
    python: Path,
    settings: RunSettings,
    environment: Mapping[str, str],
    requested: tuple[str, ...],
    *,
    recorder: Recorder,
    console: Console,
) -> None:
    """Run all dbt commands of the request in one session. Raises HeadlessDbtError."""
    attempt = 1
    folder = recorder.folder
    folder.attempt(attempt).mkdir(parents=True)
    commands = DbtCommands(settings, folder.path, folder.attempt(attempt), console.colors)
    try:
        with SessionProcess(python, settings.project_dir, environment, console.show) as session:
            _Conversation(session, settings, commands, recorder, console).hold(requested)
    except SessionEndedError as ended:
        raise DbtUnusableError(str(ended)) from None
    finally:
        folder.keep_artifacts(attempt)


@dataclass(frozen=True)
class _Conversation:
    """One attempt: the commands, one after the other, in one session."""

    session: SessionProcess
    settings: RunSettings
    commands: DbtCommands
    recorder: Recorder
    console: Console

    def hold(self, requested: tuple[str, ...]) -> None:
        self._meet(requested)
        if any((self.settings.project_dir / file).is_file() for file in PROJECT_DEPENDENCIES):
            self._require("deps", self.commands.deps(), _dbt_unusable("dbt deps"))
        self._require("parse", self.commands.parse(), lambda problem: _parse_error(self.settings, problem))
        sources = self._select()
        stale = self._stale(sources) if self.settings.source_freshness and sources else ()
        self._build(stale)
        if self.settings.docs:
            self._docs()

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
                "`requirements` and --dbt-python must bring dbt-core and an adapter; without them the lock does."
            )

    def _select(self) -> tuple[str, ...]:
        """Record the nodes that the build is to build; return the sources that they read."""
        reply = self._require(
            "list", self.commands.list_selected(), lambda problem: _selection_error(self.settings, problem)
        )
        listed = tuple(json.loads(line)["unique_id"] for line in reply.lines)
        selected = tuple(unique_id for unique_id in listed if is_built(unique_id))
        self.recorder.note(selected=selected)
        if not selected:
            self.console.warning(f"Nothing is selected: {_selection_of(self.settings)} matches no node to build.")
        manifest = read_manifest(self.commands.target_path / "manifest.json")
        known = manifest.every() if manifest else {}
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
        self._invoke(
            "source freshness",
            self.commands.source_freshness(sources),
            lambda problem: DbtUnusableError(f"The freshness of sources could not be checked: {problem.message}"),
        )
        results = read_sources(self.commands.target_path / "sources.json")
        stale = tuple(
            result.unique_id
            for result in (results.results if results else ())
            if outcome_of(result.status) is Outcome.FAILED
        )
        if stale and self.settings.selector:
            self.console.warning("Stale sources, but their branch is built: dbt takes no --exclude beside a selector.")
            return ()
        self.recorder.note(stale_sources=stale)
        return stale

    def _build(self, stale: Iterable[str]) -> None:
        self._invoke("build", self.commands.build(without=stale), self._build_error)

    def _build_error(self, problem: SessionException) -> HeadlessDbtError:
        if problem.type == "DbtUsageException":
            return RequestError(
                "dbt-args",
                given=f"{shown(' '.join(self.settings.dbt_args))}, and dbt says: {problem.message}",
                allowed="arguments of dbt build",
                advice="`dbt build --help` lists them.",
            )
        started = read_journal(self.recorder.folder.journal).started
        if any(not unique_id.startswith("source.") for unique_id in started):
            return BuildEndedError(f"dbt build ended early: {problem.message}")
        return DbtUnusableError(f"dbt build could not begin: {problem.message}")

    def _docs(self) -> None:
        folder = self.recorder.folder
        target_path = folder.path / "docs"
        reply = self._call("docs generate", self.commands.docs(target_path))
        if not reply.success:
            reason = reply.exception.message if reply.exception else "see the log"
            self.console.warning(f"The docs could not be generated: {reason}")
        folder.keep_docs(target_path)

    def _require(self, name: str, argv: Sequence[str], blame: Callable[[SessionException], HeadlessDbtError]) -> Reply:
        """Run a command without which there is no going on."""
        reply = self._invoke(name, argv, blame)
        if not reply.success:
            raise blame(SessionException(type="", message=f"dbt {name} failed; see its log"))
        return reply

    def _invoke(self, name: str, argv: Sequence[str], blame: Callable[[SessionException], HeadlessDbtError]) -> Reply:
        """Run a command, and raise what its exception means."""
        reply = self._call(name, argv)
        if reply.exception is not None:
            raise blame(reply.exception)
        return reply

    def _call(self, name: str, argv: Sequence[str]) -> Reply:
        started_at, began = _now(), time.monotonic()
        reply = Reply(success=False, exception=SessionException(type="", message="ended before it answered"))
        try:
            with self.console.group(f"dbt {name}"):
                reply = self.session.invoke(argv)
        finally:
            command = Command(
                name=name,
                arguments=tuple(argv),
                started_at=started_at,
                elapsed=round(time.monotonic() - began, 3),
                success=reply.success,
                message=reply.exception.message if reply.exception else "",
            )
            self.recorder.note(commands=(*self.recorder.record.commands, command))
        return reply


def _dbt_unusable(doing: str) -> Callable[[SessionException], HeadlessDbtError]:
    return lambda problem: DbtUnusableError(f"{doing} failed: {problem.message}")


def _parse_error(settings: RunSettings, problem: SessionException) -> HeadlessDbtError:
    # https://github.com/dbt-labs/dbt-core/blob/main/core/dbt/config/profile.py words it so since 0.11.
    if problem.type == "DbtProfileError" and "does not have a target named" in problem.message:
        _, _, targets = problem.message.partition("are:")
        allowed = ", ".join(line.strip(" -") for line in targets.splitlines() if line.strip())
        return RequestError(
            "target",
            given=f"{shown(settings.target)}, which is not in profiles.yml",
            allowed=allowed or "a target of the profile",
            advice="Correct the input `target`, or add the target to profiles.yml.",
        )
    if "Could not find adapter type" in problem.message:
        return RequestError(
            "adapter",
            given=f"{shown(settings.adapter)}, but the profile needs another one: {problem.message}",
            allowed="the adapter of the profile's target",
            advice="Set the input `adapter` to the `type:` in profiles.yml.",
        )
    return DbtUnusableError(f"The project cannot be parsed: {problem.message}")


def _selection_error(settings: RunSettings, problem: SessionException) -> HeadlessDbtError:
    return RequestError(
        "selector" if settings.selector else "select",
        given=f"{_selection_of(settings)}, and dbt says: {problem.message.removeprefix('Runtime Error').strip()}",
        allowed="a node selection of dbt",
        advice="https://docs.getdbt.com/reference/node-selection/syntax shows the syntax.",
    )


def _selection_of(settings: RunSettings) -> str:
    """The selection as a person would name it."""
    named = (("select", settings.select), ("exclude", settings.exclude), ("selector", settings.selector))
    return ", ".join(f"{name} {shown(value)}" for name, value in named if value) or "the whole project"


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
