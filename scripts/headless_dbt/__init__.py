"""headless-dbt: dbt in production on GitHub Actions, with no orchestrator to operate."""

__version__ = "0.4.0"
