"""How long BigQuery is waited for: not beyond the end of a job, and for a service that is away once and not for ever.

Runs inside dbt's own interpreter; session.py loads it by path where dbt has loaded Google's client. Two public methods
are wrapped, so that it holds for each version of dbt-bigquery.

- ``QueryJob.result``: whoever asks for the results of a job that has failed is told so by a reason that begins with
  ``job``. dbt-bigquery 1.12 takes ``jobRateLimitExceeded`` for a busy service, and asks for ten minutes what has long
  been answered (dbt-labs/dbt-adapters#2005).
- ``AuthorizedSession.request``: Google's client tries each request for ten minutes, dbt tries a node's twice, and each
  node anew: a service that does not come back holds a run for hours. Here these ten minutes are counted once, for all
  requests together; any answer begins them anew.

Source: https://cloud.google.com/bigquery/docs/error-messages, and ``google/cloud/bigquery/retry.py``.
"""

import functools
import inspect
import math
import re
import threading
import time
from collections.abc import Callable
from typing import Any

# As long as Google's client tries one request.
PATIENCE_SECONDS = 600.0
# From then on the user is told what is waited for: dbt and Google's client wait without a word.
NOTICE_SECONDS = 30.0
REASONS_OF_ENDED_JOBS = frozenset({"jobBackendError", "jobInternalError", "jobRateLimitExceeded"})
# Of requests and of google-auth, by name: they may be raised from anywhere below.
NO_ANSWER = frozenset({"ConnectionError", "Timeout", "ChunkedEncodingError", "TransportError"})
FIRST_SERVER_ERROR = 500


class AwayError(Exception):
    """The service has given no answer for too long. Neither Google's client nor dbt tries this again."""


class _EndedError(Exception):
    """What the service said of a job that has ended; a retry knows nothing of this class, and lets it through."""

    def __init__(self, said: Exception) -> None:
        super().__init__(said)
        self.said = said


def watch(bigquery: Any, transport: Any, silence: "Silence") -> None:
    """Wrap the methods of ``google.cloud.bigquery`` and of ``google.auth.transport.requests``."""
    bigquery.QueryJob.result = _heeding_the_end(bigquery.QueryJob.result)
    transport.AuthorizedSession.request = silence.counting(transport.AuthorizedSession.request)


class Silence:
    """For how long the service has given no answer to any request."""

    def __init__(
        self,
        patience: float = PATIENCE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        say: Callable[[str], None] = lambda line: print(line, flush=True),
    ) -> None:
        """Begin with none. ``clock`` tells seconds, ``say`` shows a line to the user."""
        self._patience = patience
        self._clock = clock
        self._say = say
        self._lock = threading.Lock()
        self._since = math.inf
        self._told = False

    def counting(self, request: Callable[..., Any]) -> Callable[..., Any]:
        """A request that counts, and raises AwayError in place of an answer once the silence is too long."""

        @functools.wraps(request)
        def ask(*positional: Any, **named: Any) -> Any:
            try:
                response = request(*positional, **named)
            except Exception as error:
                if any(each.__name__ in NO_ANSWER for each in type(error).__mro__):
                    # Without the address, which names the job: nodes that fail for this fail for one cause.
                    self._grow(re.sub(r" with url: \S+", "", " ".join(str(error).split())))
                raise
            if response.status_code >= FIRST_SERVER_ERROR:
                self._grow(f"{response.status_code} {response.reason}")
            else:
                self._end()
            return response

        return ask

    def _end(self) -> None:
        with self._lock:
            told, self._told, self._since = self._told, False, math.inf
        if told:
            self._say("BigQuery answers again.")

    def _grow(self, cause: str) -> None:
        with self._lock:
            now = self._clock()
            self._since = min(self._since, now)
            seconds = now - self._since
            tell = seconds >= NOTICE_SECONDS and not self._told
            self._told = self._told or tell
        if tell:
            minutes = f"{self._patience / 60:.0f} minutes"
            self._say(
                f"BigQuery has given no answer for {seconds:.0f} seconds. It is waited for, up to {minutes}: {cause}"
            )
        if seconds > self._patience:
            raise AwayError(f"BigQuery has given no answer for {seconds / 60:.0f} minutes. The last attempt: {cause}")


def _heeding_the_end(result: Callable[..., Any]) -> Callable[..., Any]:
    signature = inspect.signature(result)

    @functools.wraps(result)
    def wait(*positional: Any, **named: Any) -> Any:
        call = signature.bind(*positional, **named)
        call.apply_defaults()
        if call.arguments.get("retry") is not None:
            call.arguments["retry"] = _UntilItHasEnded(call.arguments["retry"])
        return result(*call.args, **call.kwargs)

    return wait


class _UntilItHasEnded:
    """One of Google's retries, which stops at what is said of a job that has ended."""

    def __init__(self, retry: Any) -> None:
        self._retry = retry

    def __getattr__(self, name: str) -> Any:
        return getattr(self._retry, name)

    def __call__(self, function: Callable[..., Any], *positional: Any, **named: Any) -> Callable[..., Any]:
        def once() -> Any:
            try:
                return function()
            except Exception as error:
                if _reason(error) in REASONS_OF_ENDED_JOBS:
                    raise _EndedError(error) from None
                raise

        retried = self._retry(once, *positional, **named)

        @functools.wraps(function)
        def until() -> Any:
            try:
                return retried()
            except _EndedError as ended:
                raise ended.said from None

        return until


def _reason(error: Exception) -> str:
    """The reason that the service gave, or an empty text."""
    try:
        return str(error.errors[0]["reason"])  # type: ignore[attr-defined]
    except (AttributeError, LookupError, TypeError):
        return ""
