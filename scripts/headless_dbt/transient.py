"""Which errors heal by themselves: causes by adapter, told by the text of dbt's message. Pure.

Only what the service itself calls passing is in here. A cause is named so that a person can judge it.

Sources: https://cloud.google.com/bigquery/docs/error-messages, https://duckdb.org/docs/stable/connect/concurrency,
https://www.postgresql.org/docs/current/errcodes-appendix.html.
"""

import re

_NETWORK = {
    "connection reset": r"connection reset|connectionreseterror|connection aborted|broken pipe"
    r"|server closed the connection|remote end closed connection|remotedisconnected"
    r"|unexpected eof|eof occurred in violation of protocol",
    "connection refused": r"connection refused|failed to establish a new connection|could not connect to server",
    "network away": r"network is unreachable|no route to host|temporary failure in name resolution",
    "connection timed out": r"connection timed out|connect timeout|read timed out|read timeout",
    "service unavailable": r"\b(?:500 internal server error|502 bad gateway|503 service unavailable"
    r"|504 gateway time-?out|429 too many requests)\b|service unavailable|too many requests",
}
_BY_ADAPTER = {
    "bigquery": {
        "rate limit": r"rateLimitExceeded|exceeded rate limits|jobRateLimitExceeded",
        "backend error": r"backendError|jobBackendError",
        "internal error": r"internalError|jobInternalError|an internal error occurred|encountered an internal error",
        "service unavailable": r"\b(?:500|502|503|504)\b[ :]+(?:GET|POST|PUT|PATCH)\b"
        r"|retrying (?:the job|may solve|your)",
        "concurrent update": r"could not serialize access to table|due to concurrent update|concurrent (?:jobs|update)",
    },
    "duckdb": {
        "lock held by another process": r"could not set lock on file|conflicting lock is held",
        "conflicting transaction": r"transactioncontext error: (?:catalog write-write )?conflict|write-write conflict",
    },
    "postgres": {
        "deadlock": r"deadlock detected|could not serialize access due to",
        "server starting or stopping": r"the database system is (?:starting up|shutting down|in recovery mode)"
        r"|terminating connection due to administrator command",
        "too many connections": r"too many (?:clients|connections)|remaining connection slots are reserved",
    },
    "snowflake": {"lock": r"number of waiters for this lock exceeds|statement .* was aborted because the number"},
    "redshift": {"serializable isolation": r"serializable isolation violation"},
    "databricks": {"passing state": r"TEMPORARILY_UNAVAILABLE|ConcurrentAppendException|CLUSTER_STARTING"},
}
# A retry cannot help these, whatever else stands in their message.
_PERMANENT = re.compile(
    r"compilation error|password authentication failed|authentication failed|invalid_grant|invalid credentials"
    r"|access denied|permission denied|quotaExceeded|quota exceeded|resources exceeded|billing",
    re.IGNORECASE,
)


def transient_cause(adapter: str, status: str, message: str) -> str | None:
    """The cause for which a failure may heal by itself, or None where it cannot.

    ``adapter`` is dbt's adapter type, ``status`` and ``message`` are of the node's result. A data test that failed
    is never transient: only an ``error`` can be.
    """
    if status not in ("error", "runtime error") or _PERMANENT.search(message):
        return None
    for causes in (_BY_ADAPTER.get(adapter, {}), _NETWORK):
        for cause, pattern in causes.items():
            if re.search(pattern, message, re.IGNORECASE):
                return cause
    return None
