"""Orchestrators against bare dbt, on the same project: ``python benchmarks/measure_peers.py [ROUNDS] [--peer NAME …]``.

A generated project of 15 models on DuckDB. Each peer has an environment of its own, with the dbt and DuckDB that bare
dbt has, and runs the way that its docs show, each time with a fresh database of its own. What a deployment does once is
off the clock: the column "beforehand" says what that is. On the clock is one run, from the command to its end.

- Dagster begins with the manifest that `prepare-and-package` made; the others parse the project on the clock.
  `dagster asset materialize` still is in Dagster, which by now points to `dg launch`.
- Prefect starts its temporary server, as it does where no other is set.
- Cosmos runs dbt for each node, inside of Airflow's process. `airflow dags test` runs one task after the other; a
  scheduler would start several at once, which a DuckDB file does not allow, as one process at a time may write to it.
  In production, the scheduler's process renders the DAG; here it is on the clock.
- `headless-dbt` installs the project's packages and parses on the clock, and reports.
"""

import argparse
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from headless_dbt import environments

from benchmarks import projects, side_by_side
from benchmarks.side_by_side import ENVIRONMENTS, TOOL_PYTHON, Way, bare_dbt, headless_dbt

PEERS = Path(__file__).with_name("peers")
MODELS = 15


@dataclass(frozen=True)
class Peer:
    """An orchestrator: which packages it is, and its commands by the names of their programs.

    ``folder`` and its like are those of ``Way``; ``beforehand`` is what the table says of what is off the clock.
    """

    packages: tuple[str, ...]
    beforehand: str
    before: tuple[tuple[str, ...], ...]
    command: tuple[str, ...]
    variables: dict[str, str] = field(default_factory=dict)


DAGSTER, PREFECT, AIRFLOW = (PEERS / name for name in ("dagster", "prefect", "airflow"))
ALL = {
    "dagster": Peer(
        packages=("dagster", "dagster-dbt"),
        beforehand="`prepare-and-package`",
        before=(
            ("/bin/cp", str(DAGSTER / "dagster.yaml"), "../beside"),
            ("dagster-dbt", "project", "prepare-and-package", "--file", str(DAGSTER / "project.py")),
        ),
        command=("dagster", "asset", "materialize", "--select", "*", "-f", str(DAGSTER / "definitions.py")),
        variables={"DAGSTER_HOME": "{folder}"},
    ),
    "prefect": Peer(
        packages=("prefect", "prefect-dbt"),
        beforehand="`dbt deps`, `prefect server database upgrade`",
        before=(("dbt", "deps"), ("prefect", "server", "database", "upgrade", "--yes")),
        command=("python", str(PREFECT / "flow.py")),
        variables={"PREFECT_HOME": "{folder}", "PREFECT_SERVER_ANALYTICS_ENABLED": "false"},
    ),
    "airflow": Peer(
        packages=("apache-airflow", "astronomer-cosmos"),
        beforehand="`airflow db migrate`",
        before=(("airflow", "db", "migrate"),),
        command=("airflow", "dags", "test", "many"),
        variables={
            "AIRFLOW_HOME": "{folder}",
            "AIRFLOW__CORE__DAGS_FOLDER": str(AIRFLOW),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__COSMOS__CACHE_DIR": "{folder}/cosmos",
            "SCARF_ANALYTICS": "false",
        },
    ),
}


def install(name: str) -> Path:
    """Build the environment of a peer from its lock; return the folder of its programs. Raises CalledProcessError."""
    uv, folder = str(ENVIRONMENTS / "uv/bin/uv"), ENVIRONMENTS / f"peer-{name}"
    python = ["--python", str(folder / "bin/python")]
    locked = ["--no-build", "--require-hashes", "--compile-bytecode", str(PEERS / f"requirements-{name}.txt")]
    venv = [uv, "venv", "--quiet", "--no-project", "--allow-existing", "--python", str(TOOL_PYTHON), str(folder)]
    for command in (venv, [uv, "pip", "sync", "--quiet", *python, *locked]):
        subprocess.run(command, check=True)
    return folder / "bin"


def way_of(name: str) -> Way:
    """How a peer is run; its environment is built where it is not there yet."""
    peer, programs = ALL[name], install(name)
    versions = environments.locked_versions((PEERS / f"requirements-{name}.txt").read_text("utf-8"))
    title = ", ".join(f"{package} {versions[package]}" for package in peer.packages)
    # They start dbt by its name.
    variables = {"PATH": f"{programs}:/usr/bin:/bin", **peer.variables}
    return Way(
        title,
        [[str(programs / peer.command[0]), *peer.command[1:]]],
        before=[[str(programs / program), *arguments] for program, *arguments in peer.before],
        beforehand=peer.beforehand,
        variables=variables,
    )


def ways(names: Iterable[str], python: Path) -> list[Way]:
    """Bare dbt, headless-dbt and the peers."""
    return [
        bare_dbt(str(python.parent / "dbt")),
        headless_dbt("`headless-dbt`", "--dbt-python", str(python)),
        *map(way_of, names),
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rounds", nargs="?", type=int, default=3)
    parser.add_argument("--peer", nargs="*", choices=ALL, default=list(ALL))
    given = parser.parse_args()
    python = side_by_side.dbt_python()
    project, found = projects.generated(MODELS), ways(given.peer, python)
    check = partial(projects.check_built, models=MODELS, python=python)
    # Off the record: Python's compiled files are written. Those of the peers come with their environments.
    side_by_side.take_turns(found[:2], project.make, 1, check)
    print(side_by_side.circumstances(given.rounds), end="\n\n")
    print(side_by_side.heading("run by"), flush=True)
    print("\n".join(side_by_side.rows(project.name, side_by_side.take_turns(found, project.make, given.rounds, check))))


if __name__ == "__main__":
    main()
