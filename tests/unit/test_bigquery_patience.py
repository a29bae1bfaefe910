"""BigQuery is waited for, but not beyond the end of a job, and not for ever."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from headless_dbt.bigquery_patience import AwayError, Silence, watch

DEFAULT_RETRY = object()


class _SaidError(Exception):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.errors = [{"reason": reason}]


class _Retry:
    """Tries again what its test calls retryable, as Google's own does."""

    deadline = 600.0

    def __init__(self) -> None:
        self.tried = 0

    def __call__(self, function: Callable[[], Any], on_error: Any = None) -> Callable[[], Any]:
        def retried() -> Any:
            while True:
                self.tried += 1
                try:
                    return function()
                except _SaidError:
                    if self.tried > 5:
                        raise
                    if on_error:
                        on_error()

        return retried


def _library(*answers: Any) -> tuple[Any, Any]:
    """Google's two modules, whose service gives these answers, and then nothing but the last."""
    left = list(answers)

    def answer() -> Any:
        said = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(said, Exception):
            raise said
        return said

    class QueryJob:
        def result(self, page_size: int | None = None, retry: Any = DEFAULT_RETRY, timeout: float | None = None) -> Any:
            assert (page_size, timeout) == (None, 7)
            return answer() if retry is None else retry(answer)()

    class AuthorizedSession:
        def request(self, _method: str) -> Any:
            return answer()

    return SimpleNamespace(QueryJob=QueryJob), SimpleNamespace(AuthorizedSession=AuthorizedSession)


@pytest.mark.parametrize("reason", ["jobBackendError", "jobInternalError", "jobRateLimitExceeded"])
def test_a_job_that_has_ended_is_asked_once(reason: str) -> None:
    said, retry = _SaidError(reason), _Retry()
    bigquery, transport = _library(said)
    watch(bigquery, transport, Silence())

    with pytest.raises(_SaidError) as caught:
        bigquery.QueryJob().result(retry=retry, timeout=7)

    assert caught.value is said
    assert retry.tried == 1


@pytest.mark.parametrize("said", [_SaidError("rateLimitExceeded"), _SaidError("backendError")])
def test_a_service_that_is_busy_is_asked_again(said: Exception) -> None:
    retry = _Retry()
    bigquery, transport = _library(said, said, "rows")
    watch(bigquery, transport, Silence())

    assert bigquery.QueryJob().result(retry=retry, timeout=7) == "rows"
    assert retry.tried == 3


def test_who_wants_no_retries_gets_none() -> None:
    bigquery, transport = _library("rows")
    watch(bigquery, transport, Silence())
    assert bigquery.QueryJob().result(retry=None, timeout=7) == "rows"


def test_what_else_a_retry_knows_can_still_be_asked() -> None:
    seen = []
    bigquery, transport = _library("rows")
    inner = bigquery.QueryJob.result

    def result(self: Any, page_size: int | None = None, retry: Any = None, timeout: float | None = None) -> Any:
        seen.append(retry.deadline)
        return inner(self, page_size, retry, timeout)

    bigquery.QueryJob.result = result
    watch(bigquery, transport, Silence())
    bigquery.QueryJob().result(retry=_Retry(), timeout=7)
    assert seen == [600.0]


class ConnectionTimeout(ConnectionError):  # noqa: N818  As requests names its own.
    """No answer, under another name."""


ANSWER, BROKEN = SimpleNamespace(status_code=404, reason="Not Found"), SimpleNamespace(status_code=503, reason="Away")
GONE = ConnectionTimeout("Max retries exceeded with url: /jobs/one?x=1 (Connection refused)")


class _Service:
    """Requests, one after the other, each at its second."""

    def __init__(self, patience: float) -> None:
        self.now = 0.0
        self.said: list[str] = []
        self.silence = Silence(patience, lambda: self.now, self.said.append)

    def say(self, second: float, said: Any) -> Any:
        self.now = second
        bigquery, transport = _library(said)
        watch(bigquery, transport, self.silence)
        return transport.AuthorizedSession().request("GET")


def test_a_service_is_given_up_that_has_been_silent_for_too_long() -> None:
    service = _Service(patience=600)
    for second in (1000, 1300, 1600):
        with pytest.raises(ConnectionTimeout):
            service.say(second, GONE)
    with pytest.raises(AwayError) as caught:
        service.say(1601, GONE)
    assert str(caught.value) == (
        "BigQuery has given no answer for 10 minutes. The last attempt: Max retries exceeded (Connection refused)"
    )
    # And so for every request from now on, until one is answered.
    with pytest.raises(AwayError):
        service.say(1602, GONE)
    assert service.say(1603, ANSWER) is ANSWER
    with pytest.raises(ConnectionTimeout):
        service.say(1604, GONE)


def test_a_silence_is_told_once_and_so_is_its_end() -> None:
    service = _Service(patience=600)
    for second in (0, 20, 40, 60):
        service.say(second, BROKEN)
    service.say(61, ANSWER)
    service.say(62, ANSWER)
    service.say(63, BROKEN)
    assert service.said == [
        "BigQuery has given no answer for 40 seconds. It is waited for, up to 10 minutes: 503 Away",
        "BigQuery answers again.",
    ]


def test_an_error_of_the_server_is_no_answer() -> None:
    service = _Service(patience=600)
    assert service.say(1000, BROKEN) is BROKEN
    with pytest.raises(AwayError, match="The last attempt: 503 Away"):
        service.say(1601, BROKEN)


def test_any_answer_ends_the_silence() -> None:
    service = _Service(patience=600)
    for second in range(0, 6000, 400):
        assert service.say(second, BROKEN) is BROKEN
        assert service.say(second + 200, ANSWER) is ANSWER


def test_an_error_of_ones_own_is_none_of_the_service() -> None:
    service = _Service(patience=0)
    for second in (1, 2):
        with pytest.raises(ValueError, match="mine"):
            service.say(second, ValueError("mine"))
