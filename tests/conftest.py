"""What several rings of tests share: environments that are built once, and the BigQuery emulator."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from headless_dbt import environments

from tests.bigquery_emulator import BigQueryEmulator, build_environment, start_emulator
from tests.identity_double import IdentityDouble

ROOT = Path(__file__).resolve().parents[1]
RUST_VERSION = "2.0.0rc196"
# Where the library lies that dbt 2 loads for DuckDB; dbt-duckdb brings its own.
LIBDUCKDB = ":".join(str(file.parent) for file in ROOT.glob("tests/node_modules/@duckdb/node-bindings-*/libduckdb.so"))


@pytest.fixture(scope="session")
def dbt_python() -> Path:
    """The interpreter of the locked dbt environment; `make test` has the same one as `make run`, by the same Python."""
    requirements = environments.dbt_requirements("duckdb", "", "", None, ROOT)
    parent = (ROOT / ".venv").resolve()
    folder = parent / f"dbt-{environments.fingerprint(requirements, '')[:12]}"
    return environments.build_dbt_environment(folder, requirements, str(parent / "tool/bin/python"), os.environ)


@pytest.fixture(scope="session")
def rust_python() -> Path:
    """The interpreter beside dbt 2, the Rust engine: the last release that is a wheel with its binary in it."""
    requirements = environments.dbt_requirements("duckdb", RUST_VERSION, "", None, ROOT)
    folder = (ROOT / ".venv" / f"dbt-{environments.fingerprint(requirements, '')[:12]}").resolve()
    return environments.build_dbt_environment(folder, requirements, "", os.environ)


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
