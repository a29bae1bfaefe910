"""Which errors heal by themselves, told by the text of dbt's message. Pure.

First, what is not the error is taken away: dbt's frame, lines of SQL, quoted names and data. Then the first rule whose
words are in the rest decides. The kinds of error that never pass stand first, for SQL and data can hold any words;
after them, what the service itself calls passing, with a cause that a person can judge.

Sources: https://cloud.google.com/bigquery/docs/error-messages, https://duckdb.org/docs/stable/connect/concurrency,
https://www.postgresql.org/docs/current/errcodes-appendix.html, and the issues of the adapters.
Every repetition has a bound, or ends with its line, so that the time grows with the message and no faster.
"""

import re

_NOT_THE_ERROR = re.compile(
    # dbt's: the node and its file, who called, the compiled file.
    r"(?<= Error) in [^\n(]{1,300} \([^\n]{1,500}\.\w{1,5}\)$"
    r"|^ *> (?:in|called by) .*"
    r"|^ *compiled (?:code|sql) at .*"
    # SQL: of DuckDB and Postgres; of Databricks, which goes on to the end.
    r"|^ *(?:LINE \d{1,9}|QUERY|CONTEXT):.*"
    r"|^ *== SQL[\s\S]*"
    # What is quoted behind a word. Python quotes its causes behind a bracket or a comma, httpx behind "error".
    r"|(?<=\w )(?<!error )(?<!constraint )(?:(?:'[^'\n]*')+|(?:\"[^\"\n]*\")+)(?!\w)"
    r"|`[^`\n]*`",
    re.IGNORECASE | re.MULTILINE,
)

# BigQuery's reasons are good names of columns, too. A reason stands alone, or between punctuation.
_REASON = r"(?:^ *(?:\d{3} )?|[.,:;] [\"']?|\([\"']?)(?:job)?%s(?=[\"']?(?:$|[.,:;)}]))"

_POSTGRES = "postgres redshift greenplum materialize risingwave"
_SPARK = "databricks spark"
_SQL_SERVER = "sqlserver fabric synapse"
_MYSQL = "mysql mariadb"
_TRINO = "trino athena"

