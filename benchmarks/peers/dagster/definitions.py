"""The project as Dagster's assets, as `dagster-dbt project scaffold` writes it."""

# mypy: ignore-errors
from pathlib import Path

from dagster import AssetExecutionContext, Definitions
from dagster_dbt import DbtCliResource, DbtProject, dbt_assets

project = DbtProject(project_dir=Path.cwd())
project.prepare_if_dev()


@dbt_assets(manifest=project.manifest_path)
def many(context: AssetExecutionContext, dbt: DbtCliResource):  # noqa: ANN201
    """Every model, seed and test."""
    yield from dbt.cli(["build"], context=context).stream()


defs = Definitions(assets=[many], resources={"dbt": DbtCliResource(project_dir=project)})
