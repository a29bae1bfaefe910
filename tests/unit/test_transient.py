"""Which errors may heal by themselves, told by the texts that people really see."""

import time

import pytest
from headless_dbt.transient import transient_cause
from hypothesis import given
from hypothesis import strategies as st

# Adapter, cause, texts. These pass whatever the adapter is.
EVERYWHERE = {
    "": {
        "connection reset": [
            "[Errno 104] Connection reset by peer",
            "ConnectionResetError(104, 'Connection reset by peer')",
            "requests.exceptions.ConnectionError: ConnectionResetError",
            "('Connection aborted.', RemoteDisconnected('Remote end closed connection without response'))",
            "('Connection aborted.', TimeoutError(110, 'ETIMEDOUT'))",
            "http.client.RemoteDisconnected: Remote end closed connection without response",
            '("Connection broken: IncompleteRead(512 bytes read)", IncompleteRead(512 bytes read))',
            "[Errno 32] Broken pipe",
            "server closed the connection unexpectedly\n  \tThis probably means the server terminated abnormally",
            "503 Socket closed",
            "An existing connection was forcibly closed by the remote host",
            "fatal: the remote end hung up unexpectedly",
            "('Response ended prematurely',)",
            "(Caused by SSLError(SSLEOFError(8, 'EOF occurred in violation of protocol (_ssl.c:1007)')))",
            "error:0A000126:SSL routines::unexpected eof while reading, errno 0",
        ],
        "connection refused": [
            "[Errno 111] Connection refused",
            (
                "HTTPConnectionPool(host='127.0.0.1', port=9): Max retries exceeded with url: /a (Caused by "
                "NewConnectionError(\"HTTPConnection(host='127.0.0.1', port=9): Failed to establish a new connection: "
                '[Errno 111] Connection refused"))'
            ),
            (
                "(Caused by NewConnectionError('<urllib3.HTTPSConnection object at 0x7f>: Failed to establish "
                "a new connection: [Errno 99] Cannot assign requested address'))"
            ),
            "503 failed to connect to all addresses; last error: UNAVAILABLE: ipv4:142.250.1.95:443",
            "Failed to connect to hub.getdbt.com port 443 after 21 ms: Couldn't connect to server",
            "could not connect to server: No such process",
        ],
        "network away": [
            "[Errno 101] Network is unreachable",
            "[Errno 113] No route to host",
            'could not translate host name "db" to address: Temporary failure in name resolution',
            "Unable to find the server at oauth2.googleapis.com",
        ],
        "connection timed out": [
            "HTTPSConnectionPool(host='x', port=443): Read timed out. (read timeout=60)",
            "requests.exceptions.ReadTimeout",
            "socket.timeout: The read operation timed out",
            "Failed to connect to github.com port 443: Connection timed out",
            "(Caused by ConnectTimeoutError(<x>, 'Connection to x timed out. (connect timeout=10)'))",
            "SSL_read: Timeout was reached",
        ],
        "service unavailable": [
            "503 Service Unavailable",
            "The service is currently unavailable.",
            "502 Bad Gateway",
            "502 Server Error: Bad Gateway for url: https://hub.getdbt.com/api/v1/index.json",
            "504 Gateway Time-out",
            "504 Gateway Timeout",
            "500 Internal Server Error",
            "429 Too Many Requests",
            "An error occurred (TooManyRequestsException) when calling the StartQueryExecution operation",
            "Server error '503 Service Unavailable' for url 'https://cloud.getdbt.com/api'",
            "error 503: Unexpected status code: 503",
        ],
        "rate limit": [
            "An error occurred (ThrottlingException) when calling the GetStatement operation: slow down",
            "An error occurred (Throttling) when calling the GetTables operation: Rate exceeded",
            "HIVE_CURSOR_ERROR: Please reduce your request rate. (Service: Amazon S3; SlowDown)",
        ],
        "deadlock": ["ORA-00060: deadlock detected while waiting for resource"],
        "too many connections": ["FATAL:  sorry, too many clients already"],
    },
    "bigquery": {
        "connection refused": ["Connection refused"],
        "network away": ["Unable to find the server at www.googleapis.com"],
        "service unavailable": [
            "502 Server Error: Bad Gateway",
            (
                "Unable to generate access token, if you're using impersonate_service_account, make sure\n\n"
                "  <p>The server encountered a temporary error and could not complete your request.\n"
                "  <p>Please try again in 30 seconds."
            ),
        ],
    },
    "duckdb": {
        "service unavailable": [
            "Invalid Input Error: 503 Service Unavailable",
            "HTTP Error: HTTP GET error on 'https://x/y.parquet' (HTTP 503)",
            "HTTP Error: Request returned HTTP 429 for HTTP GET to 'https://x/y'",
            'HTTP Error: Unable to connect to URL "https://x/y.csv": 503 (Service Unavailable)',
        ],
        "connection timed out": ["IO Error: Timeout was reached error for HTTP GET to 'https://x/y.parquet'"],
        "connection refused": [
            "IO Error: Could not connect to server error for HTTP GET to 'https://x/y'",
            (
                'IO Error: Unable to connect to Postgres at "host=db": connection to server at "db" failed: '
                "Connection refused"
            ),
        ],
    },
    "postgres": {
        "deadlock": ["deadlock detected\nDETAIL:  Process 7 waits for ShareLock on transaction 8"],
        "connection refused": [
            (
                'connection to server at "db" (10.0.0.1), port 5432 failed: Connection refused\n'
                "\tIs the server running on that host and accepting TCP/IP connections?"
            )
        ],
        "too many connections": [
            "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute"
        ],
    },
    "redshift": {
        "deadlock": ["deadlock detected", "{'S': 'ERROR', 'C': '40P01', 'M': 'deadlock detected'}"],
        "connection reset": ["BrokenPipe: server socket closed. Please check that client side networking"],
        "connection timed out": ["connection time out"],
    },
    "databricks": {"service unavailable": ["(Caused by ResponseError('too many 503 error responses'))"]},
    "sqlserver": {
        "deadlock": [
            (
                "('40001', '[40001] [Microsoft][ODBC Driver 18 for SQL Server]Transaction (Process ID 66) was "
                "deadlocked on lock resources and has been chosen as the deadlock victim. (1205) (SQLExecDirectW)')"
            )
        ],
    },
    "mysql": {
        "deadlock": ["1213 (40001): Deadlock found when trying to get lock; try restarting transaction"],
        "too many connections": ["1040 (HY000): Too many connections"],
    },
}
# These pass on their adapter, and on its relatives.
ITS_OWN = {
    "bigquery": {
        "rate limit": [
            "403 Exceeded rate limits: too many table update operations for this table",
            "Exceeded rate limits: too many table update operations. See https://cloud.google.com/x at [1063:3]",
            "Job exceeded rate limits: Your project_and_region exceeded quota for concurrent queries.",
            "Quota exceeded: Your project exceeded quota for concurrent queries.",
            "403 Quota exceeded: Your project_and_region exceeded quota for concurrent queries; reason: quotaExceeded",
            "Quota exceeded: Your project exceeded quota for tabledata.list bytes per second per project.",
        ],
        "backend error": ["Error encountered during execution. Retrying may solve the problem. backendError"],
        "internal error": ["An internal error occurred and the request could not be completed. Error: 3144498"],
        "service unavailable": [
            "500 Error encountered during execution.",
            "502 POST https://bigquery.googleapis.com/upload: <!DOCTYPE html>",
            (
                "503 GET https://bigquery.googleapis.com/bigquery/v2/projects/p/jobs/f?prettyPrint=false: \n"
                "  Visibility check was unavailable. Please retry the request and contact support"
            ),
            "504 GET https://bigquery.googleapis.com/x",
            "Timeout of 600.0s exceeded, last exception: 503 POST https://bigquery.googleapis.com/x: -",
            "Error encountered during execution. Retrying may solve the problem.",
            "The job encountered an error during execution. Retrying the job may solve the problem.",
        ],
        "concurrent update": [
            "400 Could not serialize access to table p:d.t due to concurrent change",
            "400 Transaction is aborted due to concurrent update against table x",
        ],
        "too many statements": ["Too many DML statements outstanding against table p:d.t, limit is 20."],
    },
    "duckdb": {
        "lock held by another process": [
            'IO Error: Could not set lock on file "/permission denied/x.duckdb": Conflicting lock is held in python',
            'IO Error: Cannot open file "x.duckdb": It is not accessible, because it is being used by another process.',
        ],
        "conflicting transaction": [
            "TransactionContext Error: Conflict on tuple deletion!",
            "TransactionContext Error: Conflict on update!",
            "TransactionContext Error: Failed to commit: \u2026",
            (
                "TransactionContext Error: Failed to commit: Failed to commit DuckLake transaction: duplicate key "
                'value violates unique constraint "ducklake_snapshot_pkey"\nDETAIL:  Key (id)=(5897) already exists.'
            ),
            'TransactionContext Error: Catalog write-write conflict on create with ""Schema\x00main\x00Table\x00z""',
            "TransactionContext Error: Transaction conflict: cannot update a table that has been altered!",
        ],
        "network away": [
            "IO Error: Connection error for HTTP GET to 'https://x/y.parquet'",
            'Failed to download extension "httpfs" at URL "http://x/httpfs.gz" (ERROR Could not establish connection)',
        ],
    },
    "postgres": {
        "connection timed out": ['connection to server at "db" (10.0.0.1), port 5432 failed: timeout expired'],
        "server starting or stopping": [
            "FATAL:  the database system is starting up",
            "FATAL:  the database system is shutting down",
            "FATAL:  the database system is in recovery mode",
            "FATAL:  the database system is not yet accepting connections\nDETAIL:  Consistent recovery state",
            "terminating connection due to administrator command",
            "terminating connection because of crash of another server process",
        ],
        "connection reset": [
            "SSL connection has been closed unexpectedly",
            "SSL SYSCALL error: EOF detected",
            "connection already closed",
        ],
        "conflicting transaction": [
            "could not serialize access due to concurrent update",
            "canceling statement due to conflict with recovery",
            "tuple concurrently updated",
            (
                'duplicate key value violates unique constraint "pg_namespace_nspname_index"\n'
                "DETAIL:  Key (nspname)=(shop) already exists."
            ),
            "could not open relation with OID 6134794",
            "table 1234 dropped by concurrent transaction",
        ],
    },
    "redshift": {
        "serializable isolation": [
            "1023\n  DETAIL:  Serializable isolation violation on table - 1234, transactions forming the cycle are: 1"
        ],
    },
    "snowflake": {
        "lock": [
            "000625 (57014): Statement '01b2' has locked table 'ORDERS' and this lock has not yet been released.",
            "000625 (57014): Your statement '01b2' was aborted because the number of waiters for this lock exceeds 20.",
        ],
        "service unavailable": [
            "250001: Could not connect to Snowflake backend after 2 attempt(s).Aborting",
            "251012: Login request is retryable. Will be handled by authenticator",
        ],
        "warehouse suspended": ["Statement cannot run: warehouse 'TRANSFORMING' is being suspended."],
        "internal error": [
            "000603 (XX000): SQL execution internal error:\nProcessing aborted by error 300010:3321288126; incident 1",
            "Processing aborted due to error 300010:391167117; incident 7185034.",
        ],
        "session expired": [
            "390114 (08001): Authentication token has expired.  The user must authenticate again.",
            "390111 (08001): Session no longer exists.  New login required.",
        ],
    },
    "databricks": {
        "concurrent update": [
            "ConcurrentAppendException: Files were added to the root of the table. Please try the operation again.",
            "io.delta.exceptions.ConcurrentDeleteReadException: This transaction attempted to read deleted files.",
            "ConcurrentTransactionException: Multiple streaming queries use the same checkpoint.",
            "ConcurrentWriteException: A concurrent transaction has written new data.",
            "MetadataChangedException: The metadata of the Delta table has been changed by a concurrent update.",
            "[DELTA_CONCURRENT_APPEND.WITH_PARTITION_HINT] Files were added by another one. SQLSTATE: 2D521",
            "[DELTA_METADATA_CHANGED] The metadata of the table has changed.",
            "[DELTA_PROTOCOL_CHANGED] The protocol version has changed.",
            (
                "('HY000', \"[HY000] [Simba][Hardy] (35) Error from server: error code: '0' error message: "
                "'org.apache.hive.service.cli.HiveSQLException: Error running query: "
                "io.delta.exceptions.ProtocolChangedException: The protocol version has been changed'\")"
            ),
        ],
        "session expired": [
            "Invalid SessionHandle: SessionHandle [5af2]",
            "Session handle: SessionHandle [5af2] has not been initialized or had already closed.",
        ],
        "cluster starting": [
            "TEMPORARILY_UNAVAILABLE: The cluster is temporarily away",
            "[CLUSTER_STARTING] The cluster is not ready",
        ],
    },
    "sqlserver": {
        "connection reset": [
            "('08S01', '[08S01] [Microsoft][ODBC Driver 18 for SQL Server]TCP Provider: Error code 0x2746 (10054)')",
            "[Microsoft][ODBC Driver 17 for SQL Server]Communication link failure",
        ],
        "connection timed out": ["('HYT00', '[HYT00] [Microsoft][ODBC Driver 18]Login timeout expired (0)')"],
        "service unavailable": [
            "Database 'shop' on server 'x' is not currently available. Please retry the connection later. (40613)",
            "The service is currently busy. Retry the request after 10 seconds. (40501)",
        ],
        "conflicting transaction": [
            (
                "('42000', \"[42000] [Microsoft][SQL Server]Snapshot isolation transaction failed in database 'shop' "
                'because the object has been modified by a DDL statement in another concurrent transaction (3961)")'
            ),
            "Snapshot isolation transaction aborted due to update conflict. Retry the transaction. (24556)",
        ],
    },
    "trino": {
        "server starting or stopping": [
            'TrinoQueryError(type=INTERNAL_ERROR, name=SERVER_STARTING_UP, message="still initializing")',
            'TrinoQueryError(type=INTERNAL_ERROR, name=SERVER_SHUTTING_DOWN, message="Server is shutting down")',
        ],
        "worker lost": [
            'TrinoQueryError(name=NO_NODES_AVAILABLE, message="No nodes available to run query")',
            'TrinoQueryError(name=PAGE_TRANSPORT_TIMEOUT, message="Encountered too many errors")',
            'TrinoQueryError(name=REMOTE_TASK_ERROR, message="Expected response code 200")',
            'TrinoQueryError(name=REMOTE_HOST_GONE, message="Node has been replaced")',
        ],
        "conflicting transaction": [
            "on-run-end failed, error:\n ICEBERG_COMMIT_ERROR: Failed to commit Iceberg update to table: shop.orders",
            "TrinoExternalError(type=EXTERNAL, name=TRANSACTION_CONFLICT)",
        ],
    },
    "mysql": {
        "lock": ["1205 (HY000): Lock wait timeout exceeded; try restarting transaction"],
        "connection refused": ["2003 (HY000): Can't connect to MySQL server on 'db:3306' (111)"],
        "connection reset": [
            "2013 (HY000): Lost connection to MySQL server during query",
            "2006 (HY000): MySQL server has gone away",
        ],
    },
    "clickhouse": {"too many statements": ["Code: 202. DB::Exception: Too many simultaneous queries. Maximum: 100."]},
}
RELATIVES = {
    "postgres": ["redshift", "greenplum", "materialize", "risingwave"],
    "databricks": ["spark"],
    "sqlserver": ["fabric", "synapse"],
    "trino": ["athena"],
    "mysql": ["mariadb"],
}

