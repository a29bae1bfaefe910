"""The JSON in which GitHub shows its issues, comments, labels, users and errors."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from tests.github_double.exchange import Answer
from tests.github_double.openapi import Json, github_description
from tests.github_double.state import Comment, Issue, Label, Repository

DOCS = "https://docs.github.com/rest"


@dataclass(frozen=True)
class Documents:
    """Writes one repository's documents, with links that lead back to the double."""

    repository: Repository
    api_url: str
    html_url: str

    @property
    def repository_url(self) -> str:
        """The repository's own address in the API."""
        return f"{self.api_url}/repos/{self.repository.full_name}"

    def whole_repository(self) -> Json:
        """GitHub's example repository, renamed."""
        owner, name = self.repository.full_name.split("/")
        example = _renamed(
            github_description().example("full-repository-default-response"),
            {
                "https://api.github.com": self.api_url,
                "https://github.com": self.html_url,
                "octocat/Hello-World": self.repository.full_name,
            },
        )
        for relative in ("parent", "source", "template_repository"):
            del example[relative]
        own = {"name": name, "has_issues": self.repository.has_issues, "owner": self.user(owner)}
        return {**example, **own, "language": None}

    def issue(self, issue: Issue) -> Json:
        """An issue, or a pull request as the list of issues shows it."""
        url = f"{self.repository_url}/issues/{issue.number}"
        kind = "pull" if issue.is_pull_request else "issues"
        page = f"{self.html_url}/{self.repository.full_name}/{kind}/{issue.number}"
        assignees = [self.user(login) for login in issue.assignees]
        document = {
            "id": issue.id,
            "node_id": f"I_{issue.id}",
            "url": url,
            "repository_url": self.repository_url,
            "labels_url": f"{url}/labels{{/name}}",
            "comments_url": f"{url}/comments",
            "events_url": f"{url}/events",
            "html_url": page,
            "number": issue.number,
            "state": issue.state,
            "state_reason": issue.state_reason,
            "title": issue.title,
            "body": issue.body,
            "user": self.user(issue.author),
            "labels": [self.label(label) for label in map(self.repository.label, issue.labels) if label],
            "assignee": assignees[0] if assignees else None,
            "assignees": assignees,
            "milestone": None,
            "locked": False,
            "active_lock_reason": None,
            "comments": len(issue.comments),
            "closed_at": _stamp(issue.closed_at) if issue.closed_at else None,
            "created_at": _stamp(issue.created_at),
            "updated_at": _stamp(issue.updated_at),
            "author_association": "NONE",
        }
        if issue.is_pull_request:
            pull = {"url": f"{self.repository_url}/pulls/{issue.number}", "html_url": page}
            document["pull_request"] = {**pull, "diff_url": f"{page}.diff", "patch_url": f"{page}.patch"}
        return document

    def comment(self, issue: Issue, comment: Comment) -> Json:
        """A comment on an issue."""
        page = f"{self.html_url}/{self.repository.full_name}/issues/{issue.number}"
        return {
            "id": comment.id,
            "node_id": f"IC_{comment.id}",
            "url": f"{self.repository_url}/issues/comments/{comment.id}",
            "html_url": f"{page}#issuecomment-{comment.id}",
            "issue_url": f"{self.repository_url}/issues/{issue.number}",
            "body": comment.body,
            "user": self.user(comment.author),
            "created_at": _stamp(comment.created_at),
            "updated_at": _stamp(comment.created_at),
            "author_association": "NONE",
        }

    def label(self, label: Label) -> Json:
        """A label."""
        return {
            "id": label.id,
            "node_id": f"LA_{label.id}",
            "url": f"{self.repository_url}/labels/{quote(label.name, safe='')}",
            "name": label.name,
            "description": label.description,
            "color": label.color,
            "default": False,
        }

    def user(self, login: str) -> Json:
        """A user, or an app's bot."""
        url = f"{self.api_url}/users/{quote(login)}"
        links = ("followers", "subscriptions", "organizations", "repos", "received_events")
        return {
            "login": login,
            "id": 41898282,
            "node_id": "MDM6Qm90NDE4OTgyODI=",
            "avatar_url": f"{self.html_url}/avatars/{quote(login)}",
            "gravatar_id": "",
            "url": url,
            "html_url": f"{self.html_url}/{quote(login)}",
            "following_url": f"{url}/following{{/other_user}}",
            "gists_url": f"{url}/gists{{/gist_id}}",
            "starred_url": f"{url}/starred{{/owner}}{{/repo}}",
            "events_url": f"{url}/events{{/privacy}}",
            "type": "Bot" if login.endswith("[bot]") else "User",
            "site_admin": False,
            **{f"{link}_url": f"{url}/{link}" for link in links},
        }


def error(status: int, message: str) -> Answer:
    """A plain error."""
    return Answer(status, {"message": message, "documentation_url": DOCS, "status": str(status)})


def invalid(*errors: dict[str, Any]) -> Answer:
    """The 422 that names what is wrong with which field."""
    body = {"message": "Validation Failed", "errors": list(errors), "documentation_url": DOCS}
    return Answer(422, {**body, "status": "422"})


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _renamed(each, names) for key, each in value.items()}
    if isinstance(value, list):
        return [_renamed(each, names) for each in value]
    if isinstance(value, str):
        for old, new in names.items():
            value = value.replace(old, new)
    return value
