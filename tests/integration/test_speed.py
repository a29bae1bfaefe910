"""What a whole production run costs beside a bare `dbt build`, in processor time: a busy machine does not change it."""

import resource
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.integration.conftest import ROOT, Project

# It is 0.9 to 1.1; four dbt processes, one a command, are at 2.5.
MOST = 1.25


def processor_seconds(commands: Sequence[Sequence[str | Path]], project: Project) -> float:
    """What these commands take of all processors together, one after the other."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for command in commands:
        environment = {**project.environment({}), "DO_NOT_TRACK": "1"}
        subprocess.run(command, cwd=project.root, env=environment, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def fresh_shop(folder: Path, dbt_python: Path) -> Project:
    """The sample project, which depends on a package here."""
    shutil.copytree(ROOT / "dbt_project", folder, ignore=shutil.ignore_patterns("target", "*.duckdb", "logs"))
    project = Project(folder, dbt_python)
    project.write({"packages.yml": "packages: [{local: more}]", "more/dbt_project.yml": "name: more\nversion: '1.0'\n"})
    return project


def test_deps_freshness_build_docs_and_report_cost_little_more_than_a_build(tmp_path: Path, dbt_python: Path) -> None:
    bare, whole = (fresh_shop(tmp_path / name, dbt_python) for name in ("bare", "whole"))
    dbt: list[str | Path] = [dbt_python.with_name("dbt"), "--no-partial-parse"]
    subprocess.run([*dbt, "deps"], cwd=bare.root, stdout=subprocess.DEVNULL, check=True)
    verb: list[str | Path] = [sys.executable, "-P", "-m", "headless_dbt"]
    folder = ["--run-folder", str(tmp_path / "run")]
    run: list[str | Path] = [
        "run",
        "--dbt-python",
        dbt_python,
        "--target",
        "local",
        "--source-freshness",
        "true",
        "--docs",
        "true",
    ]

    alone = processor_seconds([[*dbt, "build", "--target", "local"]], bare)
    ours = processor_seconds([[*verb, *run, *folder], [*verb, "report", *folder]], whole)

    assert (tmp_path / "run/docs.html").is_file()
    assert (tmp_path / "run/report.html").is_file()
    assert ours < MOST * alone, f"{ours:.1f} s of processor time, where a bare build takes {alone:.1f} s"


def test_help_is_there_at_once(project: Project) -> None:
    """In the best of three: nothing is imported that this does not use."""
    taken = [processor_seconds([[sys.executable, "-P", "-m", "headless_dbt", "--help"]], project) for _ in range(3)]
    assert min(taken) < 0.3, taken
