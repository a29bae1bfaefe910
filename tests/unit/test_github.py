"""What an error of GitHub means, in a sentence. The requests themselves are the integration ring's."""

import pytest
import requests
from github import GithubException
from headless_dbt.errors import GitHubError
from headless_dbt.github import NETWORK_ERRORS, explain


@pytest.mark.parametrize(
    ("status", "data", "sentence"),
    [
        (
            401,
            {"message": "Bad credentials"},
            "GitHub does not take the token for the issue of acme/shop with status 401 (Bad credentials). Renew `git",
        ),
        (403, {"message": "Resource not accessible by integration"}, "Add `issues: write` to the `permissions:`"),
        (404, {"message": "Not Found"}, "Check `github-token`, and `issues: write`"),
        (410, {"message": "Issues are disabled"}, "Issues are disabled in acme/shop. Enable them, or set"),
        (422, {"message": "Validation Failed"}, "with status 422 (Validation Failed)."),
        (500, None, "GitHub answered the issue of acme/shop with status 500 (). Run again."),
        (502, "<html>", "with status 502"),
    ],
)
def test_an_answer_of_github_says_what_to_do(status: int, data: object, sentence: str) -> None:
    error = explain(GithubException(status, data, {}), "acme/shop")

    assert isinstance(error, GitHubError)
    assert sentence in str(error)
    assert error.exit_code == 5


@pytest.mark.parametrize("message", ["You have exceeded a secondary rate limit", "API rate limit exceeded for x"])
@pytest.mark.parametrize("status", [403, 429])
def test_a_rate_limit_is_not_taken_for_a_missing_permission(status: int, message: str) -> None:
    sentence = str(explain(GithubException(status, {"message": message}, {}), "acme/shop"))

    assert "issues: write" not in sentence
    assert message in sentence


@pytest.mark.parametrize("error", [requests.ConnectionError("refused"), requests.Timeout("30 s")])
def test_a_network_that_is_away_is_said_so(error: Exception) -> None:
    assert isinstance(error, NETWORK_ERRORS)
    assert str(explain(error, "acme/shop")) == (
        f"GitHub could not be reached about the issue of acme/shop: {error}. Run again."
    )
