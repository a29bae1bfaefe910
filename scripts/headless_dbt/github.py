"""GitHub's REST API, through PyGithub: the only network of headless-dbt.

Source: https://docs.github.com/en/rest/issues
"""

from collections.abc import Iterator

import github.Issue
import requests
from github import Auth, Github
from github.GithubException import GithubException
from github.Repository import Repository

from headless_dbt.errors import GitHubError
from headless_dbt.incident import CloseIssue, CreateIssue, Issue, Plan, UpdateIssue

TIMEOUT_SECONDS = 30
LABEL_COLOR = "d73a4a"
_UNPROCESSABLE = 422


def connect(token: str, api_url: str, repository: str) -> Repository:
    """The ``repository`` (owner/name) as ``api_url`` shows it to the token; nothing is asked yet."""
    # lazy: the repository itself is not asked for, one request less.
    client = Github(auth=Auth.Token(token), base_url=api_url, timeout=TIMEOUT_SECONDS, per_page=100, retry=3, lazy=True)
    return client.get_repo(repository)


class Issues:
    """The issues of one repository."""

    def __init__(self, token: str, api_url: str, repository: str) -> None:
        """Talk to ``api_url`` about ``repository`` (owner/name)."""
        self._repository = connect(token, api_url, repository)

    def open_issues(self) -> Iterator[Issue]:
        """All open issues, over all pages; GitHub lists pull requests among them, these are left out."""
        for issue in self._repository.get_issues(state="open"):
            # `issue.pull_request` would ask GitHub again for each issue that is none.
            if issue.html_url.split("/")[-2] != "pull":
                yield Issue(issue.number, issue.body or "", issue.title)

    def apply(self, plan: Plan) -> tuple[int, str] | None:
        """Carry a plan out; return the number and the address of the issue that it was about."""
        match plan:
            case None:
                return None
            case CreateIssue():
                created = self._create(plan)
                return created.number, created.html_url
            case UpdateIssue():
                issue = self._repository.get_issue(plan.number)
                if plan.title is None:
                    issue.edit(body=plan.body)
                else:
                    issue.edit(title=plan.title, body=plan.body)
                return issue.number, issue.html_url
            case CloseIssue():
                issue = self._repository.get_issue(plan.number)
                issue.create_comment(plan.comment)
                issue.edit(state="closed", state_reason="completed")
                return issue.number, issue.html_url

    def _create(self, plan: CreateIssue) -> github.Issue.Issue:
        for label in plan.labels:
            self._ensure_label(label)
        # GitHub refuses the whole issue for one login that it cannot assign.
        assignees = [login for login in plan.assignees if self._repository.has_in_assignees(login)]
        try:
            return self._repository.create_issue(plan.title, plan.body, labels=list(plan.labels), assignees=assignees)
        except GithubException as error:
            if error.status != _UNPROCESSABLE:
                raise
            # An issue without a label is better than none.
            return self._repository.create_issue(plan.title, plan.body)

    def _ensure_label(self, label: str) -> None:
        try:
            self._repository.create_label(label, LABEL_COLOR, "Opened by headless-dbt")
        except GithubException as error:
            if error.status != _UNPROCESSABLE:  # It is there already.
                raise


def explain(error: Exception, repository: str) -> GitHubError:
    """What an error of GitHub means, as a sentence with what to do next."""
    if isinstance(error, GithubException):
        said = error.data.get("message", "") if isinstance(error.data, dict) else ""
        if error.status == 404:
            return GitHubError(
                f"GitHub shows the token no repository {repository}, or none of its issues. "
                "Check `github-token`, and `issues: write` under the `permissions:` of the calling job."
            )
        if error.status == 429 or "rate limit" in str(said).lower():
            return GitHubError(
                f"GitHub's rate limit kept the issue of {repository} from being told ({said}). Run again."
            )
        if error.status in (401, 403):
            return GitHubError(
                f"GitHub refused the issue of {repository} with status {error.status} ({said}). "
                "Add `issues: write` to the `permissions:` of the calling job, or set `issue: false`."
            )
        if error.status == 410:
            return GitHubError(f"Issues are disabled in {repository}. Enable them, or set `issue: false`.")
        return GitHubError(f"GitHub answered the issue of {repository} with status {error.status} ({said}). Run again.")
    return GitHubError(f"GitHub could not be reached about the issue of {repository}: {error}. Run again.")


NETWORK_ERRORS = (GithubException, requests.RequestException)
