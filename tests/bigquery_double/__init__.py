"""A small BigQuery that lives on a loopback port, for what the emulator cannot do.

It stands in for `bqemulator` only where that has nothing to say: bytes and slots in a job's statistics, faults of
the service, jobs that run on until they are cancelled, refused permissions, expired tokens. It runs no SQL: every
statement succeeds, unless the test plans something else.

    with BigQueryDouble(project="acme-dwh", location="EU") as bigquery:
        bigquery.fail_jobs(sql="orders", reason="backendError", message="Error encountered during execution.")
        bigquery.fault("POST", "/jobs", status=503, reason="backendError")
        ... run dbt with BIGQUERY_EMULATOR_HOST=bigquery.url ...
        assert [job.state for job in bigquery.jobs] == ["DONE"]

Every request and every answer is held against Google's own description of the API. Leaving the `with` block fails on
what breaks it, and on plans that nothing met.
"""

from tests.bigquery_double.double import BigQueryDouble
from tests.bigquery_double.plans import FOREVER
from tests.bigquery_double.state import Job

__all__ = ["FOREVER", "BigQueryDouble", "Job"]
