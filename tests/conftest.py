"""What several rings of tests share: an environment of dbt that is built once."""

import os
from pathlib import Path

import pytest
from headless_dbt import environments

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def dbt_python() -> Path:
    """The interpreter of the locked dbt environment; `make test` has the same one as `make run`."""
    requirements = environments.dbt_requirements("duckdb", "", "", None, ROOT)
    folder = (ROOT / ".venv" / f"dbt-{environments.fingerprint(requirements, '')[:12]}").resolve()
    return environments.build_dbt_environment(folder, requirements, "", os.environ)