# The types of adapter that it holds for (none: all), the cause (None: it does not pass), the words.
_RULES: tuple[tuple[str, str | None, str], ...] = (
    # SQL that cannot run.
    ("", None, r"compilation error|syntax error|sql syntax|type=USER_ERROR|reason\W{1,4}(?:invalidQuery|notFound)"),
    ("", None, r"(?:Binder|Parser|Catalog|Conversion|Constraint) Error:|unrecognized name|is not recognized"),
    ("", None, r"does(?: not|n't) exist|cannot be found|not found(?: in|:)|\" is not an? "),
    ("", None, r"duplicate (?:column|key value is|value)|missing columns|unknown_identifier"),
    # Data that does not fit.
    ("", None, r"(?:could not|cannot)(?: be)? (?:cast|convert|parse)|conversion failed|for input string|out of range"),
    ("", None, r"invalid (?:input syntax|date|literal|time)|(?:bad|incorrect|invalid) (?:\w{1,20} )?value"),
    ("", None, r"malformed (?:json|\w{1,20} literal)|csv error"),
    ("", None, r"constraint violat|violated by|violates (?!unique constraint \"(?:pg|ducklake)_)"),
    # Classes 22, 23, 42 of SQLSTATE: Databricks, Redshift; MySQL, Snowflake; ODBC, whose 42000 can be anything.
    ("", None, r"(?:SQLSTATE\W{1,3}|'C': '|\d{4,6} \()(?:22|23|42)\w{3}|\[(?:2[23]\d|42S)\d\d\]"),
    # Rights and limits.
    ("bigquery", "rate limit", r"exceeded quota for (?:concurrent|[^\n]{1,80} per second)"),
    ("", None, r"access ?denied|permission denied|authentication failed|invalid credentials|invalid_grant"),
    ("", None, r"quota ?exceeded|resources exceeded|statement timeout|out ?of ?memory|could not allocate|space left"),
    # What Google's client does not know it calls 500, a limit that the user has set among them.
    ("bigquery", None, r"; reason: (?!(?:job)?(?:rateLimitExceeded|backendError|internalError)\b)\w{1,60}[,;]"),
    # What passes, by adapter.
    ("bigquery", "rate limit", r"exceeded rate limits|" + _REASON % "RateLimitExceeded"),
    ("bigquery", "backend error", _REASON % "BackendError"),
    ("bigquery", "internal error", r"an internal error|" + _REASON % "InternalError"),
    ("bigquery", "service unavailable", r"(?:^ *|last exception: )50[0234] (?-i:[A-Z])|retrying (?:the|may) "),
    ("bigquery", "concurrent update", r"could not serialize access to table|due to concurrent update"),
    ("bigquery", "too many statements", r"too many dml statements outstanding"),
    ("duckdb", "lock held by another process", r"could not set lock on file|being used by another process"),
    ("duckdb", "conflicting transaction", r"Context Error: (?:Conflict|Failed to commit: (?!no transaction))"),
    ("duckdb", "conflicting transaction", r"write-write conflict|transaction conflict"),
    ("duckdb", "network away", r"connection error for http|could not establish connection"),
    ("redshift", "serializable isolation", r"serializable isolation violation"),
    (_POSTGRES, "conflicting transaction", r"could not serialize access|conflict with recovery|constraint \"pg_"),
    (_POSTGRES, "conflicting transaction", r"tuple concurrently|concurrent transaction|open relation with oid"),
    (_POSTGRES, "server starting or stopping", r"system is (?:starting|shutting down|in recovery|not yet accepting)"),
    (_POSTGRES, "server starting or stopping", r"due to administrator command|crash of another server process"),
    (_POSTGRES, "connection reset", r"connection already closed|ssl connection has been closed|ssl syscall error"),
    (_POSTGRES, "connection timed out", r"timeout expired"),
    ("snowflake", "lock", r"has locked table|number of waiters for this lock exceeds"),
    ("snowflake", "service unavailable", r"could not connect to snowflake backend|login request is retryable"),
    ("snowflake", "warehouse suspended", r"is being suspended"),
    ("snowflake", "internal error", r"sql execution internal error|processing aborted due to error"),
    ("snowflake", "session expired", r"authentication token has expired|session no longer exists"),
    (_SPARK, "concurrent update", r"(?:Concurrent\w{1,20}|MetadataChanged|ProtocolChanged)Exception|DELTA_CONCURRENT_"),
    (_SPARK, "concurrent update", r"DELTA_(?:METADATA|PROTOCOL)_CHANGED"),
    (_SPARK, "session expired", r"invalid sessionhandle|not been initialized or had already closed"),
    (_SPARK, "cluster starting", r"(?-i:CLUSTER_STARTING|TEMPORARILY_UNAVAILABLE)"),
    (_SQL_SERVER, "connection reset", r"08S01|communication link failure"),
    (_SQL_SERVER, "connection timed out", r"login timeout expired"),
    (_SQL_SERVER, "conflicting transaction", r"snapshot isolation transaction (?:aborted|failed)"),
    (_SQL_SERVER, "service unavailable", r"is not currently available|service is currently busy"),
    (_TRINO, "server starting or stopping", r"SERVER_STARTING_UP|SERVER_SHUTTING_DOWN"),
    (_TRINO, "worker lost", r"NO_NODES_AVAILABLE|PAGE_TRANSPORT_TIMEOUT|REMOTE_TASK_ERROR|REMOTE_HOST_GONE"),
    (_TRINO, "conflicting transaction", r"ICEBERG_COMMIT_ERROR|TRANSACTION_CONFLICT"),
    (_MYSQL, "lock", r"lock wait timeout exceeded"),
    (_MYSQL, "connection refused", r"can't connect to mysql server"),
    (_MYSQL, "connection reset", r"lost connection to mysql|server has gone away"),
    ("clickhouse", "too many statements", r"too many simultaneous queries"),
    # What passes, wherever it comes from.
    ("", "deadlock", r"deadlock (?:detected|found|victim)"),
    ("", "too many connections", r"too many (?:clients|connections)|remaining connection slots"),
    ("", "rate limit", r"throttlingexception|rate exceeded|reduce your request rate"),
    ("", "connection reset", r"connection ?(?:reset|aborted|broken)|broken pipe|server closed the connection"),
    ("", "connection reset", r"socket closed|remote end closed|forcibly closed|hung up unexpectedly|ended prematurely"),
    ("", "connection reset", r"eof occurred in violation of protocol|unexpected eof while reading"),
    ("", "connection refused", r"connection refused|failed to establish a new connection|failed to connect to all"),
    ("", "connection refused", r"could(?: not|n't) connect to server"),
    ("", "network away", r"network is unreachable|no route to host|temporary failure in name resolution"),
    ("", "network away", r"unable to find the server at"),
    ("", "connection timed out", r"\b(?:read(?: operation)?|connect(?:ion)?) ?timed?[ -]?out|timeout was reached"),
    ("", "service unavailable", r"service (?:is currently )?unavailable|bad gateway|gateway time-?out"),
    ("", "service unavailable", r"internal server error|too ?many ?requests|encountered a temporary error"),
    ("", "service unavailable", r"50[0234] server error|HTTP(?:/[\d.]{1,3})?\W{1,3}(?:429|50[0234])\b"),
    ("", "service unavailable", r"(?:status(?: code)?|response code|returned error|too many)\W{1,3}(?:429|50[0234])\b"),
)


def transient_cause(adapter: str, status: str, message: str) -> str | None:
    """The cause for which a failure may heal by itself, or None where it cannot.

    ``adapter`` is dbt's adapter type, ``status`` and ``message`` are of the node's result. A data test that failed
    is never transient: only an ``error`` can be.
    """
    if status not in ("error", "runtime error"):
        return None
    error = _NOT_THE_ERROR.sub("", message)
    for adapters, cause, words in _RULES:
        if (not adapters or adapter in adapters.split()) and re.search(words, error, re.IGNORECASE | re.MULTILINE):
            return cause
    return None
