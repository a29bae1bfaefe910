"""The way to GitHub's REST API, through PyGithub: how to connect, how long to wait, and what an error means.

Source: https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import requests
from github import Auth, Github
from github.GithubException import GithubException
from github.Repository import Repository

from headless_dbt.errors import GitHubError

TIMEOUT_SECONDS = 30
# As GitHub asks for.
SECONDS_BETWEEN_WRITES = 1.0
# All the waiting of one verb together: a job shall not stand still for an issue.
PATIENCE_SECONDS = 240.0
_MOST_TRIES = 6
_SECONDARY_SECONDS = 60.0

NETWORK_ERRORS = (GithubException, requests.RequestException)
Found = TypeVar("Found")


def connect(token: str, api_url: str, repository: str, *, lazy: bool) -> Repository:
    """The ``repository`` (owner/name) as ``api_url`` shows it to the token.

    With ``lazy`` nothing is asked yet. Without, a repository that was renamed is found under its new name.
    """
    client = Github(
        auth=Auth.Token(token),
        base_url=api_url,
        timeout=TIMEOUT_SECONDS,
        per_page=100,
        # PyGithub would send a request again whose answer was lost, and so open an issue twice.
        retry=None,
        seconds_between_requests=None,
        seconds_between_writes=SECONDS_BETWEEN_WRITES,
        lazy=lazy,
    )
    return client.get_repo(repository)


@dataclass
class Patience:
    """Asks GitHub again where that may help, as long as the waiting together stays below ``seconds``."""

    seconds: float = PATIENCE_SECONDS
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.time
    waited: float = field(default=0.0, init=False)

    def ask(self, request: Callable[[], Found], done_already: Callable[[], Found | None] | None = None) -> Found:
        """The answer to a request.

        One that must not take effect twice comes with ``done_already``, which looks whether it did before its answer
        was lost. Raises what GitHub or the network said last.
        """
        for tries in range(_MOST_TRIES):
            try:
                return request()
            except NETWORK_ERRORS as error:
                wait = wait_after(error, tries, self.clock())
                if wait is None or self.waited + wait > self.seconds or tries == _MOST_TRIES - 1:
                    raise
                self.waited += wait
                self.sleep(wait)
                if done_already is not None and (found := self.ask(done_already)) is not None:
                    return found
        raise AssertionError("unreachable")


def wait_after(error: Exception, tries: int, now: float) -> float | None:
    """Seconds to wait before a request is sent again, or None where that cannot help.

    ``now`` is in seconds since 1970, as GitHub's own time of a reset.
    """
    if isinstance(error, requests.HTTPError) and error.response is not None and error.response.status_code < 500:
        return None
    if not isinstance(error, GithubException) or error.status >= 500:
        return 2.0**tries
    if not is_rate_limit(error):
        return None
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    if headers.get("retry-after", "").isdecimal():
        return float(headers["retry-after"])
    if headers.get("x-ratelimit-remaining") == "0" and headers.get("x-ratelimit-reset", "").isdecimal():
        return max(0.0, float(headers["x-ratelimit-reset"]) - now) + 1
    return _SECONDARY_SECONDS


def is_rate_limit(error: GithubException) -> bool:
    """Whether GitHub asks for fewer requests, which is not to be taken for a missing permission."""
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    limited = "rate limit" in said(error).lower() or "retry-after" in headers
    return error.status == 429 or (error.status == 403 and (limited or headers.get("x-ratelimit-remaining") == "0"))


def said(error: GithubException) -> str:
    """What GitHub said."""
    message = error.data.get("message", "") if isinstance(error.data, dict) else ""
    return str(message)


def explain(error: Exception, repository: str) -> GitHubError:
    """What an error of GitHub means, as a sentence with what to do next."""
    if not isinstance(error, GithubException):
        return GitHubError(f"GitHub could not be reached about the issue of {repository}: {error}. Run again.")
    answer = f"with status {error.status} ({said(error)})"
    if is_rate_limit(error):
        text = f"GitHub's rate limit kept the issue of {repository} from being told ({said(error)}). Run again."
    elif "archived" in said(error).lower():
        text = f"{repository} is archived and takes no issues. Set `issue: false`."
    elif error.status == 401:
        text = (
            f"GitHub does not take the token for the issue of {repository} {answer}. "
            "Renew `github-token`, or leave it out for the job's own."
        )
    elif error.status == 403:
        text = (
            f"GitHub refused the issue of {repository} {answer}. "
            "Add `issues: write` to the `permissions:` of the calling job, or set `issue: false`."
        )
    elif error.status == 404:
        text = (
            f"GitHub shows the token no repository {repository}, or none of its issues. "
            "Check `github-token`, and `issues: write` under the `permissions:` of the calling job."
        )
    elif error.status == 410:
        text = f"Issues are disabled in {repository}. Enable them, or set `issue: false`."
    else:
        text = f"GitHub answered the issue of {repository} {answer}. Run again."
    return GitHubError(text)
