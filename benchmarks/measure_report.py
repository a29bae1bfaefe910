"""What a report costs in seconds and memory, and how large it is: ``python benchmarks/measure_report.py [ROUNDS]``.

Each size is measured several times, one after the other in turns, as the command that a user would call.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.make_artifacts import make_artifacts

SIZES = ((40, 60), (500, 1000), (5000, 10000))
ROUNDS = 5


USAGE = Path(__file__).with_name("usage.py")


@dataclass(frozen=True)
class Measured:
    """One call: seconds by the clock and of the processor, and megabytes at the most."""

    seconds: float
    processor: float
    megabytes: float


def call(artifacts: Path, folder: Path) -> Measured:
    """Report on a folder of artifacts, in a process of its own. Raises CalledProcessError, RuntimeError."""
    report = ["-P", "-m", "headless_dbt", "report", "--artifacts", str(artifacts), "--run-folder", str(folder)]
    command = [sys.executable, str(USAGE), sys.executable, *report]
    used = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    if used.pop("status"):
        raise RuntimeError(f"{' '.join(report)} failed")
    return Measured(**used)


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
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    print("\n".join(table(rounds)))
    print(f"\n{machine()}")


if __name__ == "__main__":
    main()
