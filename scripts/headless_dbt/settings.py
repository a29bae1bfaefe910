"""Settings: what a verb was asked for. The only reader of the environment; frozen; secrets never print."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from headless_dbt.errors import RequestError
from headless_dbt.inputs import INPUTS, LATEST, Input
from headless_dbt.model import Context, Request
from headless_dbt.parsing import is_rust_engine, mend, shown


@dataclass(frozen=True)
class Runner:
    """The machine that the verb runs on, and the files through which it talks to GitHub Actions."""

    on_github: bool
    workspace: Path
    output_file: Path | None
    summary_file: Path | None
    environment: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class Places:
    """Where a verb finds and leaves its files, as the command line or the action names it; empty is the default.

    ``earlier`` is the folder that `fetch` fills, ``dbt_python`` the interpreter that has dbt, ``artifacts`` a plain
    folder of dbt's own, ``previous`` the run to compare with.
    """

    run_folder: str = ""
    earlier: str = ""
    dbt_python: str = ""
    artifacts: str = ""
    previous: str = ""


@dataclass(frozen=True)
class RunSettings:
    """The inputs of ``run``, parsed. ``project_dir``, ``profiles_dir`` and ``requirements`` are absolute.

    ``retry_delay`` is in seconds, ``time_limit`` in minutes, ``cost_limit`` and ``cost_per_tib`` in US dollars; 0 is
    none.
    """

    project_dir: Path
    profiles_dir: Path
    target: str
    select: str
    exclude: str
    selector: str
    vars: str
    full_refresh: bool
    fail_fast: bool
    threads: int | None
    dbt_args: tuple[str, ...]
    adapter: str
    dbt_version: str
    adapter_version: str
    requirements: Path | None
    python_version: str
    source_freshness: bool
    docs: bool
    retries: int
    retry_delay: float
    resume_from: str
    schedule: str
    time_limit: float
    cost_limit: float
    cost_per_tib: float
    check: bool
    env: tuple[tuple[str, str], ...]
    dbt_env: tuple[tuple[str, str], ...] = field(repr=False)
    gcp_credentials: str = field(repr=False)
    workload_identity_provider: str
    service_account: str


@dataclass(frozen=True)
class ReportSettings:
    """The inputs of ``report``, parsed. ``cost_per_tib`` is in US dollars; 0 is none."""

    project_dir: Path
    artifact_name: str
    artifact_retention_days: int | None
    cost_per_tib: float


@dataclass(frozen=True)
class IncidentSettings:
    """The inputs of ``incident``, parsed, and where GitHub is. ``token`` may be empty."""

    project_dir: Path
    issue: bool
    issue_labels: tuple[str, ...]
    issue_assignees: tuple[str, ...]
    issue_on: str
    issue_per: str
    issue_key: str
    token: str = field(repr=False)
    repository: str
    api_url: str
    artifact_url: str


@dataclass(frozen=True)
class FetchSettings:
    """The inputs of ``fetch``, parsed, and which run this is. ``token`` may be empty."""

    resume_from: str
    schedule: str
    artifact_name: str
    token: str = field(repr=False)
    repository: str
    api_url: str
    context: Context

    @property
    def wanted(self) -> bool:
        """Whether there is an earlier run to look for on GitHub."""
        if self.resume_from:
            return self.resume_from == LATEST or self.resume_from.isdecimal()
        return self.context.run_attempt not in ("", "1")


@dataclass(frozen=True)
class RecallSettings:
    """The inputs of ``recall``, parsed, and which run this is. ``token`` may be empty."""

    project_dir: Path
    artifact_name: str
    token: str = field(repr=False)
    repository: str
    api_url: str
    context: Context


Flags = Mapping[str, str | None]


def inputs_of(verb: str) -> tuple[Input, ...]:
    """The inputs that a verb reads."""
    return tuple(declared for declared in INPUTS if verb in declared.verbs)


def read_runner(environment: Mapping[str, str], current_folder: Path) -> Runner:
    """Where this process runs."""

    def file(variable: str) -> Path | None:
        return Path(environment[variable]) if environment.get(variable) else None

    return Runner(
        on_github=environment.get("GITHUB_ACTIONS") == "true",
        workspace=file("GITHUB_WORKSPACE") or current_folder,
        output_file=file("GITHUB_OUTPUT"),
        summary_file=file("GITHUB_STEP_SUMMARY"),
        environment=environment,
    )


def read_places(flags: Flags, environment: Mapping[str, str]) -> Places:
    """The places; a flag wins over the environment."""
    return Places(
        run_folder=flags.get("run_folder") or environment.get("HEADLESS_DBT_RUN_FOLDER", ""),
        earlier=flags.get("earlier") or environment.get("HEADLESS_DBT_EARLIER", ""),
        dbt_python=flags.get("dbt_python") or "",
        artifacts=flags.get("artifacts") or "",
        previous=flags.get("previous") or "",
    )


def read_request(flags: Flags, environment: Mapping[str, str]) -> Request:
    """What was asked for as text, before any of it is judged, without secrets."""
    return Request(
        inputs={
            declared.name: declared.given(flags, environment) for declared in inputs_of("run") if not declared.secret
        },
        context=_context(environment),
    )


def _context(environment: Mapping[str, str]) -> Context:
    return Context(
        repository=environment.get("GITHUB_REPOSITORY", ""),
        server_url=environment.get("GITHUB_SERVER_URL") or "https://github.com",
        workflow_file=_workflow_file(environment),
        run_id=environment.get("GITHUB_RUN_ID", ""),
        run_attempt=environment.get("GITHUB_RUN_ATTEMPT", ""),
        event=environment.get("GITHUB_EVENT_NAME", ""),
        sha=environment.get("GITHUB_SHA", ""),
        ref=environment.get("GITHUB_REF_NAME", ""),
    )


def read_secrets(environment: Mapping[str, str]) -> tuple[list[tuple[str, str]], str]:
    """The lines of ``dbt-env``, as far as they are KEY=value, and the Google key, before they are judged."""
    text = {declared.name: declared.given({}, environment) for declared in inputs_of("run") if declared.secret}
    return pairs_in(text["dbt-env"]), text["gcp-credentials"]


def pairs_in(text: str) -> list[tuple[str, str]]:
    """Names and values in lines of KEY=value, as far as they are some."""
    pairs = (line.partition("=") for line in text.split("\n"))
    return [(name.strip(), value.strip()) for name, _, value in pairs]


def read_run_settings(flags: Flags, runner: Runner) -> RunSettings:
    """The settings of ``run``. Raises RequestError for the first input that cannot be meant."""
    given = _parse("run", flags, runner.environment)
    project_dir = _existing_project(runner.workspace, given["project_dir"])
    profiles_dir = runner.workspace / given["profiles_dir"] if given["profiles_dir"] else project_dir
    _require_file("profiles-dir", given["profiles_dir"] or given["project_dir"], profiles_dir, "profiles.yml")
    requirements = _existing_requirements(runner.workspace, given["requirements"])
    if given["selector"] and (given["select"] or given["exclude"]):
        raise RequestError(
            "selector",
            given=f"{shown(given['selector'])} together with select or exclude",
            allowed="selector alone, because dbt would ignore the other two",
            advice="Leave out one of them.",
        )
    if is_rust_engine(given["dbt_version"]):
        _refuse_for_rust(given)
    given |= {"project_dir": project_dir, "profiles_dir": profiles_dir.resolve(), "requirements": requirements}
    # The others were judged so that a wrong one is known at once; they are read by other verbs.
    return RunSettings(**{each.name: given[each.name] for each in fields(RunSettings)})


def _refuse_for_rust(given: Mapping[str, Any]) -> None:
    """Refuse what would be without effect on dbt 2 and should not be: nobody would notice."""
    if given["adapter_version"]:
        raise RequestError(
            "adapter-version",
            given=f"{shown(given['adapter_version'])} together with `dbt-version` {given['dbt_version']}",
            allowed="nothing with dbt 2, which has its adapters in it",
            advice="Leave it out.",
        )
    if given["cost_limit"]:
        raise RequestError(
            "cost-limit",
            given=f"{given['cost_limit']:g} together with `dbt-version` {given['dbt_version']}",
            allowed="0 with dbt 2, which does not say in time what a query has cost",
            advice="Leave it out and set `maximum_bytes_billed` in the profile, or take dbt-core 1.",
        )


def read_report_settings(flags: Flags, runner: Runner) -> ReportSettings:
    """The settings of ``report``."""
    given = {}
    for declared in inputs_of("report"):
        given[declared.attribute] = _parse_leniently(declared, flags, runner.environment)
    return ReportSettings(**{**given, "project_dir": (runner.workspace / given["project_dir"]).resolve()})


def read_fetch_settings(flags: Flags, runner: Runner) -> FetchSettings:
    """The settings of ``fetch``."""
    return FetchSettings(**_parse_for_github("fetch", flags, runner.environment))


def read_recall_settings(flags: Flags, runner: Runner) -> RecallSettings:
    """The settings of ``recall``."""
    given = _parse_for_github("recall", flags, runner.environment)
    return RecallSettings(**{**given, "project_dir": (runner.workspace / given["project_dir"]).resolve()})


def _parse_for_github(verb: str, flags: Flags, environment: Mapping[str, str]) -> dict[str, Any]:
    """The inputs of a verb that reads from GitHub, where that is, and which run this is."""
    given = {declared.attribute: _parse_leniently(declared, flags, environment) for declared in inputs_of(verb)}
    token = given.pop("github_token") or environment.get("GITHUB_TOKEN", "")
    return {
        **given,
        "token": token,
        "repository": environment.get("GITHUB_REPOSITORY", ""),
        "api_url": environment.get("GITHUB_API_URL") or "https://api.github.com",
        "context": _context(environment),
    }


def _parse_leniently(declared: Input, flags: Flags, environment: Mapping[str, str]) -> Any:
    """The value of an input, or its default: `run` refuses what is wrong, and its refusal is what there is to say."""
    try:
        return declared.parse(declared.name, declared.given(flags, environment))
    except RequestError:
        return declared.parse(declared.name, declared.default)


def read_incident_settings(flags: Flags, runner: Runner) -> IncidentSettings:
    """The settings of ``incident``."""
    environment = runner.environment
    given = _parse("incident", flags, environment)
    return IncidentSettings(
        token=given.pop("github_token") or environment.get("GITHUB_TOKEN", ""),
        repository=environment.get("GITHUB_REPOSITORY", ""),
        api_url=environment.get("GITHUB_API_URL") or "https://api.github.com",
        artifact_url=environment.get("HEADLESS_DBT_ARTIFACT_URL", ""),
        **{**given, "project_dir": (runner.workspace / given["project_dir"]).resolve()},
    )


def _parse(verb: str, flags: Flags, environment: Mapping[str, str]) -> dict[str, Any]:
    return {
        declared.attribute: declared.parse(declared.name, declared.given(flags, environment))
        for declared in inputs_of(verb)
    }


def _existing_project(workspace: Path, given: str) -> Path:
    project_dir = (workspace / given).resolve()
    _require_file("project-dir", given, project_dir, "dbt_project.yml")
    return project_dir


def _require_file(name: str, given: str, directory: Path, file: str) -> None:
    try:
        if (directory / file).is_file():
            return
        what = f"no {file} in it" if directory.is_dir() else "no such folder"
    except OSError as error:
        what = f"no way to it ({error.strerror})"
    raise RequestError(
        name,
        given=f"{shown(given)}, but there is {what}",
        allowed=f"a folder that holds {file}, from the root of the repository",
        advice=mend(name),
    )


def _existing_requirements(workspace: Path, given: str) -> Path | None:
    if not given:
        return None
    file = (workspace / given).resolve()
    if not is_file(file):
        raise RequestError(
            "requirements",
            given=f"{shown(given)}, but there is no such file",
            allowed="a requirements file, from the root of the repository",
            advice=mend("requirements"),
        )
    return file


def is_file(path: Path) -> bool:
    """Whether there is a file, also where the path is one that no file can have."""
    try:
        return path.is_file()
    except OSError:  # A name that is too long, for one.
        return False


def _workflow_file(environment: Mapping[str, str]) -> str:
    """The path of the workflow file, out of ``owner/name/.github/workflows/x.yml@refs/heads/main``."""
    path = environment.get("GITHUB_WORKFLOW_REF", "").partition("@")[0]
    return path.removeprefix(environment.get("GITHUB_REPOSITORY", "") + "/") or environment.get("GITHUB_WORKFLOW", "")
