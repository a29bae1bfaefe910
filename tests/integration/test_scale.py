"""Reports on projects of every size stay quick, small and modest."""

from pathlib import Path

import pytest

from benchmarks.make_artifacts import make_artifacts
from benchmarks.measure_report import call

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("models", "tests", "seconds", "megabytes", "page"), [(40, 60, 0.6, 100, 0.3), (5000, 10000, 5.0, 400, 10.0)]
)
def test_all_renderings_together(  # noqa: PLR0913, PLR0917
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    models: int,
    tests: int,
    seconds: float,
    megabytes: int,
    page: float,
) -> None:
    """The whole command, the start of Python and the copy of the artifacts too, in seconds of the processor."""
    make_artifacts(tmp_path / "target", models, tests)
    folder = tmp_path / "run"
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "scripts"))
    for name in ("GITHUB_ACTIONS", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)

    used = call(tmp_path / "target", folder)

    assert (folder / "report.html").stat().st_size < page * 1e6
    assert (folder / "summary.md").stat().st_size < 2**20
    assert used.megabytes < megabytes
    assert used.processor < seconds