# None of these passes.
SQL_THAT_CANNOT_RUN = {
    "": ["Compilation Error in model a (models/a.sql)\n  Connection refused is no macro"],
    "duckdb": [
        'Binder Error: Referenced column "nope" not found in FROM clause!',
        'Binder Error: Referenced column "503 service unavailable" not found in FROM clause!',
        'Binder Error: \u2026 "503 service unavailable"',
        "Parser Error: unterminated quoted string: connection refused",
        "Parser Error: syntax error\n\n  LINE 3: select 'connection reset' frm x\n                            ^",
        "Catalog Error: Table with name connection refused does not exist!",
        "Catalog Error: Existing object connection refused is of type View, trying to replace with type Table",
    ],
    "postgres": [
        'relation "too many connections" does not exist',
        "column o.connection refused does not exist",
        '"too many connections" is not a view',
        "function f has a flaw\n  LINE 3: select f(read timeout)\n                 ^",
        "function f has a flaw\n  QUERY:  select f(read timeout)",
        "function f has a flaw\n  CONTEXT:  COPY o, line 1, column a: connection refused",
    ],
    "snowflake": ["001003 (42000): SQL compilation error:\nsyntax error line 1 at position 7: connection refused"],
    "bigquery": [
        "Unrecognized name: backendError",
        "Unrecognized name: backendError at [1:8]",
        'Table "internalError" must be qualified with a dataset (e.g. dataset.table)',
        "Already Exists: Table p:d.internalError",
        "Function not found: backendError",
        "404 Not found: Table p:d.`connection refused` was not found in location EU",
        "Name connection refused not found inside t",
        "Duplicate column names in the result are not supported. Found duplicate(s): internalError",
        "400 Query error: connection refused; reason: invalidQuery, location: query",
        '{"reason": "notFound", "message": "connection refused"}',
    ],
    "databricks": [
        "The table or view `a`.`cluster_starting` cannot be found",
        "[TABLE_OR_VIEW_NOT_FOUND] The table or view `a`.`CLUSTER_STARTING` cannot be found.",
        "[TABLE_OR_VIEW_NOT_FOUND] The table or view CLUSTER_STARTING cannot be found.",
        "Column cluster_starting is of another type",
        "mismatched input 'frm'. (line 3, pos 9)\n\n== SQL ==\nselect 1\n  , connection refused frm x\n---------^^^",
        "[DATATYPE_MISMATCH] Cannot resolve (a = connection refused). SQLSTATE: 42K09",
    ],
    "trino": ['TrinoUserError(type=USER_ERROR, name=COLUMN_NOT_FOUND, message="line 1:8: connection refused")'],
    "mysql": [
        "(1146, \"Table 'shop.it's connection refused' doesn't exist\")",
        "(1064, \"You have an error in your SQL syntax near 'frm x where a = 'connection refused'' at line 1\")",
    ],
    "clickhouse": [
        "Code: 62. DB::Exception: Syntax error: failed at position 8 (x): connection refused frm x",
        "Code: 47. DB::Exception: Missing columns: 'connection refused' while processing query: 'SELECT 1'",
        "Code: 47. DB::Exception: Unknown expression in scope SELECT connection refused. (UNKNOWN_IDENTIFIER)",
    ],
    "sqlserver": ["('42S02', '[42S02] [Microsoft]Invalid object name: connection refused. (208)')"],
}
DATA_THAT_DOES_NOT_FIT = {
    "": [
        "ValueError: invalid literal for int() with base 10: 'connection refused'",
        "ValueError: the thread timed out",
    ],
    "duckdb": [
        "Conversion Error: Could not convert string 'connection refused' to INT32",
        'Conversion Error: extract specifier: "connection refused"',
        'Invalid Input Error: Could not parse string "x" according to format specifier "%Y"\nconnection refused\n^',
        "Invalid Input Error: Failed to cast value: Could not convert string 'it's: connection refused' to INT64",
        'Invalid Input Error: Malformed JSON at byte 0 of input: unexpected character.  Input: "connection refused"',
        "Invalid Input Error: CSV Error on Line: 3\nOriginal Line: connection refused,3\nExpected 2 columns",
        "Invalid Input Error: Attempted to create ENUM type with duplicate value connection refused",
        "Constraint Error: NOT NULL constraint failed: t.connection refused",
        'TransactionContext Error: Failed to commit: PRIMARY KEY or UNIQUE constraint violation: duplicate key "5"',
        "TransactionContext Error: failed to commit: no transaction active",
    ],
    "postgres": [
        'invalid input syntax for type integer: "deadlock detected"',
        'invalid input value for enum mood: "deadlock detected"',
        'malformed array literal: "deadlock detected"',
        'invalid value for parameter "TimeZone": "deadlock detected"',
        'date/time field value out of range: "connection refused"',
        (
            'duplicate key value violates unique constraint "one"\n'
            "DETAIL:  Key (message)=(connection timed out) already exists."
        ),
        'null value in "a" violates not-null constraint\nDETAIL:  Failing row contains (1, connection timed out).',
    ],
    "redshift": ["{'S': 'ERROR', 'C': '22P02', 'M': 'connection refused'}"],
    "bigquery": [
        "Bad double value: 500 GET /index.html",
        "Bad int64 value: connection refused",
        'Could not cast literal "503 Service Unavailable" to type DATE',
        "Could not cast literal 503 Service Unavailable",
        "Invalid timestamp: '503 service unavailable'",
        "Invalid date: '503 service unavailable'",
        "Invalid NUMERIC value: 503 service unavailable",
        "500 rows have no id",
        "The price is 503 EUR too high",
    ],
    "snowflake": [
        "Numeric value 'Service Unavailable' is not recognized",
        "Numeric value 'it's Service Unavailable' is not recognized",
        "100069 (22P02): Error parsing JSON: connection refused, pos 1",
        "String 'connection refused' is too long and would be truncated",
        "String 'it''s connection refused' is too long and would be truncated",
        'Failed to cast variant value "connection refused" to FIXED',
        'Failed to cast variant value "say ""connection refused""" to FIXED',
    ],
    "databricks": [
        "The value 'it's: connection refused' of the type STRING cannot be cast to INT",
        "CHECK constraint ok violated by row with values:\n - m : connection refused",
        'java.lang.NumberFormatException: For input string: "connection refused"',
        "[DELTA_CHECK] The row has m : connection refused (SQLSTATE 23001)",
    ],
    "mysql": [
        "1406 (22001): It is too long: 'connection refused' for column 'a' at row 1",
        "(1366, \"Incorrect integer value: 'connection refused' for column 'a' at row 1\")",
    ],
    "sqlserver": [
        "Conversion failed when converting the varchar value 'it's: connection refused' to data type int. (245)",
        "Cannot insert duplicate key in object 'dbo.t'. The duplicate key value is (connection timed out).",
        "('22018', '[22018] [Microsoft]The value does not fit: connection refused (245)')",
        "('23000', '[23000] [Microsoft]It has a twin: connection timed out (2627)')",
    ],
}
RIGHTS_AND_LIMITS = {
    "bigquery": [
        "403 Access Denied: Table x: User does not have bigquery.tables.get. 503 Service Unavailable",
        "google.auth.exceptions.RefreshError: invalid_grant: Invalid JWT Signature. 503 Service Unavailable",
        "403 Quota exceeded: Your project exceeded quota for free query bytes scanned. quotaExceeded",
        "Quota exceeded: Your table exceeded quota for imports or query appends per table.",
        "429 Too Many Requests: Quota exceeded: Your project exceeded quota for query bytes per day",
        "429 Too Many Requests: quotaExceeded",
        "503 GET https://bigquery/q: Resources exceeded during query execution: Not enough memory",
        "Query exceeded limit for bytes billed: 1000000. 20971520 or higher required.",
        "Operation did not complete within the designated timeout of 300 seconds.",
        (
            "500 Query exceeded limit for bytes billed: 5000000. 10485760 or higher required.; "
            "reason: bytesBilledLimitExceeded, message: Query exceeded limit for bytes billed: 5000000."
        ),
        "500 Job execution was cancelled: Job timed out after 300s; reason: timeout, message: Job timed out after 300s",
        "Operation timed out after 6.0 hours. Consider reducing the amount of work",
    ],
    "duckdb": [
        "Invalid Input Error: Access Denied: 503 Service Unavailable",
        "HTTP Error: HTTP GET error on 'https://x/y' (HTTP 403): AccessDenied, connection reset",
        "Out of Memory Error: could not allocate block of size 256.0 KiB (953.6 MiB/953.6 MiB used)",
        "TransactionContext Error: Failed to commit: could not allocate block of size 256.0 KiB",
        'TransactionContext Error: Failed to commit: Could not write file "x.wal": No space left on device',
    ],
    "postgres": [
        "could not connect to server: Permission denied\n\tIs the server running locally and accepting connections?",
        'connection failed: FATAL:  password authentication failed for user "dbt". Connection refused',
        "canceling statement due to statement timeout",
        "canceling statement due to statement timeout\nSSL connection has been closed unexpectedly",
        "canceling statement due to user request",
        "out of memory\nDETAIL:  Failed on request of size 8192.\nserver closed the connection unexpectedly",
        'could not write to file "base/pgsql_tmp/1": No space left on device',
    ],
    "redshift": ["Disk Full"],
    "snowflake": [
        "250001 (08001): Failed to connect to DB: x:443. Incorrect username or password was specified.",
        "003001 (42501): SQL access control error:\nInsufficient privileges to operate on schema 'SHOP'",
        "000630 (57014): Statement reached its statement or warehouse timeout of 3600 s and was canceled.",
        "000604 (57014): SQL execution canceled",
    ],
    "spark": [
        "Could not open client transport: Connection refused (Invalid credentials)",
        "Job aborted: java.lang.OutOfMemoryError: Java heap space. Connection reset by peer",
    ],
    "sqlserver": ["('HYT00', '[HYT00] [Microsoft][ODBC Driver 18]Query timeout expired (0)')"],
}
WITHOUT_A_CAUSE = {
    "": ["Could not resolve host: no.such.host", ""],
    "duckdb": [
        "HTTP Error: HTTP GET error on 'https://x/503 service unavailable.csv' (HTTP 404)",
        "TransactionContext Error: Current transaction is aborted (please ROLLBACK)",
    ],
    "bigquery": [
        "404 GET https://bigquery.googleapis.com/backendError: No such job",
        "Column name internalError is ambiguous at [1:8]",
        "Cannot access field x on a value with type STRUCT<a INT64, internalError INT64>",
    ],
}

