"""From the lock to a dbt that has parsed: ``python benchmarks/measure_install.py [ROUNDS]``.

On a generated project of 15 models. The downloads of uv are there in each way, and nothing of dbt was ever imported.

- Plain: uv installs from the lock, and Python compiles what it imports.
- Kept bytecode: the same, importing from what an earlier run has compiled. This is what the action does.
- Whole environment: unpacked from an archive, as `actions/cache` would, compiled files and all.

Beside it, how large what is kept is: GitHub has to send it first.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from headless_dbt import environments
from headless_dbt.kept_bytecode import keep_bytecode
from headless_dbt.session_process import SESSION_SCRIPT

from benchmarks import projects, side_by_side
from benchmarks.projects import ROOT
from benchmarks.side_by_side import LOCAL, TOOL_PYTHON

# As the session does it.
PARSE = """\
import sys
sys.path.insert(0, sys.argv[1])
from session import beside
del sys.path[0]
beside("lent_bytecode").lend(sys.argv[2], sys.prefix)
from dbt.cli.main import dbtRunner
sys.exit(not dbtRunner().invoke(sys.argv[3:]).success)
"""


def main() -> None:
    """Print a table of medians and spreads."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    requirements = environments.dbt_requirements("duckdb", "", "", None, ROOT, python_models=False)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        project, dbt, archive = folder / "project", folder / "dbt", folder / "environment.tar"
        bytecode, nothing = folder / "bytecode.zip", folder / "nothing.zip"
        projects.generated(15).make(project)

        def install() -> None:
            environments.build_dbt_environment(dbt, requirements, str(TOOL_PYTHON), environment)

        def tar(*arguments: str) -> None:
            command = ["tar", "--file", str(archive), "--directory", str(folder), *arguments]
            # 1 is what GNU tar says of a file that gets another link meanwhile, as uv makes them.
            if subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode > 1:
                raise RuntimeError(f"{' '.join(command)} failed")

        def unpack() -> None:
            tar("--extract", "--use-compress-program", "unzstd")

        def call(archive: Path, *arguments: str) -> None:
            program = [str(dbt / "bin/python"), "-c", PARSE, str(SESSION_SCRIPT.parent)]
            command = [*program, str(archive), *arguments, *LOCAL]
            subprocess.run(command, cwd=project, env=environment, stdout=subprocess.DEVNULL, check=True)

        install()
        call(nothing, "deps")
        call(nothing, "parse")
        keep_bytecode(bytecode, dbt)
        tar("--create", "--use-compress-program", "zstdmt", "dbt")
        ways: dict[str, tuple[Callable[[], None], Path, int]] = {
            "plain": (install, nothing, 0),
            "kept bytecode": (install, bytecode, bytecode.stat().st_size),
            "whole environment": (unpack, nothing, archive.stat().st_size),
        }
        taken: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
        for _ in range(rounds):
            for way, (make_ready, lent, _) in ways.items():
                shutil.rmtree(dbt, ignore_errors=True)
                shutil.rmtree(project / "target", ignore_errors=True)
                began = time.perf_counter()
                make_ready()
                ready = time.perf_counter()
                call(lent, "parse")
                taken[way].append((ready - began, time.perf_counter() - began))
        print(side_by_side.circumstances(rounds), end="\n\n")
        print("| way | kept | ready | parsed |\n| --- | ---: | ---: | ---: |")
        for way, seconds in taken.items():
            columns = [side_by_side.spread([each[column] for each in seconds]) for column in (0, 1)]
            print(f"| {way} | {ways[way][2] / 1e6:.0f} MB | {' | '.join(columns)} |")


if __name__ == "__main__":
    main()
