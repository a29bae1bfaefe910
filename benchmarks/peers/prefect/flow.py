"""The project as a flow of Prefect, as the docs of prefect-dbt show it."""

# mypy: ignore-errors
from prefect import flow
from prefect_dbt import PrefectDbtRunner


@flow
def run_dbt() -> None:
    """Build everything."""
    PrefectDbtRunner().invoke(["build"])


if __name__ == "__main__":
    run_dbt()
