"""The profile of docs/bigquery.md, read by real dbt with its real adapter."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROFILE = (ROOT / "docs/bigquery/profiles.yml").read_text("utf-8")
PROJECT = 'name: shop\nprofile: shop\nversion: "1.0.0"\nflags: {send_anonymous_usage_stats: false}\n'
# Prints the settings that the adapter does not know: dbt itself says nothing of them.
UNKNOWN = """
import dataclasses, pathlib, yaml
from dbt.adapters.bigquery.credentials import BigQueryCredentials

raw = yaml.safe_load(pathlib.Path("profiles.yml").read_text())["shop"]["outputs"]["prod"]
known = {field.name for field in dataclasses.fields(BigQueryCredentials)} | set(BigQueryCredentials._ALIASES)
print(*sorted(raw.keys() - known - {"type", "threads"}))
"""


def _dbt(dbt_python: Path, project: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    (project / "dbt_project.yml").write_text(PROJECT, "utf-8")
    (project / "models").mkdir(exist_ok=True)
    (project / "models/one.sql").write_text("select 1 as id", "utf-8")
    return subprocess.run(
        [dbt_python, *arguments],
        cwd=project,
        env={"PATH": os.environ["PATH"], "HOME": str(project), "DBT_PROFILES_DIR": str(project), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_profile_is_one_that_dbt_parses_a_project_with(dbt_python: Path, tmp_path: Path) -> None:
    (tmp_path / "profiles.yml").write_text(PROFILE, "utf-8")
    parsed = _dbt(dbt_python, tmp_path, "-m", "dbt.cli.main", "parse", GOOGLE_CLOUD_PROJECT="my-project")
    assert parsed.returncode == 0, parsed.stdout + parsed.stderr
    without = _dbt(dbt_python, tmp_path, "-m", "dbt.cli.main", "parse")
    assert without.returncode != 0
    assert "Env var required but not provided: 'GOOGLE_CLOUD_PROJECT'" in without.stdout


@pytest.mark.parametrize(
    ("profile", "unknown"), [(PROFILE, ""), (PROFILE.replace("billed", "biled"), "maximum_bytes_biled")]
)
def test_its_settings_are_those_of_the_adapter(dbt_python: Path, tmp_path: Path, profile: str, unknown: str) -> None:
    (tmp_path / "profiles.yml").write_text(profile, "utf-8")
    read = _dbt(dbt_python, tmp_path, "-c", UNKNOWN)
    assert (read.stdout.strip(), read.stderr) == (unknown, "")


def test_the_settings_of_the_table_are_those_of_the_adapter(dbt_python: Path, tmp_path: Path) -> None:
    page = (ROOT / "docs/bigquery.md").read_text("utf-8")
    named = re.findall(r"^\| `(\w+)` \| profile", page, re.MULTILINE)
    assert len(named) >= 4
    lines = "".join(f"      {name}: 1\n" for name in named)
    (tmp_path / "profiles.yml").write_text(f"shop:\n  outputs:\n    prod:\n{lines}", "utf-8")
    assert _dbt(dbt_python, tmp_path, "-c", UNKNOWN).stdout.strip() == ""
