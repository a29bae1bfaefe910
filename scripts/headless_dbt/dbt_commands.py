"""The command lines of one run, as data: which dbt commands, with which arguments, writing where. Pure.

Source of the flags: https://docs.getdbt.com/reference/global-configs/about-global-configs and ``dbt build --help``.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from headless_dbt.code_manifest import Relation
from headless_dbt.errors import RequestError
from headless_dbt.parsing import shown
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
        "-V",
        # It closes the connection that the next command of the same process needs.
        "--single-threaded",
    }
)

_MANY = 1000

# Arguments of dbt-args that change how the project is parsed, with the number of values that they take ...
_PARSE_FLAGS = {
    "--profile": 1,
    "--warn-error-options": 1,
    "--warn-error": 0,
    "--partial-parse": 0,
    "--no-partial-parse": 0,
    "--static-parser": 0,
    "--no-static-parser": 0,
    "--version-check": 0,
    "--no-version-check": 0,
}
# ... and those that change what is selected.
_SELECTION_FLAGS = {
    "--resource-type": _MANY,
    "--resource-types": _MANY,
    "--exclude-resource-type": _MANY,
    "--exclude-resource-types": _MANY,
    "--indirect-selection": 1,
    "--state": 1,
    "--defer-state": 1,
    "--defer": 0,
    "--favor-state": 0,
}

# What `dbt build` builds; `dbt list` also lists what it does not, such as sources and metrics.
_BUILT = ("model", "seed", "snapshot", "test", "unit_test", "saved_query", "exposure", "function")


_MISSING_RELATIONS = """\
{%%- set missing = [] -%%}
{%%- for database, schema, identifier in %s -%%}
{%%- if adapter.get_relation(database=database, schema=schema, identifier=identifier) is none -%%}
{%%- do missing.append(loop.index0) -%%}
{%%- endif -%%}
{%%- endfor -%%}
{{ missing | join(',') }}"""


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
        """Read the project; what fails here is the project itself.

        `dbt parse` has no `--full-refresh`, but a project may read it: session.py hands it over another way.
        """
        full_refresh = ["--full-refresh"] if self.settings.full_refresh else []
        return ["parse", *self._written(), *full_refresh, *self._passed_on(_PARSE_FLAGS)]

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

    def build_again(self, state: Path) -> list[str]:
        """Build exactly what ``result:error`` finds in the results in ``state``, as the first build would have.

        `dbt retry` is not used: it forgets flags and has had bugs when it is called twice
        (https://github.com/dbt-labs/dbt-core/issues/8848, https://github.com/dbt-labs/dbt-core/issues/9112).
        """
        settings = self.settings
        sorted_out = _sorted_out(settings.dbt_args, _SELECTION_FLAGS)
        arguments = [argument for argument, selects in sorted_out if not selects]
        # Their state served two ends; ours takes the place of the selecting one.
        deferred = _value_of(settings.dbt_args, "--defer-state") or _value_of(settings.dbt_args, "--state")
        switches = [flag for flag in ("--defer", "--favor-state") if flag in settings.dbt_args]
        return [
            "build",
            *self._written(),
            *("--select=result:error", "--indirect-selection=empty", "--state", str(state)),
            *self._threads(),
            *(["--full-refresh"] if settings.full_refresh else []),
            *(["--fail-fast"] if settings.fail_fast else []),
            *arguments,
            *switches,
            *(["--defer-state", deferred] if deferred and switches else []),
        ]

    def missing_relations(self, relations: Sequence[Relation]) -> list[str]:
        """Say which of these relations are not in the warehouse: their positions, between commas.

        It asks as dbt's materializations do, through the adapter's own cache, and runs no query of its own.
        """
        return [
            "compile",
            *self._project(),
            *("--target-path", str(self.target_path)),
            *self._passed_on(_PARSE_FLAGS),
            *("--log-level", "none"),
            *("--inline", _MISSING_RELATIONS % repr(list(relations))),
        ]

    def profile_threads(self) -> list[str]:
        """Say how many threads the profile's target has; nothing is asked of the warehouse."""
        return [
            "compile",
            *self._project(),
            *("--target-path", str(self.target_path)),
            *self._passed_on(_PARSE_FLAGS),
            *("--log-level", "none", "--no-introspect", "--no-populate-cache"),
            *("--inline", "{{ target.threads }}"),
        ]

    def docs(self, target_path: Path, *, compiled: bool) -> list[str]:
        """Generate the docs site; in a folder of its own, because it overwrites run_results.json.

        Where everything is ``compiled`` by a build of this session, the manifest of that build is there.
        """
        return [
            "docs",
            "generate",
            "--static",
            *(["--no-compile"] if compiled else []),
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

    def _passed_on(self, flags: Mapping[str, int]) -> Iterator[str]:
        return (argument for argument, belongs in _sorted_out(self.settings.dbt_args, flags) if belongs)


def _sorted_out(arguments: Iterable[str], flags: Mapping[str, int]) -> Iterator[tuple[str, bool]]:
    """Each argument, and whether it is one of these flags or a value of theirs."""
    waiting = 0
    for argument in arguments:
        flag, equals, _ = argument.partition("=")
        if flag.startswith("-"):
            waiting = 0 if equals else flags.get(flag, 0)
            yield argument, flag in flags
        else:
            yield argument, waiting > 0
            waiting = max(0, waiting - 1)


def _value_of(arguments: Sequence[str], wanted: str) -> str:
    """The value of an option, or an empty text."""
    for position, argument in enumerate(arguments):
        flag, equals, value = argument.partition("=")
        if flag == wanted:
            return value if equals else next(iter(arguments[position + 1 : position + 2]), "")
    return ""


def check_dbt_args(arguments: Iterable[str]) -> None:
    """Refuse arguments that are another input's, or that would hide what happened. Raises RequestError."""
    for position, argument in enumerate(arguments):
        if position == 0 and not argument.startswith("-"):
            # dbt would take it for one more value of the option before it.
            raise RequestError(
                "dbt-args",
                given=shown(argument),
                allowed="options of dbt build, which begin with '-', and their values",
                advice="To name nodes, use the input `select`.",
            )
        for flag in _flags_in(argument):
            if flag in _USE_THE_INPUT:
                raise RequestError(
                    "dbt-args",
                    given=shown(argument),
                    allowed="arguments of dbt build that have no input of their own",
                    advice=f"Use the input `{_USE_THE_INPUT[flag]}`.",
                )
            if flag in _RESERVED:
                raise RequestError(
                    "dbt-args",
                    given=shown(argument),
                    allowed="arguments of dbt build that do not change where and what dbt writes",
                    advice="Leave it out; the run folder holds dbt's artifacts and log.",
                )


def _flags_in(argument: str) -> list[str]:
    """The options in one argument; click lets short ones and a value stand together: `-dtprod`."""
    if argument.startswith("--"):
        return [argument.partition("=")[0]]
    return [f"-{letter}" for letter in argument[1:]] if argument.startswith("-") else []


def is_built(unique_id: str) -> bool:
    """Whether ``dbt build`` would give a result for a node that ``dbt list`` named."""
    return unique_id.partition(".")[0] in _BUILT