# What dbt puts around the message of a database.
FRAME = "Database Error in model {name} ({path})\n  {message}\n  compiled {code} at target/run/shop/{path}"
# Names and paths that say what the error does not.
NAMES = [
    ("billing", "models/billing/inv.sql"),
    ("does not exist", "models/access denied/quota exceeded.sql"),
    ("syntax error", "models/out of memory (copy).sql"),
    ("backendError", "seeds/could not convert/connection refused.csv"),
]
# How data and names are quoted, by what cannot use them.
QUOTING = [
    "Conversion Error: Could not convert string '{}' to INT32",
    'invalid input syntax for type integer: "{}"',
    'Could not cast literal "{}" to type DATE',
    "Numeric value '{}' is not recognized",
    "The expression is of another type: `{}`",
    'relation "{}" does not exist',
    "Nobody knows the value '{}', sadly",
    "It has a flaw\n  LINE 3: {}\n          ^",
    "Compilation Error in macro m (macros/m.sql)\n  {} is no macro",
    "Bad double value: {}",
]
REASONS = {"RateLimitExceeded": "rate limit", "BackendError": "backend error", "InternalError": "internal error"}


def rows(table: dict[str, dict[str, list[str]]]) -> list[tuple[str, str, str]]:
    return [
        (adapter, message, cause)
        for adapter, causes in table.items()
        for cause, messages in causes.items()
        for message in messages
    ]


