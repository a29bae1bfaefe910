"""dbt's own order against `schedule: critical-path`: ``python benchmarks/measure_schedule.py [MODELS [THREADS]]``.

Models that only sleep, on DuckDB, with heavy-tailed durations and up to two parents each. The times of the first run
are those by which the second is ordered.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
from itertools import islice
from pathlib import Path
from typing import Any

from headless_dbt.timeline import moment

from benchmarks import side_by_side

ROOT = Path(__file__).resolve().parents[1]
MODEL = """\
def model(dbt, session):
    import time
    {refs}
    time.sleep({seconds})
    return session.sql("select 1 as id")
"""
PROFILE = "sleeping: {{outputs: {{local: {{type: duckdb, path: sleeping.duckdb, threads: {threads}}}}}}}\n"


def make_project(folder: Path, models: int, threads: int, seed: int) -> dict[str, tuple[float, list[str]]]:
    """Write the project; return the seconds and the parents of each model."""
    luck = random.Random(seed)  # noqa: S311  Nobody is to guess anything.
    made: dict[str, tuple[float, list[str]]] = {}
    (folder / "models").mkdir(parents=True)
    (folder / "dbt_project.yml").write_text('name: sleeping\nprofile: sleeping\nversion: "1.0"\n')
    (folder / "profiles.yml").write_text(PROFILE.format(threads=threads))
    for number in range(models):
        name = f"m_{luck.getrandbits(32):08x}"
        seconds = min(5.0, 0.1 * luck.paretovariate(1.2))
        parents = luck.sample(list(made), k=min(len(made), luck.choice((0, 0, 1, 2)))) if number else []
        made[name] = (seconds, parents)
        refs = "\n    ".join(f'dbt.ref("{parent}")' for parent in parents)
        (folder / "models" / f"{name}.py").write_text(MODEL.format(refs=refs, seconds=round(seconds, 3)))
    return made


def lower_bound(models: dict[str, tuple[float, list[str]]], threads: int) -> float:
    """No order is faster: the longest way, or all work spread evenly."""
    ends: dict[str, float] = {}
    for name, (seconds, parents) in models.items():
        ends[name] = seconds + max((ends[parent] for parent in parents), default=0.0)
    return max(*ends.values(), sum(seconds for seconds, _ in models.values()) / threads)


def build_seconds(folder: Path, python: Path, *arguments: str) -> float:
    """Seconds from the first node's beginning to the last one's end."""
    runs = folder / "target/headless_dbt"
    at = runs / f"{sum(1 for _ in runs.glob('*-x')):04}-x"
    program = [sys.executable, "-P", "-m", "headless_dbt"]
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment = {**kept, "PYTHONPATH": str(ROOT / "scripts")}
    for verb in (["run", "--dbt-python", str(python), "--target", "local", *arguments], ["report"]):
        command = [*program, *verb, "--run-folder", str(at)]
        subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=True)
    nodes: list[dict[str, Any]] = json.loads((at / "run.json").read_bytes())["nodes"]
    began = min(moment(node["started_at"]) or 0.0 for node in nodes)
    return max(moment(node["completed_at"]) or 0.0 for node in nodes) - began


def main() -> None:
    """Print the seconds of both orders, and the bound."""
    models, threads = (*map(int, islice(sys.argv, 1, 3)), *(200, 8)[len(sys.argv) - 1 :])
    python = side_by_side.dbt_python()
    for seed in range(3):
        with tempfile.TemporaryDirectory() as temporary:
            project = Path(temporary) / "sleeping"
            made = make_project(project, models, threads, seed)
            own = build_seconds(project, python)
            ordered = build_seconds(project, python, "--schedule", "critical-path")
            bound = lower_bound(made, threads)
        print(f"{models} models, {threads} threads: dbt's order {own:.1f} s, critical-path {ordered:.1f} s,", end=" ")
        print(f"no order below {bound:.1f} s", flush=True)


if __name__ == "__main__":
    main()
