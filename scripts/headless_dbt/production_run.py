"""The verb ``run``: from the inputs to a run folder, and a verdict as the exit code."""

import importlib.util
import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from headless_dbt import environments
from headless_dbt.assemble import assemble_run
from headless_dbt.bigquery_advice import bigquery_advice
from headless_dbt.blame import BuildEndedError
from headless_dbt.cancellation import cancellable, uninterrupted
from headless_dbt.console import Console
from headless_dbt.credentials import AMBIENT_VARIABLES, ambient_credentials, google_credentials
from headless_dbt.dbt_commands import check_dbt_args
from headless_dbt.earlier_runs import find_earlier
from headless_dbt.errors import DbtUnusableError, HeadlessDbtError, told_as
from headless_dbt.final_artifacts import finish_folder
from headless_dbt.inputs import CRITICAL_PATH, ENVIRONMENT_PREFIX
from headless_dbt.kept_bytecode import NAME as BYTECODE
from headless_dbt.kept_bytecode import keep_bytecode
from headless_dbt.kept_files import digest_of
from headless_dbt.kept_parse import KeptParse, kept_parse
from headless_dbt.locate import Place
from headless_dbt.node_times import read_times, times_of
from headless_dbt.parsing import is_rust_engine
from headless_dbt.previous_run import earlier_ones
from headless_dbt.problem_place import problem_place
from headless_dbt.project_files import project_files
from headless_dbt.python_models import runs_python
from headless_dbt.recorder import Recorder
from headless_dbt.redaction import JOB_TOKENS, secret_values
from headless_dbt.run_folder import RunFolder, new_run_folder
from headless_dbt.settings import (
    Flags,
    Places,
    Runner,
    RunSettings,
    pairs_in,
    read_request,
    read_run_settings,
    read_secrets,
)
from headless_dbt.supervisor import Memory, run_dbt
from headless_dbt.workflow_commands import append_outputs

# As many runs back as are asked how long nodes took: they may have selected others.
MOST_TIMED = 3


def run(flags: Flags, runner: Runner, places: Places, console: Console) -> int:
    """Run dbt once, whatever becomes of it; return the exit code.

    The run folder is there, and tells what happened, also when the inputs are wrong.
    Raises RequestError where not even the folder can be made.
    """
    request = read_request(flags, runner.environment)
    folder = new_run_folder(
        str(runner.workspace / places.run_folder) if places.run_folder else "",
        runner.workspace / request.inputs["project-dir"],
        datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ"),
    )
    folder.write_request(request)
    # Known before anything is judged: a request that is refused may hold them too.
    assignments, key = read_secrets(runner.environment)
    given = {**dict(pairs_in(request.inputs["env"])), **dict(assignments)}
    found = (*ambient_credentials(runner.environment), *ambient_credentials(given))
    secrets = secret_values(assignments, (key, *found), runner.environment)
    folder.keep_secrets(secrets)
    recorder = Recorder(folder, secrets)
    problem: HeadlessDbtError | None = None
    place: Place | None = None
    advice = ""
    with cancellable():
        try:
            console.mask(secrets)
            settings = read_run_settings(flags, runner)
            check_dbt_args(settings.dbt_args)
            fetched = runner.workspace / places.earlier if places.earlier else None
            memory = Memory(
                earlier=find_earlier(settings.resume_from, runner.workspace, fetched),
                times=_times(folder, settings.project_dir, fetched) if settings.schedule == CRITICAL_PATH else None,
                parse=_kept_parse(settings, runner),
            )
            _run(settings, runner, places.dbt_python, memory, recorder=recorder, console=console)
        except Exception as error:  # noqa: BLE001  Whatever happened, the run folder and the user are told.
            problem = told_as(error)
            place = _place(problem, runner.workspace, request.inputs["project-dir"])
            advice = _advice(problem, request.inputs["adapter"])
            console.error(problem, place, advice)
        with uninterrupted():
            # First, because it makes room on a disk that is full, and that may be what there is to note.
            folder.drop_dbts_own()
            if problem is not None:
                recorder.note_problem(problem, place, advice)
            finish_folder(folder, secrets)
            recorder.note(finished=True)
            folder.forget_secrets()
            verdict = assemble_run(folder)
            _offer_cache(runner)
    console.say(f"\nStatus: {verdict.status}. Run folder: {folder.path}")
    return verdict.exit_code


