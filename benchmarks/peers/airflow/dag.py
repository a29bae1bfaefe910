"""The project as a DAG of Airflow, as the docs of Cosmos show it: local execution, dbt installed together with it."""

# mypy: ignore-errors
from datetime import UTC, datetime
from pathlib import Path

from cosmos import DbtDag, ProfileConfig, ProjectConfig

project = Path.cwd()
many = DbtDag(
    project_config=ProjectConfig(project),
    profile_config=ProfileConfig(
        profile_name="many", target_name="local", profiles_yml_filepath=project / "profiles.yml"
    ),
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    dag_id="many",
)
