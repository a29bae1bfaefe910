"""The dbt projects that are measured: the sample project, and generated ones of any size, on DuckDB.

``python benchmarks/projects.py FOLDER --models 500`` writes a generated one.
"""

import argparse
import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("orders", "customers", "payments")
ROWS = 100
# ruff: noqa: S608  What is in the SQL is written here.
_PROJECT = """\
name: many
profile: many
version: "1.0"
on-run-start: "{{ load_sources() }}"
models: {many: {+materialized: table}}
"""
_PROFILE = "many: {{target: local, outputs: {{local: {{type: duckdb, path: {path}, threads: 4}}}}}}\n"
# Stands in for what loads the raw tables; before the freshness of sources is looked at, too.
_LOAD = """\
{% macro load_sources() %}
  create schema if not exists raw;
  """
_LOADED = (
    "create table if not exists raw.{name} as select range as id, timestamp '{now}' as loaded_at from range({rows});"
)
_FRESH = "{count: 12, period: hour}"
_TOOLS = "{% macro same(column) %}coalesce({{ column }}, 0){% endmacro %}\n"
_COUNT = """\
import duckdb, json, sys
database = duckdb.connect(sys.argv[1], read_only=True)
names = database.sql("select table_name from information_schema.tables where table_schema = 'main'").fetchall()
print(json.dumps({name: database.sql(f'select count(*) from main."{name}"').fetchall()[0][0] for name, in names}))
"""


@dataclass(frozen=True)
class Project:
    """A project to measure: its name in the table, how it is written, and how many models it has if it is generated."""

    name: str
    make: Callable[[Path], None]
    models: int | None = None


def sample() -> Project:
    """The sample project without what a run has left in it, and with a package to install."""

    def make(folder: Path) -> None:
        left = shutil.ignore_patterns("target", "*.duckdb*", "logs", "dbt_packages")
        shutil.copytree(ROOT / "dbt_project", folder, ignore=left)
        _add_package(folder)

    return Project("sample project", make)


def generated(models: int) -> Project:
    """Chains of ten tables with a test each, out of three sources; a seed, and a package to install."""

    def make(folder: Path) -> None:
        _generate(folder, models)

    return Project(f"{models:,} models", make, models)


def _generate(folder: Path, models: int) -> None:
    for name in ("models", "macros", "seeds"):
        (folder / name).mkdir(parents=True)
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
    loads = "\n  ".join(_LOADED.format(name=name, now=now, rows=ROWS) for name in SOURCES)
    (folder / "dbt_project.yml").write_text(_PROJECT)
    # From the root: Cosmos builds in a copy of the project.
    (folder / "profiles.yml").write_text(_PROFILE.format(path=json.dumps(str(database(folder)))))
    (folder / "macros/load_sources.sql").write_text(f"{_LOAD}{loads}\n{{% endmacro %}}\n")
    (folder / "seeds/kinds.csv").write_text("id,kind\n0,even\n1,odd\n")
    tables = "".join(f"      - name: {name}\n" for name in SOURCES)
    (folder / "models/_sources.yml").write_text(
        f"sources:\n  - name: raw\n    schema: raw\n    config:\n      loaded_at_field: loaded_at\n"
        f"      freshness: {{warn_after: {_FRESH}}}\n    tables:\n{tables}"
    )
    entries = []
    for number in range(models):
        source = f"ref('m_{number - 1}')" if number % 10 else f"source('raw', '{SOURCES[number // 10 % len(SOURCES)]}')"
        kind = " left join {{ ref('kinds') }} as kinds on kinds.id = earlier.id % 2" if number % 10 == 9 else ""
        sql = f"select {{{{ tools.same('earlier.id') }}}} as id from {{{{ {source} }}}} as earlier{kind}\n"
        (folder / f"models/m_{number}.sql").write_text(sql)
        entries.append(f"  - {{name: m_{number}, columns: [{{name: id, data_tests: [not_null]}}]}}")
    (folder / "models/_models.yml").write_text("\n".join(("models:", *entries, "")))
    _add_package(folder)


def _add_package(folder: Path) -> None:
    """A package beside the project's own code, so that `dbt deps` has something to do, and no network to wait for."""
    package = folder / "tools"
    (package / "macros").mkdir(parents=True)
    (package / "dbt_project.yml").write_text('name: tools\nversion: "1.0"\n')
    (package / "macros/same.sql").write_text(_TOOLS)
    (folder / "packages.yml").write_text("packages: [{local: tools}]\n")


def database(folder: Path) -> Path:
    """The DuckDB file of a generated project."""
    return folder / "many.duckdb"


def check_built(folder: Path, models: int, python: Path) -> None:
    """Hold that every model of a generated project is there, with all its rows. Raises RuntimeError."""
    command = [str(python), "-c", _COUNT, str(database(folder))]
    found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    missing = [name for number in range(models) if found.get(name := f"m_{number}") != ROWS]
    if missing:
        raise RuntimeError(f"{len(missing)} of {models} models were not built, {missing[0]} for one: {found}")


def main() -> None:
    """Write a project, as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--models", type=int, default=500)
    given = parser.parse_args()
    generated(given.models).make(given.folder.resolve())


if __name__ == "__main__":
    main()
