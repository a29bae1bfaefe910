"""Reports on projects of every size stay quick, small and modest."""

import os
import sys
from pathlib import Path

import pytest

from benchmarks.make_artifacts import make_artifacts

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("models", "tests", "seconds", "megabytes", "page"), [(40, 60, 0.6, 100, 0.3), (5000, 10000, 5.0, 400, 10.0)]
)
def test_all_renderings_together(  # noqa: PLR0913, PLR0917
    tmp_path: Path, models: int, tests: int, seconds: float, megabytes: int, page: float
) -> None:
    """The whole command, the start of Python and the copy of the artifacts too, in seconds of the processor."""
    make_artifacts(tmp_path / "target", models, tests)
    folder = tmp_path / "run"
    command = [sys.executable, "-P", "-m", "headless_dbt", "report"]
    command += ["--artifacts", str(tmp_path / "target"), "--run-folder", str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "scripts"), "GITHUB_ACTIONS": "", "GITHUB_STEP_SUMMARY": ""}
    with Path(os.devnull).open("w") as nothing:
        actions = [(os.POSIX_SPAWN_DUP2, nothing.fileno(), 1)]
        process = os.posix_spawn(sys.executable, command, environment, file_actions=actions)
        _, status, usage = os.wait4(process, 0)

    assert status == 0
    assert (folder / "report.html").stat().st_size < page * 1e6
    assert (folder / "summary.md").stat().st_size < 2**20
    assert usage.ru_maxrss / 1024 < megabytes
    assert usage.ru_utime < seconds
