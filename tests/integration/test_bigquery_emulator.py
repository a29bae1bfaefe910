"""Runs on BigQuery that are continued: what stands there is asked of the warehouse, whatever token there is by then."""

import pytest

from tests.bigquery_emulator import BigQueryEmulator
from tests.integration.conftest import Finished, Project
from tests.integration.test_resume import red, resumed, taken

PROFILE = """\
little:
  outputs:
    prod:
      type: bigquery
      method: oauth-secrets
      token: "{{ env_var('DBT_ENV_SECRET_TOKEN') }}"
      project: "{{ env_var('GOOGLE_CLOUD_PROJECT') }}"
      dataset: little
      location: EU
      threads: 2
"""


@pytest.fixture
def on_bigquery(project: Project, bigquery_emulator: BigQueryEmulator) -> dict[str, str]:
    """The project's target, and the variables with which dbt gets to it."""
    project.write({"profiles.yml": PROFILE})
    return {"target": "prod", "BIGQUERY_EMULATOR_HOST": bigquery_emulator.url, "GOOGLE_CLOUD_PROJECT": "acme-resumed"}


def leaks(done: Finished, token: str) -> list[str]:
    return [file.name for file in done.folder.rglob("*") if file.is_file() and token.encode() in file.read_bytes()]


def test_a_run_is_continued_only_where_its_tables_are(
    project: Project, bigquery_emulator: BigQueryEmulator, on_bigquery: dict[str, str]
) -> None:
    earlier = red(project, **on_bigquery, DBT_ENV_SECRET_TOKEN="token-of-the-night")
    assert 'column "nope" not found' in earlier.output
    assert not leaks(earlier, "token-of-the-night")

    on_bigquery["DBT_ENV_SECRET_TOKEN"] = "token-of-the-morning"
    done = resumed(project, earlier, **on_bigquery)

    assert done.exit_code == 0, done.output
    assert taken(done) == {"one", "two"}
    assert not leaks(done, "token-of-the-morning")

    elsewhere = resumed(project, earlier, **{**on_bigquery, "GOOGLE_CLOUD_PROJECT": "acme-elsewhere"})

    assert elsewhere.exit_code == 0, elsewhere.output
    assert taken(elsewhere) == set()

    bigquery_emulator.query("acme-resumed", "drop view little.two")
    once_more = resumed(project, earlier, **on_bigquery)

    assert once_more.exit_code == 0, once_more.output
    assert taken(once_more) == set()
    assert bigquery_emulator.query("acme-resumed", "select id from little.three") == [("1",)]
