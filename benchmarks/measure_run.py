"""A whole run against bare dbt: ``python benchmarks/measure_run.py [ROUNDS]``.

On a copy of the sample project, and on 500 generated models with a test each, on DuckDB and parsed cold: bare `dbt
build`; the four commands that a usual workflow runs one by one; and `headless-dbt run` with freshness and docs,
and `report`. The three take turns, so that a slow minute is everybody's.
"""

import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from headless_dbt import environments

ROOT = Path(__file__).resolve().parents[1]
FRESHNESS = ["--source-freshness", "true"]


def sample(folder: Path) -> None:
    """The sample project without what a run has left in it."""
    left = shutil.ignore_patterns("target", "*.duckdb*", "logs")
    shutil.copytree(ROOT / "dbt_project", folder, ignore=left)


def generated(folder: Path, models: int = 500) -> None:
    """A project of chains of ten models, each with a test."""
    (folder / "models").mkdir(parents=True)
    (folder / "dbt_project.yml").write_text('name: many\nprofile: many\nversion: "1.0"\n')
    (folder / "profiles.yml").write_text("many: {outputs: {local: {type: duckdb, path: many.duckdb, threads: 4}}}\n")
    entries = []
    for number in range(models):
        source = f"{{{{ ref('m_{number - 1}') }}}}" if number % 10 else "(select 1 as id)"
        (folder / f"models/m_{number}.sql").write_text(f"select id from {source}")  # noqa: S608
        entries.append(f"  - {{name: m_{number}, columns: [{{name: id, data_tests: [not_null]}}]}}")
    (folder / "models/all.yml").write_text("models:\n" + "\n".join(entries) + "\n")


def seconds_of(commands: Sequence[Sequence[str]], folder: Path) -> float:
    """How long these commands take, one after the other."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment = {**kept, "PYTHONPATH": str(ROOT / "scripts"), "DO_NOT_TRACK": "1"}
    began = time.perf_counter()
    for command in commands:
        subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def main() -> None:
    """Print a table of medians, their spread, and the ratio to bare dbt."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    requirements = environments.dbt_requirements("duckdb", "", "", None, ROOT)
    parent = (ROOT / ".venv").resolve()
    folder = parent / f"dbt-{environments.fingerprint(requirements, '')[:12]}"
    python = environments.build_dbt_environment(folder, requirements, str(parent / "tool/bin/python"), os.environ)
    dbt, local = [str(python.parent / "dbt"), "--no-partial-parse"], ["--target", "local"]
    ours = [str(parent / "tool/bin/python"), "-P", "-m", "headless_dbt"]
    whole = ["run", "--dbt-python", str(python), *local, "--docs", "true", "--run-folder", "kept", *FRESHNESS]
    ways = {
        "`dbt build`": [[*dbt, "build", *local]],
        "four commands": [
            [*dbt, *command, *local] for command in (["deps"], ["source", "freshness"], ["build"], ["docs", "generate"])
        ],
        "`headless-dbt`": [[*ours, *whole], [*ours, "report", "--run-folder", "kept"]],
    }
    day = datetime.now(UTC).date()
    print(f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}, {day}, {rounds} rounds")
    for name, make in (("sample project", sample), ("500 models, 500 tests", generated)):
        taken: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(rounds):
            for way, commands in ways.items():
                with tempfile.TemporaryDirectory() as temporary:
                    project = Path(temporary) / "project"
                    make(project)
                    taken[way].append(seconds_of(commands, project))
        bare = statistics.median(taken["`dbt build`"])
        for way, seconds in taken.items():
            median = statistics.median(seconds)
            spread = f"{min(seconds):.1f} to {max(seconds):.1f}"
            print(f"| {name} | {way} | {median:.1f} s ({spread}) | {median / bare:.2f} |", flush=True)


if __name__ == "__main__":
    main()