PASSING = [*rows(EVERYWHERE), *rows(ITS_OWN)]
LASTING = [
    (adapter, message)
    for table in (SQL_THAT_CANNOT_RUN, DATA_THAT_DOES_NOT_FIT, RIGHTS_AND_LIMITS, WITHOUT_A_CAUSE)
    for adapter, messages in table.items()
    for message in messages
]


@pytest.mark.parametrize(("adapter", "message", "cause"), rows(EVERYWHERE))
def test_a_cause_that_passes_everywhere(adapter: str, message: str, cause: str) -> None:
    assert [transient_cause(one, "error", message) for one in (adapter, "oracle", "")] == [cause] * 3


@pytest.mark.parametrize(("adapter", "message", "cause"), rows(ITS_OWN))
def test_a_cause_that_passes_on_an_adapter_and_its_relatives(adapter: str, message: str, cause: str) -> None:
    for one in (adapter, *RELATIVES.get(adapter, [])):
        assert transient_cause(one, "error", message) == cause, one
    for one in ("oracle", "", adapter[:-1]):
        assert transient_cause(one, "error", message) is None, one


@pytest.mark.parametrize(("adapter", "message"), LASTING)
def test_a_lasting_error_has_no_cause(adapter: str, message: str) -> None:
    assert transient_cause(adapter, "error", message) is None


