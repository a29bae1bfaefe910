"""Several ways to the same end, measured in turns, and the table that says how they compare."""

import os
import platform
import resource
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from headless_dbt import __version__, environments

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENTS = (ROOT / ".venv").resolve()
TOOL_PYTHON = ENVIRONMENTS / "tool/bin/python"
LOCAL = ("--target", "local")
# What of the caller's environment would steer what is measured, or be written to by it.
_STEERING = ("GITHUB_", "RUNNER_", "ACTIONS_", "HEADLESS_DBT_", "DBT_", "DAGSTER_", "PREFECT_", "AIRFLOW_", "PYTHON")


@dataclass(frozen=True)
class Way:
    """A way to do it: commands one after the other, in the folder of the project.

    ``before`` is off the clock; ``beforehand`` says in the table what that is. A ``{folder}`` in ``variables`` is
    a fresh folder, ``../beside`` from that of the project.
    """

    name: str
    commands: Sequence[Sequence[str]]
    before: Sequence[Sequence[str]] = ()
    beforehand: str = "nothing"
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Taken:
    """What one turn took: seconds by the clock, and of the processor in all of its processes."""

    seconds: float
    processor: float


def bare_dbt(dbt: str) -> Way:
    """`dbt build` alone, by this program."""
    return Way("`dbt build`", [[dbt, "build", *LOCAL]], before=[[dbt, "deps", *LOCAL]], beforehand="`dbt deps`")


def headless_dbt(name: str, *arguments: str, **variables: str) -> Way:
    """`run` with these arguments, and `report` on it."""
    command, folder = (str(TOOL_PYTHON), "-P", "-m", "headless_dbt"), ("--run-folder", "target/measured")
    own = {"PYTHONPATH": str(ROOT / "scripts"), "HEADLESS_DBT_ENVIRONMENTS": str(ENVIRONMENTS), **variables}
    return Way(name, [[*command, "run", *LOCAL, *folder, *arguments], [*command, "report", *folder]], variables=own)


def take_turns(
    ways: Sequence[Way], make: Callable[[Path], None], rounds: int, check: Callable[[Path], None] | None = None
) -> list[tuple[Way, list[Taken]]]:
    """Go every way in each round, on a fresh project, so that a slow minute is everybody's.

    The next round begins with the next way. Raises RuntimeError where a command or ``check`` fails.
    """
    found: list[tuple[Way, list[Taken]]] = [(way, []) for way in ways]
    for number in range(rounds):
        first = number % len(ways)
        for way, taken in (*found[first:], *found[:first]):
            with tempfile.TemporaryDirectory() as temporary:
                project, beside = Path(temporary) / "project", Path(temporary) / "beside"
                beside.mkdir()
                make(project)
                environment = _environment(way.variables, beside)
                _run(way.before, project, environment)
                taken.append(_timed(way.commands, project, environment))
                if check:
                    check(project)
    return found


def _timed(commands: Sequence[Sequence[str]], folder: Path, environment: Mapping[str, str]) -> Taken:
    used, began = _processor(), time.perf_counter()
    _run(commands, folder, environment)
    return Taken(time.perf_counter() - began, _processor() - used)


def _processor() -> float:
    """Seconds of the processor in all ended children, and theirs."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _run(commands: Sequence[Sequence[str]], folder: Path, environment: Mapping[str, str]) -> None:
    for command in commands:
        # Into a file: a pipe would have to be read while the clock runs.
        with tempfile.TemporaryFile() as output:
            status = subprocess.run(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            ).returncode
            if status:
                output.seek(0)
                said = output.read().decode("utf-8", "replace")[-4000:]
                raise RuntimeError(f"{' '.join(command)} ended with {status}:\n{said}")


def _environment(variables: Mapping[str, str], folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_STEERING)}
    own = {name: value.replace("{folder}", str(folder)) for name, value in variables.items()}
    # Of everything that is measured, nothing reports home.
    return {**kept, "DO_NOT_TRACK": "1", **own}


def heading(what: str) -> str:
    """The first two lines of a table."""
    columns = ("project", what, "beforehand, off the clock", "median (least to most)", "processor", "ratio")
    return f"| {' | '.join(columns)} |\n| --- | --- | --- | --- | ---: | ---: |"


def rows(project: str, measured: Sequence[tuple[Way, Sequence[Taken]]]) -> Iterator[str]:
    """The rows of one project; the ratios are of the medians, to the first way's."""
    bare = statistics.median(one.seconds for one in measured[0][1])
    for way, taken in measured:
        seconds = [one.seconds for one in taken]
        median, processor = statistics.median(seconds), statistics.median(one.processor for one in taken)
        spread = f"{median:.1f} s ({min(seconds):.1f} to {max(seconds):.1f})"
        yield f"| {project} | {way.name} | {way.beforehand} | {spread} | {processor:.1f} s | {median / bare:.2f} |"


def spread(seconds: Sequence[float]) -> str:
    """The median, the least and the most."""
    return f"{statistics.median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f})"


def circumstances(rounds: int, *further: str) -> str:
    """Where, when and with what it was measured."""
    locked = environments.locked_versions((ROOT / "requirements.txt").read_text("utf-8"))
    dbt = [f"{name} {locked[name]}" for name in ("dbt-core", "dbt-duckdb", "duckdb")]
    return ", ".join(
        (
            f"{os.cpu_count()} cores ({platform.machine()})",
            f"Python {platform.python_version()}",
            *dbt,
            f"headless-dbt {__version__}",
            *further,
            f"{datetime.now(UTC).date()}",
            f"{rounds} round{'s' * (rounds != 1)}",
        )
    )


def dbt_python() -> Path:
    """The interpreter of an environment with the dbt of the lock; built where it is not there yet."""
    requirements = environments.dbt_requirements("duckdb", "", "", None, ROOT, python_models=False)
    folder = ENVIRONMENTS / f"dbt-{environments.fingerprint(requirements, '')[:12]}"
    return environments.build_dbt_environment(folder, requirements, str(TOOL_PYTHON), os.environ)
