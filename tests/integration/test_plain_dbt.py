"""A report on what a plain dbt left, from the oldest that is supported to the newest engine: real ones, run by hand."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from headless_dbt import environments
from headless_dbt.__main__ import main

from tests.conftest import LIBDUCKDB, ROOT, RUST_VERSION

PROJECT = {
    "dbt_project.yml": """\
name: little
profile: little
version: "1.0.0"
flags: {send_anonymous_usage_stats: false}
on-run-start: "create or replace table main.loads as select timestamp '2020-01-01' as loaded_at"
""",
    "profiles.yml": "little:\n  target: local\n  outputs: {local: {type: duckdb, path: little.duckdb, threads: 2}}\n",
    "models/events.sql": "select 1 as id union all select 1",
    "models/events.yml": """\
models:
  - name: events
    config: {tags: [nightly], meta: {owner: data@example.com}}
    columns: [{name: id, data_tests: [unique]}]
exposures:
  - name: board
    type: dashboard
    owner: {name: Data team, email: data@example.com}
    depends_on: [ref('after')]
sources:
  - name: raw
    schema: main
    FRESHNESS
    tables: [{name: loads}]
""",
    "models/stray.sql": "select 1 as id",
    "models/broken.sql": "{{ config(materialized='table') }} select cast('no number' as integer) as id",
    "models/after.sql": "select id from {{ ref('broken') }}",
}
RED_TEST = "test.little.unique_events_id.9d6e3882cf"


@dataclass(frozen=True)
class Dbt:
    """A version of dbt: its exact pins, its name in its artifacts, and how freshness is written for it."""

    pins: tuple[str, ...]
    version: str
    freshness: str

    def python(self) -> Path:
        """The interpreter that has it."""
        requirements = environments.DbtRequirements(None, self.pins, ROOT / "requirements-excludes.txt")
        folder = (ROOT / ".venv" / f"dbt-{environments.fingerprint(requirements, '')[:12]}").resolve()
        return environments.build_dbt_environment(folder, requirements, "", os.environ)

    def call(self, project: Path, *arguments: str) -> int:
        """Run a command of it in a project; return its exit code."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("DBT_", "HEADLESS_"))}
        return subprocess.run(
            [self.python().parent / "dbt", *arguments],
            cwd=project,
            env={**kept, "DO_NOT_TRACK": "1", "LD_LIBRARY_PATH": LIBDUCKDB},
            stdout=subprocess.DEVNULL,
            check=False,
        ).returncode


OLDEST = Dbt(
    ("dbt-core==1.8.10", "dbt-duckdb==1.8.4", "dbt-adapters==1.16.3", "dbt-common==1.27.1", "duckdb==2.0.1"),
    "1.8.10",
    "loaded_at_field: loaded_at\n    freshness: {error_after: {count: 1, period: hour}}",
)
RUST = Dbt(
    (f"dbt=={RUST_VERSION}",),
    "2.0.0-preview.196",
    "config: {loaded_at_field: loaded_at, freshness: {error_after: {count: 1, period: hour}}}",
)


@pytest.mark.parametrize("dbt", [OLDEST, RUST], ids=lambda dbt: dbt.version)
def test_what_a_plain_dbt_left_becomes_a_report(dbt: Dbt, tmp_path: Path) -> None:
    project = tmp_path / "little"
    for name, content in PROJECT.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(content.replace("FRESHNESS", dbt.freshness), "utf-8")
    assert dbt.call(project, "build") == 1
    assert dbt.call(project, "source", "freshness") == 1

    code, run = _report(project, tmp_path / "run")

    assert code == 0
    package = "dbt" if dbt is RUST else "dbt-core"
    assert (run["status"], run["installation"]["installed"]) == ("failure", {package: dbt.version})
    nodes = {node["unique_id"]: node for node in run["nodes"] if node["resource_type"] != "exposure"}
    assert {name: (node["status"], node["outcome"]) for name, node in nodes.items()} == {
        "model.little.events": ("success", "passed"),
        "model.little.stray": ("success", "passed"),
        "model.little.broken": ("error", "failed"),
        "model.little.after": ("skipped", "skipped"),
        RED_TEST: ("fail", "failed"),
        "source.little.raw.loads": ("error", "failed"),
    }
    assert "no number" in nodes["model.little.broken"]["message"]
    assert nodes["model.little.broken"]["file"] == "models/broken.sql"
    assert nodes[RED_TEST]["file"] == "models/events.yml"
    assert {(*cause["nodes"], cause["blocks"]) for cause in run["causes"]} == {
        ("model.little.broken", 1),
        (RED_TEST, 0),
        ("source.little.raw.loads", 0),
    }
    [broken] = [cause for cause in run["causes"] if cause["nodes"] == ["model.little.broken"]]
    assert [exposure["name"] for exposure in broken["exposures"]] == ["board"]
    page = (tmp_path / "run/report.html").read_text("utf-8")
    assert "model.little.broken" in page


def _report(project: Path, folder: Path) -> tuple[int, Any]:
    arguments = ["report", "--artifacts", str(project / "target"), "--run-folder", str(folder)]
    code = main(arguments, {"GITHUB_WORKSPACE": str(project)})
    return code, msgspec.json.decode((folder / "run.json").read_bytes())