def _kept(runner: Runner) -> Path | None:
    """The folder of what one run keeps for the next, as the action names it."""
    given = runner.environment.get("HEADLESS_DBT_KEPT", "")
    return runner.workspace / given if given else None


def _offer_cache(runner: Runner) -> None:
    """Name what is kept for GitHub's cache, where it is not what was restored: nothing is saved twice."""
    prefix, restored = (runner.environment.get(f"HEADLESS_DBT_CACHE_{name}", "") for name in ("KEY", "RESTORED"))
    digest = digest_of(kept) if prefix and (kept := _kept(runner)) else ""
    key = prefix + digest[:16]
    if digest and key != restored and runner.output_file is not None:
        append_outputs(runner.output_file, {"cache-key": key})


def _kept_parse(settings: RunSettings, runner: Runner) -> KeptParse | None:
    """Where a parse is kept for the next run: as the environment says, else with the run folders of the project.

    The workspace of a runner is gone with its job: there it is kept only where somebody has named a place.
    """
    # dbt 2 remembers nothing that could serve.
    if is_rust_engine(settings.dbt_version) or (runner.on_github and not _kept(runner)):
        return None
    parent = _kept(runner) or settings.project_dir / "target" / "headless_dbt" / "kept"
    return kept_parse(parent, settings.target, settings.vars, settings.project_dir, settings.profiles_dir)


def _times(folder: RunFolder, project_dir: Path, fetched: Path | None) -> dict[str, float]:
    """How long nodes took: as `fetch` found it, else in the earlier run folders of the project."""
    known = read_times(fetched) if fetched else {}
    if known:
        return known
    return times_of(islice(earlier_ones(folder, project_dir), MOST_TIMED))


def _place(problem: HeadlessDbtError, workspace: Path, project_dir: str) -> Place | None:
    """Where in the repository a problem is, as far as dbt has said so."""
    if not isinstance(problem, DbtUnusableError):
        return None
    files = project_files(workspace, project_dir)
    found = problem_place(str(problem), files, str(files.root)) if files else None
    return replace(found, file=files.from_repository(found.file)) if files and found else None


def _advice(problem: HeadlessDbtError, adapter: str) -> str:
    """What to change, where dbt says why BigQuery, or Google, refused it."""
    refused = isinstance(problem, (DbtUnusableError, BuildEndedError))
    return bigquery_advice(str(problem)) if refused and adapter.lower().endswith("bigquery") else ""


def _run(  # noqa: PLR0913
    settings: RunSettings,
    runner: Runner,
    dbt_python: str,
    memory: Memory,
    *,
    recorder: Recorder,
    console: Console,
) -> None:
    given = {**runner.environment, **dict(settings.env), **dict(settings.dbt_env)}
    with ExitStack() as stack:
        google = stack.enter_context(
            google_credentials(
                settings.gcp_credentials,
                settings.workload_identity_provider,
                settings.service_account,
                given,
                lambda folder: recorder.folder.keep_secrets(recorder.secrets, folder),
            )
        )
        python, requested = _dbt_interpreter(settings, runner, dbt_python, console)
        dbts_own = python.parents[1]
        # An environment that is not our making stays as it is, compiled files and all.
        is_ours = (dbts_own / environments.STAMP).is_file()
        around = with_bytecode(runner.environment) if is_ours else runner.environment
        environment = dbt_environment(around, settings.env, settings.dbt_env, google)
        # For the next run, which has a fresh environment.
        kept = _kept(runner) if is_ours else None
        bytecode = kept / BYTECODE if kept else None
        run_dbt(
            python,
            settings,
            environment,
            requested,
            replace(memory, bytecode=bytecode),
            recorder=recorder,
            console=console,
        )
        if bytecode is not None:
            keep_bytecode(bytecode, dbts_own)


