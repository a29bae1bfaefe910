"""Real dbt on DuckDB: projects to break."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.conftest import LIBDUCKDB

ROOT = Path(__file__).resolve().parents[2]
PROFILE = """\
little:
  target: local
  outputs:
    local: {type: duckdb, path: little.duckdb, threads: 2}
    unreachable: {type: duckdb, path: no/such/folder/little.duckdb}
    secretive: {type: duckdb, path: "{{ env_var('LITTLE_PATH') }}", threads: 1}
"""
PROJECT = {
    "dbt_project.yml": 'name: little\nprofile: little\nversion: "1.0.0"\nflags: {send_anonymous_usage_stats: false}\n',
    "profiles.yml": PROFILE,
    "models/one.sql": "select 1 as id",
    "models/two.sql": "select id from {{ ref('one') }}",
    "models/three.sql": "select id from {{ ref('two') }}",
}


@dataclass(frozen=True)
class Finished:
    """A finished verb."""

    exit_code: int
    output: str
    folder: Path

    def read(self, name: str) -> Any:
        return msgspec.json.decode((self.folder / name).read_bytes())

    @property
    def nodes(self) -> dict[str, str]:
        """Status by unique_id, as run.json has it."""
        return {node["unique_id"]: node["status"] for node in self.read("run.json")["nodes"]}


@dataclass(frozen=True)
class Project:
    """A dbt project in a folder of its own, and the verbs on it as a user would call them."""

    root: Path
    dbt_python: Path
    # The interpreter of the locked environment, which has DuckDB, and dbt's own checks of its artifacts.
    core_python: Path | None = None

    @property
    def looking_in(self) -> Path:
        """An interpreter that can look into the database."""
        return self.core_python or self.dbt_python

    def write(self, files: Mapping[str, str]) -> None:
        for name, content in files.items():
            file = self.root / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, "utf-8")

    def environment(self, variables: Mapping[str, str]) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "HEADLESS_"))}
        ours = {"PYTHONPATH": str(ROOT / "scripts"), "GITHUB_WORKSPACE": str(self.root)}
        return {**kept, **ours, "LD_LIBRARY_PATH": LIBDUCKDB, **variables}

    def call(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """The program, as it stands on a command line."""
        return subprocess.run(
            [sys.executable, "-P", "-m", "headless_dbt", *arguments],
            cwd=self.root,
            env=self.environment(variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            text=True,
        )

    def verb(self, *arguments: str, folder: Path, **variables: str) -> Finished:
        process = self.call(*arguments, "--run-folder", str(folder), **variables)
        return Finished(process.returncode, process.stdout, folder)

    def run(self, *arguments: str, target: str = "local", dbt: bool = True, **variables: str) -> Finished:
        """`run`, then `report`; what is returned is `run`'s exit code and output."""
        folder = self.root.parent / f"run-{sum(1 for _ in self.root.parent.glob('run-*'))}"
        with_dbt = ("--dbt-python", str(self.dbt_python)) if dbt else ()
        done = self.verb("run", "--target", target, *with_dbt, *arguments, folder=folder, **variables)
        assert "Traceback" not in done.output
        reported = self.verb("report", folder=folder)
        assert reported.exit_code == 0, reported.output
        return done


CORE, RUST = "dbt-core", "dbt 2"
on_both_engines = pytest.mark.parametrize("project", [CORE, RUST], indirect=True)


@pytest.fixture
def project(request: pytest.FixtureRequest, tmp_path: Path, dbt_python: Path) -> Project:
    """Three models in a row, in a folder with a space in its name, for dbt-core or the engine that is asked for."""
    root = tmp_path / "little project"
    root.mkdir()
    engine = getattr(request, "param", CORE)
    made = Project(root, request.getfixturevalue("rust_python") if engine == RUST else dbt_python, dbt_python)
    made.write(PROJECT)
    return made


def sessions_in(folder: Path) -> list[int]:
    """The processes whose working folder is this one, besides the verb itself."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            here = (process / "cwd").readlink() == folder
            command = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if here and b"session.py" in command:
            found.append(int(process.name))
    return found
