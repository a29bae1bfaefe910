"""The command lines of one run, as data: which dbt commands, with which arguments, writing where. Pure.

Source of the flags: https://docs.getdbt.com/reference/global-configs/about-global-configs and ``dbt build --help``.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from headless_dbt.errors import RequestError
from headless_dbt.inputs import shown
from headless_dbt.settings import RunSettings

# Arguments that dbt-args may not carry, and what to use instead.
_USE_THE_INPUT = {
    "--project-dir": "project-dir",
    "--profiles-dir": "profiles-dir",
    "--target": "target",
    "-t": "target",
    "--select": "select",
    "-s": "select",
    "--models": "select",
    "--model": "select",
    "-m": "select",
    "--exclude": "exclude",
    "--selector": "selector",
    "--vars": "vars",
    "--full-refresh": "full-refresh",
    "-f": "full-refresh",
    "--fail-fast": "fail-fast",
    "-x": "fail-fast",
    "--threads": "threads",
}
# The run folder would not hold what happened, if these were somebody else's.
_RESERVED = frozenset(
    {
        "--target-path",
        "--log-path",
        "--log-format-file",
        "--log-level-file",
        "--log-file-max-bytes",
        "--no-write-json",
        "--help",
        "-h",
        "--version",
        "-v",
    }
)

# Arguments of dbt-args that change how the project is parsed (True: the flag takes a value) ...
_PARSE_FLAGS = {
    "--profile": True,
    "--warn-error-options": True,
    "--warn-error": False,
    "--partial-parse": False,
    "--no-partial-parse": False,
    "--static-parser": False,
    "--no-static-parser": False,
    "--version-check": False,
    "--no-version-check": False,
}
# ... and those that change what is selected.
_SELECTION_FLAGS = {
    "--resource-type": True,
    "--resource-types": True,
    "--exclude-resource-type": True,
    "--exclude-resource-types": True,
    "--indirect-selection": True,
    "--state": True,
    "--defer-state": True,
    "--defer": False,
    "--favor-state": False,
}

# What `dbt build` builds; `dbt list` also lists what it does not, such as sources and metrics.
_BUILT = ("model", "seed", "snapshot", "test", "unit_test", "saved_query", "exposure", "function")


@dataclass(frozen=True)
class DbtCommands:
    """The commands of one attempt: each method is the argument list of one dbt command."""

    settings: RunSettings
    run_folder: Path
    target_path: Path
    colors: bool

    def deps(self) -> list[str]:
        """Install the project's packages."""
        return ["deps", *self._project()]

    def parse(self) -> list[str]:
        """Read the project; what fails here is the project itself."""
        return ["parse", *self._written(), *self._passed_on(_PARSE_FLAGS)]

    def list_selected(self) -> list[str]:
        """Name the selected nodes; what fails here, after a parse that did not, is the selection."""
        return [
            "list",
            *self._written(),
            *self._selection(),
            *self._passed_on(_PARSE_FLAGS | _SELECTION_FLAGS),
            *("--output", "json", "--output-keys", "unique_id", "--log-level", "none"),
        ]

    def source_freshness(self, sources: Iterable[str]) -> list[str]:
        """Check the freshness of these sources (unique ids)."""
        selectors = ["source:" + unique_id.removeprefix("source.") for unique_id in sources]
        return [
            "source",
            "freshness",
            *self._written(),
            *self._threads(),
            *self._passed_on(_PARSE_FLAGS),
            "--select",
            *selectors,
        ]

    def build(self, *, without: Iterable[str] = ()) -> list[str]:
        """Build what is selected, without what depends on these stale sources (unique ids)."""
        settings = self.settings
        stale = " ".join(f"source:{unique_id.removeprefix('source.')}+" for unique_id in without)
        return [
            "build",
            *self._written(),
            *self._selection(exclude_too=stale),
            *self._threads(),
            *(["--full-refresh"] if settings.full_refresh else []),
            *(["--fail-fast"] if settings.fail_fast else []),
            *settings.dbt_args,
        ]

    def docs(self, target_path: Path) -> list[str]:
        """Generate the docs site; in a folder of its own, because it overwrites run_results.json."""
        return [
            "docs",
            "generate",
            "--static",
            *self._project(),
            *("--target-path", str(target_path)),
            *self._threads(),
            *self._passed_on(_PARSE_FLAGS),
        ]

    def _project(self) -> list[str]:
        settings = self.settings
        return [
            *("--project-dir", str(settings.project_dir)),
            *("--profiles-dir", str(settings.profiles_dir)),
            *("--target", settings.target),
            *("--log-path", str(self.run_folder)),
            *("--log-format-file", "json"),
            *("--log-level-file", "debug"),
            # A log that rotates would lose the beginning of the run. 0 is no limit.
            *("--log-file-max-bytes", "0"),
            # A project may turn its artifacts off, and its run would then leave no results.
            "--write-json",
            "--use-colors" if self.colors else "--no-use-colors",
            *(["--vars", settings.vars] if settings.vars else []),
        ]

    def _written(self) -> list[str]:
        return [*self._project(), "--target-path", str(self.target_path)]

    def _selection(self, *, exclude_too: str = "") -> list[str]:
        settings = self.settings
        exclude = " ".join(part for part in (settings.exclude, exclude_too) if part)
        # One argument with `=`, so that a selection which begins with `-` is never taken for an option.
        return [
            *([f"--select={settings.select}"] if settings.select else []),
            *([f"--exclude={exclude}"] if exclude else []),
            *([f"--selector={settings.selector}"] if settings.selector else []),
        ]

    def _threads(self) -> list[str]:
        return [] if self.settings.threads is None else ["--threads", str(self.settings.threads)]

    def _passed_on(self, flags: dict[str, bool]) -> Iterator[str]:
        arguments = iter(self.settings.dbt_args)
        for argument in arguments:
            flag, equals, _ = argument.partition("=")
            if flag in flags:
                yield argument
                if flags[flag] and not equals:
                    yield from (value for value in (next(arguments, None),) if value is not None)


def check_dbt_args(arguments: Iterable[str]) -> None:
    """Refuse arguments that are another input's, or that would hide what happened. Raises RequestError."""
    for argument in arguments:
        flag = argument.partition("=")[0]
        # click joins a short option and its value: `-tprod`.
        short = argument[:2] if len(argument) > 1 and argument[0] == "-" and argument[1] != "-" else flag
        if instead := _USE_THE_INPUT.get(flag) or _USE_THE_INPUT.get(short):
            raise RequestError(
                "dbt-args",
                given=shown(argument),
                allowed="arguments of dbt build that have no input of their own",
                advice=f"Use the input `{instead}`.",
            )
        if flag in _RESERVED or short in _RESERVED:
            raise RequestError(
                "dbt-args",
                given=shown(argument),
                allowed="arguments of dbt build that do not change where and what dbt writes",
                advice="Leave it out; the run folder holds dbt's artifacts and log.",
            )


def is_built(unique_id: str) -> bool:
    """Whether ``dbt build`` would give a result for a node that ``dbt list`` named."""
    return unique_id.partition(".")[0] in _BUILT
