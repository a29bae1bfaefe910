"""Why GitHub did not give an earlier run. The requests themselves are the integration ring's."""

import pytest
import requests
from github import GithubException
from headless_dbt.github_runs import why_not


@pytest.mark.parametrize(
    ("status", "message", "said"),
    [
        (404, "Not Found", "GitHub knows no such run, or does not show it to this token"),
        (410, "Artifact has expired", "its artifact has expired"),
        (403, "Resource not accessible by integration", "add `actions: read` to the `permissions:`"),
        (403, "API rate limit exceeded", "GitHub answered with status 403 (API rate limit exceeded)"),
        (500, "Oops", "GitHub answered with status 500 (Oops)"),
    ],
)
def test_an_answer_says_what_to_do(status: int, message: str, said: str) -> None:
    assert said in why_not(GithubException(status, {"message": message}, {}))


def test_a_download_that_fails_is_told_too() -> None:
    answer = requests.Response()
    answer.status_code, answer.reason = 410, "Gone"
    assert why_not(requests.HTTPError(response=answer)) == "its artifact has expired"
    assert why_not(requests.ConnectionError("cut")) == "GitHub could not be reached (cut)"
