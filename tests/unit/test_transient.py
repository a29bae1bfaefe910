"""Which errors may heal by themselves, told by the texts that people really see."""

import pytest
from headless_dbt.transient import transient_cause

PASSING = [
    ("bigquery", "403 Exceeded rate limits: too many table update operations for this table", "rate limit"),
    (
        "bigquery",
        "Database Error in model a (models/a.sql)\n  503 GET https://bigquery.googleapis.com/x",
        "service unavailable",
    ),
    ("bigquery", "Error encountered during execution. Retrying may solve the problem. backendError", "backend error"),
    ("bigquery", "400 Could not serialize access to table x due to concurrent update", "concurrent update"),
    ("bigquery", "400 Transaction is aborted due to concurrent update against table x", "concurrent update"),
    ("bigquery", "An internal error occurred and the request could not be completed. Error: 3144498", "internal error"),
    ("bigquery", "('Connection aborted.', RemoteDisconnected('Remote end closed connection'))", "connection reset"),
    (
        "duckdb",
        'IO Error: Could not set lock on file "x.duckdb": Conflicting lock is held',
        "lock held by another process",
    ),
    ("duckdb", "TransactionContext Error: Conflict on tuple deletion!", "conflicting transaction"),
    ("postgres", "deadlock detected\nDETAIL: Process 7 waits", "deadlock"),
    ("postgres", "FATAL:  the database system is starting up", "server starting or stopping"),
    ("", "[Errno 104] Connection reset by peer", "connection reset"),
    ("", "[Errno 111] Connection refused", "connection refused"),
    ("", "Temporary failure in name resolution", "network away"),
    ("", "HTTPSConnectionPool(host='x', port=443): Read timed out.", "connection timed out"),
    ("", "429 Too Many Requests", "service unavailable"),
]
LASTING = [
    ("bigquery", "403 Quota exceeded: Your project exceeded quota for free query bytes scanned. quotaExceeded"),
    ("bigquery", "Resources exceeded during query execution: Not enough resources for query planning"),
    ("bigquery", "403 Access Denied: Table x: User does not have bigquery.tables.get. 503 Service Unavailable"),
    ("bigquery", "google.auth.exceptions.RefreshError: invalid_grant: Invalid JWT Signature."),
    ("bigquery", "404 Not found: Dataset x was not found in location EU"),
    ("duckdb", 'Binder Error: Referenced column "nope" not found in FROM clause!'),
    ("duckdb", "Conversion Error: Could not convert string '503' to INT32"),
    (
        "postgres",
        'connection to server failed: FATAL:  password authentication failed for user "dbt". Connection refused',
    ),
    ("", "Compilation Error in model a\n  'rateLimitExceeded' is undefined"),
    ("", "Could not resolve host: no.such.host"),
    ("", ""),
]


@pytest.mark.parametrize(("adapter", "message", "cause"), PASSING)
def test_a_passing_cause_is_named(adapter: str, message: str, cause: str) -> None:
    assert transient_cause(adapter, "error", message) == cause


@pytest.mark.parametrize(("adapter", "message"), LASTING)
def test_a_lasting_cause_is_none(adapter: str, message: str) -> None:
    assert transient_cause(adapter, "error", message) is None


@pytest.mark.parametrize("status", ["fail", "warn", "skipped", "success", "partial success", "splendid"])
def test_only_an_error_can_pass(status: str) -> None:
    assert transient_cause("bigquery", status, "503 Service Unavailable") is None


def test_the_texts_of_one_adapter_are_not_those_of_another() -> None:
    assert transient_cause("duckdb", "error", "rateLimitExceeded") is None