@pytest.mark.parametrize(("name", "path"), NAMES)
@pytest.mark.parametrize("code", ["code", "Code", "SQL"])
def test_names_and_paths_are_not_the_error(name: str, path: str, code: str) -> None:
    for adapter, message, cause in PASSING:
        framed = FRAME.format(name=name, path=path, code=code, message=message.replace("\n", "\n  "))
        assert transient_cause(adapter, "error", framed) == cause, framed
    for adapter, message in LASTING:
        framed = FRAME.format(name="refused", path="models/connection reset/x.sql", code=code, message=message)
        assert transient_cause(adapter, "error", framed) is None, framed


@pytest.mark.parametrize(("name", "path"), NAMES)
def test_those_who_called_are_not_the_error(name: str, path: str) -> None:
    stack = f"\n\n  > in macro {name} ({path})\n  > called by model {name} ({path})"
    assert transient_cause("", "error", f"Runtime Error\n  Connection refused{stack}") == "connection refused"


@pytest.mark.parametrize(
    "message",
    [
        "dbt build could not begin: Database Error\n  Connection refused",
        "dbt build ended early: Runtime Error in model billing (models/access denied/inv.sql)\n  Connection refused",
        "dbt deps failed: External connection exception occurred: [Errno 111] Connection refused",
        "Runtime Error in model two (models/two.sql)\n  Invalid Input Error: it's said: connection refused",
        # What only looks like dbt's frame, or like a quotation.
        "Failed in the step: Connection refused (db.net)",
        "Runtime Error in connect (Connection refused: db.net), after 3 times",
        "Runtime Error in the client (Connection refused)",
        "client -> in between: Connection refused",
        "It is compiled code at fault: Connection refused",
        "See its CONTEXT: Connection refused",
        "Not a word of == SQL: Connection refused",
        "Nobody is on host 'db: Connection refused, isn't it?",
    ],
)
def test_nothing_else_is_taken_away(message: str) -> None:
    assert transient_cause("duckdb", "error", message) == "connection refused"


