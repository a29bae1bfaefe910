"""How long `headless-dbt report` takes, how much memory, and how large its page is. ``make bench`` runs it.

Each size is measured several times, one after the other in turns, as the command that a user would call.
"""

import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.make_artifacts import make_artifacts

SIZES = ((40, 60), (500, 1000), (5000, 10000))
ROUNDS = 5


@dataclass(frozen=True)
class Measured:
    """One call: seconds, and megabytes at the most."""

    seconds: float
    megabytes: float


def call(artifacts: Path, folder: Path) -> Measured:
    """Report on a folder of artifacts, in a process of its own."""
    command = [sys.executable, "-P", "-m", "headless_dbt", "report"]
    command += ["--artifacts", str(artifacts), "--run-folder", str(folder)]
    with Path(os.devnull).open("w") as nothing:
        began = time.perf_counter()
        process = os.posix_spawn(
            sys.executable, command, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, nothing.fileno(), 1)]
        )
        _, status, usage = os.wait4(process, 0)
    if status:
        sys.exit(f"{' '.join(command)} ended with status {status}")
    return Measured(time.perf_counter() - began, usage.ru_maxrss / 1024)


def table(rounds: int = ROUNDS) -> Iterator[str]:
    """The results as a Markdown table."""
    yield "| models | tests | seconds (median, least to most) | memory | report.html | run.json |"
    yield "| ---: | ---: | --- | ---: | ---: | ---: |"
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        for models, tests in SIZES:
            make_artifacts(root / f"artifacts-{models}", models, tests)
        measured: dict[int, list[Measured]] = {models: [] for models, _ in SIZES}
        for number in range(rounds):
            for models, _ in SIZES:
                measured[models].append(call(root / f"artifacts-{models}", root / f"run-{models}-{number}"))
        for models, tests in SIZES:
            seconds = [each.seconds for each in measured[models]]
            page, run = ((root / f"run-{models}-0" / name).stat().st_size / 1e6 for name in ("report.html", "run.json"))
            spread = f"{statistics.median(seconds):.2f} ({min(seconds):.2f} to {max(seconds):.2f})"
            memory = max(each.megabytes for each in measured[models])
            yield f"| {models:,} | {tests:,} | {spread} | {memory:.0f} MB | {page:.1f} MB | {run:.1f} MB |"


def machine() -> str:
    """Where and when it was measured."""
    today = datetime.now(UTC).date()
    return f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}, {today}"


def main() -> None:
    """Measure, and show."""
    print("\n".join(table()))
    print(f"\n{machine()}")


if __name__ == "__main__":
    main()
