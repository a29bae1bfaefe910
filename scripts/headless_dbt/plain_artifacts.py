"""A run folder out of a plain dbt ``target/`` folder, made by whatever ran dbt: for ``report --artifacts``."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from headless_dbt.artifacts import UNREADABLE
from headless_dbt.errors import RequestError
from headless_dbt.final_artifacts import finish_folder
from headless_dbt.model import TIME_FORMAT, Attempt, Command, Context, Installation, Outcome, Request, outcome_of
from headless_dbt.parsing import is_rust_engine
from headless_dbt.run_folder import RunFolder, SessionRecord, is_own_file

# A check of freshness that was so long before is not that of this run.
_OF_THIS_RUN = timedelta(days=1)
# Commands of dbt whose results are results of nodes.
_COMMANDS = ("build", "run", "test", "seed", "snapshot", "retry", "clone", "freshness")
_NEEDED, _WELCOME = ("manifest.json", "run_results.json"), ("sources.json", "catalog.json")


@dataclass(frozen=True)
class _Results:
    """What run_results.json says of the run itself."""

    command: str
    arguments: Mapping[str, Any]
    version: str
    generated_at: str
    elapsed: float
    statuses: Mapping[str, str]


def adopt(artifacts: Path, folder: RunFolder, context: Context, secrets: frozenset[str]) -> None:
    """Make ``folder`` what a run would have left, out of dbt's own files without secrets. Raises RequestError."""
    results = _read(artifacts)
    attempt = folder.attempt(1)
    attempt.mkdir(parents=True)
    for name in (*_NEEDED, *_WELCOME):
        file = artifacts / name
        if is_own_file(file) and not (name == "sources.json" and _is_older(file, results.generated_at)):
            shutil.copyfile(file, attempt / name)
    if (attempt / folder.catalog.name).is_file():
        folder.keep(attempt / folder.catalog.name)
    folder.write_request(Request(inputs=_inputs(results.arguments), context=context))
    folder.write_session(_record(results))
    finish_folder(folder, secrets)


def _read(artifacts: Path) -> _Results:
    missing = [name for name in _NEEDED if not is_own_file(artifacts / name)]
    if missing:
        raise _refusal(artifacts, f"there is no {' and no '.join(missing)} in it")
    try:
        document = msgspec.json.decode((artifacts / "run_results.json").read_bytes())
        results = _Results(
            command=str(document["args"].get("which", "")),
            arguments=document["args"],
            version=str(document["metadata"].get("dbt_version", "")),
            generated_at=str(document["metadata"].get("generated_at", "")),
            elapsed=float(document["elapsed_time"]),
            statuses={str(entry["unique_id"]): str(entry["status"]) for entry in document["results"]},
        )
    except (KeyError, TypeError, AttributeError, ValueError, *UNREADABLE) as error:
        raise _refusal(artifacts, f"its run_results.json is not readable ({error})") from None
    if results.command not in _COMMANDS:
        raise _refusal(artifacts, f"its run_results.json is of `dbt {results.command}`, which builds nothing")
    return results


def _inputs(arguments: Mapping[str, Any]) -> dict[str, str]:
    """The request, as far as dbt kept it."""
    given = {
        "project-dir": ".",
        "target": arguments.get("target"),
        "select": _words(arguments.get("select")),
        "exclude": _words(arguments.get("exclude")),
        "selector": arguments.get("selector"),
        "vars": json.dumps(arguments["vars"]) if arguments.get("vars") else "",
    }
    return {name: str(text or "") for name, text in given.items()}


def _words(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value or "")


def _record(results: _Results) -> SessionRecord:
    started_at = _before(results.generated_at, results.elapsed)
    well = all(outcome_of(status) in (Outcome.PASSED, Outcome.WARNED) for status in results.statuses.values())
    command = Command(
        name="build",
        arguments=(results.command,),
        started_at=started_at,
        elapsed=round(results.elapsed, 3),
        success=well,
    )
    return SessionRecord(
        started_at=started_at,
        elapsed=round(results.elapsed, 3),
        finished=True,
        installation=Installation(requested=(), installed={_package(results.version): results.version}, python=""),
        selected=tuple(results.statuses),
        commands=(command,),
        attempts=(Attempt(number=1, elapsed=round(results.elapsed, 3)),),
    )


def _package(version: str) -> str:
    """The package of a dbt that wrote artifacts: dbt 2 has left the name of dbt-core."""
    return "dbt" if is_rust_engine(version) else "dbt-core"


def _is_older(sources: Path, generated_at: str) -> bool:
    """Whether dbt checked the freshness of sources long before a run. What is no file with a time is not."""
    try:
        checked = datetime.fromisoformat(msgspec.json.decode(sources.read_bytes())["metadata"]["generated_at"])
        return checked.astimezone(UTC) < datetime.fromisoformat(generated_at).astimezone(UTC) - _OF_THIS_RUN
    except (OSError, KeyError, TypeError, ValueError, OverflowError, *UNREADABLE):
        return False


def _before(generated_at: str, elapsed: float) -> str:
    try:
        ended = datetime.fromisoformat(generated_at)
    except ValueError:
        return ""
    return (ended.astimezone(UTC) - timedelta(seconds=elapsed)).strftime(TIME_FORMAT)


def _refusal(artifacts: Path, what: str) -> RequestError:
    return RequestError(
        "artifacts",
        given=f"{str(artifacts)!r}, but {what}",
        allowed="a folder with manifest.json and run_results.json of a dbt build, run or test",
        advice="Name dbt's target folder right after such a command.",
    )
