"""What `dagster-dbt project prepare-and-package` prepares: the project alone, without the manifest that it makes."""

# mypy: ignore-errors
from pathlib import Path

from dagster_dbt import DbtProject

project = DbtProject(project_dir=Path.cwd())