@pytest.mark.parametrize("quoting", QUOTING)
def test_a_passing_error_that_is_quoted_does_not_pass(quoting: str) -> None:
    for adapter, message, _ in PASSING:
        if not {"'", '"', "\n"} & set(message):
            assert transient_cause(adapter, "error", quoting.format(message)) is None, message


@pytest.mark.parametrize(
    ("text", "stands"),
    [
        *((text, True) for text in ("{}", "  {}", "503 {}", "It stopped. {}", "It stopped, {}", "It stopped; {}")),
        *((text, True) for text in ("{}.", "{}, it stopped", "{}: it stopped", "{}; it stopped", "({})", "('{}')")),
        *((text, True) for text in ("reason: {}, location: x", '("{}")', '{{"reason": "{}"}}', "{{'reason': '{}'}}")),
        *((text, False) for text in ("a {}", "p:d.{}", "t.{}", "{} of a", "t: {} of a", "x{}", "a, {}s")),
    ],
)
@pytest.mark.parametrize("reason", REASONS)
def test_a_reason_of_bigquery_is_no_name_of_a_column(reason: str, text: str, *, stands: bool) -> None:
    for name in (reason[0].lower() + reason[1:], "job" + reason):
        assert transient_cause("bigquery", "error", text.format(name)) == (REASONS[reason] if stands else None)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "Request returned HTTP {} for HTTP GET",
            "(HTTP {})",
            "HTTP/1.1 {}",
            "HTTP/2 {}",
            "RPC failed; HTTP {} curl 22",
        ),
        *("The requested URL returned error: {}", "Request failed with status {}", "Unexpected status code: {}"),
        *("HTTPDriver for https://x:8443 returned response code {}", "(Caused by ResponseError('too many {} error'))"),
    ],
)
def test_of_the_codes_of_http_only_some_pass(text: str) -> None:
    for code in (429, 500, 502, 503, 504):
        assert transient_cause("", "error", text.format(code)) == "service unavailable"
    for other in (200, 400, 401, 403, 404, 501, 505, 5030):
        assert transient_cause("", "error", text.format(other)) is None
    assert transient_cause("", "error", "501 Server Error: None for url: https://x") is None


