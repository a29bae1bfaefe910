"""A whole run against bare dbt: ``python benchmarks/measure_run.py [ROUNDS] [--project NAME …]``.

On DuckDB, from a fresh checkout each time: a copy of the sample project, and generated ones of 15 and 500 models. So
the first command that parses does so from nothing; of four, those after it use what the first left.

- Bare: `dbt build` alone. Its packages are installed before the clock starts.
- Four commands: what a usual workflow runs one by one: `dbt deps`, `source freshness`, `build`, `docs generate`.
- `headless-dbt`: `run` with freshness and docs, and `report`. It installs the packages, too. On the generated projects
  with dbt 2 as well, also as the inputs are by default, without freshness and docs: on DuckDB, dbt 2 cannot run a unit
  test of an incremental model, as the sample project has one.

And how long dbt parses 15, 500 and 5,000 models, from nothing and with what it remembers of the last time.
"""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benchmarks import projects, side_by_side
from benchmarks.projects import Project
from benchmarks.side_by_side import LOCAL, Way, bare_dbt, headless_dbt
from tests.conftest import LIBDUCKDB, RUST_VERSION

FOUR = (("deps",), ("source", "freshness"), ("build",), ("docs", "generate"))
EXTRAS = ("--docs", "true", "--source-freshness", "true")
RUN = {"sample": projects.sample(), "15": projects.generated(15), "500": projects.generated(500)}
PARSE = {"15": RUN["15"], "500": RUN["500"], "5000": projects.generated(5000)}


def ways_to_run(python: Path) -> list[Way]:
    """Bare dbt, four commands, and headless-dbt with each engine."""
    dbt = str(python.parent / "dbt")
    dbt_2 = ("--adapter", "duckdb", "--dbt-version", RUST_VERSION)
    return [
        bare_dbt(dbt),
        Way("four commands", [[dbt, *command, *LOCAL] for command in FOUR]),
        headless_dbt("`headless-dbt`", "--dbt-python", str(python), *EXTRAS),
        headless_dbt("`headless-dbt`, dbt 2", *dbt_2, *EXTRAS, LD_LIBRARY_PATH=LIBDUCKDB),
        headless_dbt("`headless-dbt`, dbt 2, by default", *dbt_2, LD_LIBRARY_PATH=LIBDUCKDB),
    ]


def ways_to_parse(python: Path) -> list[Way]:
    """From nothing, and with what dbt remembers."""
    dbt = str(python.parent / "dbt")
    deps, parse = [dbt, "deps", *LOCAL], [dbt, "parse", *LOCAL]
    return [
        Way("from nothing", [parse], before=[deps], beforehand="`dbt deps`"),
        Way("nothing changed", [parse], before=[deps, parse], beforehand="`dbt deps`, `dbt parse`"),
    ]


def show(project: Project, ways: Sequence[Way], rounds: int, python: Path, *, built: bool) -> None:
    """Measure on one project, and print its rows."""
    check = None
    if built and project.models:
        check = partial(projects.check_built, models=project.models, python=python)
    measured = side_by_side.take_turns(ways, project.make, rounds, check)
    print("\n".join(side_by_side.rows(project.name, measured)), flush=True)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rounds", nargs="?", type=int, default=5)
    parser.add_argument("--project", nargs="*", choices=sorted({*RUN, *PARSE}), default=[*RUN, *PARSE])
    given = parser.parse_args()
    python = side_by_side.dbt_python()
    ways = ways_to_run(python)
    # Off the record: environments are built, and Python's compiled files are written.
    side_by_side.take_turns(ways, RUN["15"].make, 1)
    print(side_by_side.circumstances(given.rounds, f"dbt 2: {RUST_VERSION}"), end="\n\n")
    for what, known, compared, built in (
        ("run by", RUN, ways, True),
        ("`dbt parse`", PARSE, ways_to_parse(python), False),
    ):
        chosen = [project for name, project in known.items() if name in given.project]
        if not chosen:
            continue
        print(side_by_side.heading(what), flush=True)
        for project in chosen:
            possible = compared[:3] if project is RUN["sample"] else compared
            show(project, possible, given.rounds, python, built=built)
        print()


if __name__ == "__main__":
    main()