def _dbt_interpreter(
    settings: RunSettings, runner: Runner, dbt_python: str, console: Console
) -> tuple[Path, tuple[str, ...]]:
    """The interpreter that has dbt, and what was asked for, building its environment where there is none."""
    if dbt_python:
        # Not resolved: a venv's interpreter is a link, and its place tells Python which environment it is.
        return Path(dbt_python).absolute(), (f"the environment of {dbt_python}",)
    asked = settings.dbt_version or settings.adapter_version or settings.requirements or settings.python_version
    if not asked and importlib.util.find_spec("dbt") is not None:
        return Path(sys.executable), (f"the environment of {sys.executable}",)
    requirements = environments.dbt_requirements(
        settings.adapter,
        settings.dbt_version,
        settings.adapter_version,
        settings.requirements,
        environments.lock_folder(),
        python_models=runs_python(settings.project_dir, settings.profiles_dir),
    )
    for warning in environments.unpinned(
        settings.adapter, settings.dbt_version, settings.adapter_version, settings.requirements
    ):
        console.warning(warning)
    folder = _environment_folder(runner, environments.fingerprint(requirements, settings.python_version))
    with console.group("Install dbt"):
        python = environments.build_dbt_environment(
            folder, requirements, settings.python_version, without_secrets(runner.environment)
        )
        console.say(f"dbt's environment: {folder}")
    return python, requirements.requested


def _environment_folder(runner: Runner, fingerprint: str) -> Path:
    given = runner.environment.get("HEADLESS_DBT_ENVIRONMENTS", "")
    if given:
        parent = runner.workspace / given
    else:
        parent = Path(runner.environment.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")) / "headless-dbt"
    return parent.resolve() / f"dbt-{fingerprint[:12]}"


def dbt_environment(
    environment: Mapping[str, str],
    plain: tuple[tuple[str, str], ...],
    secret: tuple[tuple[str, str], ...],
    google: Mapping[str, str],
) -> dict[str, str]:
    """The environment variables of dbt's process: those of this one without ours, and the given ones."""
    kept = {
        name: value
        for name, value in environment.items()
        if not name.startswith(ENVIRONMENT_PREFIX)
        # dbt would send its artifacts to a service; nothing of a run leaves the machine unasked.
        # And one thread is `threads: 1`; this would close the connection that the next command needs.
        and name not in ("DBT_UPLOAD_TO_ARTIFACTS_INGEST_API", "DBT_SINGLE_THREADED")
    }
    ours = str(Path(__file__).resolve().parents[1])
    paths = [path for path in kept.pop("PYTHONPATH", "").split(os.pathsep) if path and os.path.realpath(path) != ours]
    python_path = {"PYTHONPATH": os.pathsep.join(paths)} if paths else {}
    quiet = {"DO_NOT_TRACK": "1", "PYTHONUNBUFFERED": "1"}
    # What was found for Google has taken all others into account, also that a project is there and empty.
    return {**quiet, **kept, **python_path, **dict(plain), **dict(secret), **google}


def with_bytecode(environment: Mapping[str, str]) -> dict[str, str]:
    """Without what keeps Python from leaving compiled files where it looks for them: each run would compile dbt anew.

    Images of containers set it: https://docs.python.org/3/using/cmdline.html#envvar-PYTHONDONTWRITEBYTECODE
    """
    away = ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")
    return {name: value for name, value in environment.items() if name not in away}


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of what installs dbt: a package that is built then runs code of its own."""
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith((ENVIRONMENT_PREFIX, "DBT_ENV_SECRET_"))
        and name not in (*JOB_TOKENS, *AMBIENT_VARIABLES)
    }