@pytest.mark.parametrize("code", [500, 502, 503, 504])
def test_a_server_error_of_requests_passes(code: int) -> None:
    assert transient_cause("", "error", f"{code} Server Error: None for url: https://x") == "service unavailable"


@pytest.mark.parametrize("status", ["fail", "warn", "skipped", "success", "partial success", "splendid", ""])
def test_only_an_error_can_pass(status: str) -> None:
    assert transient_cause("bigquery", status, "503 Service Unavailable") is None


def test_the_freshness_of_a_source_can_pass() -> None:
    assert transient_cause("", "runtime error", "503 Service Unavailable") == "service unavailable"


WORDS = sorted({word for _, message, _ in PASSING for word in message.split(" ")})
SIGNS = list(" \n\t'\"`([.:;\x00\ud800\u0130\u017f")


@given(
    st.sampled_from(["", *ITS_OWN]),
    st.lists(st.sampled_from(WORDS) | st.sampled_from(SIGNS) | st.text()).map(" ".join),
)
def test_any_text_has_one_of_the_causes_or_none(adapter: str, message: str) -> None:
    assert transient_cause(adapter, "error", message) in {None, *(cause for _, _, cause in PASSING)}


@pytest.mark.parametrize(
    "piece",
    [
        *("x", "1", " ", "\n", "\n ", "'", "a '", "a ''", "a 'b", 'a "', "`", ". '", "; ", "(", "\u2028", "\x00", "é"),
        *(" Error in m (", " Error in m (.a", " Error in m (.a)", "\n> in ", "\nLINE 1", "== SQL", "\n== SQL"),
        *("exceeded quota for ", "exceeded quota for x per ", "Concurrent", "503 ", "111111 (22", "SQLSTATE  "),
        *("connection ", "invalid ", "violates ", "bad x", "HTTP/1 ", "reason  ", "Failed to commit: ", "too many "),
    ],
)
def test_a_long_text_takes_no_longer_than_its_length(piece: str) -> None:
    message = (piece * 100_000)[:100_000]
    began = time.process_time()
    transient_cause("bigquery", "error", message)
    assert time.process_time() - began < 2
