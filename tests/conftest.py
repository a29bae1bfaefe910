"""What several rings of tests share: environments that are built once, and the BigQuery emulator."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from headless_dbt import environments

from tests.bigquery_emulator import BigQueryEmulator, build_environment, start_emulator
from tests.identity_double import IdentityDouble

ROOT = Path(__file__).resolve().parents[1]
RUST_VERSION = "2.0.0rc196"
# Where the library lies that dbt 2 loads for DuckDB; dbt-duckdb brings its own.
LIBDUCKDB = ":".join(str(file.parent) for file in ROOT.glob("tests/node_modules/@duckdb/node-bindings-*/libduckdb.so"))

Complaint = Callable[[Path], str | None]
# dbt reads the files itself, by its own schema: one path a line.
VALIDATOR = """\
import json, sys, traceback
from dbt.artifacts.schemas.run import RunResultsArtifact
for line in sys.stdin:
    try:
        RunResultsArtifact.read_and_check_versions(line.rstrip())
        RunResultsArtifact.validate(json.load(open(line.rstrip())))
        print("null", flush=True)
    except Exception:
        print(json.dumps(traceback.format_exc()), flush=True)
"""


@pytest.fixture(scope="session")
def dbt_python() -> Path:
    """The interpreter of the locked dbt environment; `make test` has the same one as `make run`, by the same Python."""
    requirements = environments.dbt_requirements("duckdb", "", "", None, ROOT, python_models=False)
    parent = (ROOT / ".venv").resolve()
    folder = parent / f"dbt-{environments.fingerprint(requirements, '')[:12]}"
    return environments.build_dbt_environment(folder, requirements, str(parent / "tool/bin/python"), os.environ)


@pytest.fixture(scope="session")
def rust_python() -> Path:
    """The interpreter beside dbt 2, the Rust engine: the last release that is a wheel with its binary in it."""
    requirements = environments.dbt_requirements("duckdb", RUST_VERSION, "", None, ROOT, python_models=False)
    folder = (ROOT / ".venv" / f"dbt-{environments.fingerprint(requirements, '')[:12]}").resolve()
    return environments.build_dbt_environment(folder, requirements, "", os.environ)


@pytest.fixture(scope="session")
def complaint(dbt_python: Path) -> Iterator[Complaint]:
    """What dbt has against a file of run results. It is imported once, because that takes longer than to read many."""
    command: list[str | Path] = [dbt_python, "-c", VALIDATOR]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as validator:
        assert validator.stdin
        assert validator.stdout
        ask, answer = validator.stdin, validator.stdout

        def complaint(run_results: Path) -> str | None:
            print(run_results, file=ask, flush=True)
            said: str | None = json.loads(answer.readline())
            return said

        yield complaint


@pytest.fixture(scope="session")
def bigquery_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BigQueryEmulator]:
    """A BigQuery on this machine, one for each worker; a test keeps to a project of its own in it."""
    environment = build_environment((ROOT / ".venv").resolve())
    with start_emulator(environment, tmp_path_factory.mktemp("bigquery")) as emulator:
        yield emulator


@pytest.fixture
def identity() -> Iterator[IdentityDouble]:
    """The services that hand out Google credentials' tokens."""
    with IdentityDouble() as double:
        yield double
