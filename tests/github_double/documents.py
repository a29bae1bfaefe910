"""The JSON in which GitHub shows its issues, comments, labels, users, workflow runs, artifacts and errors."""

import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Any, cast
from urllib.parse import quote

from tests.github_double.exchange import Answer
from tests.github_double.openapi import Json, github_description
from tests.github_double.state import BOT, Artifact, Comment, Issue, Label, Repository, Workflow, WorkflowRun

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
        example = self._here(github_description().example("full-repository-default-response"))
        for relative in ("parent", "source", "template_repository"):
            del example[relative]
        known = self.repository
        switches = {"has_issues": known.has_issues, "archived": known.archived}
        own = {"id": known.id, "name": name, "owner": self.user(owner), "default_branch": known.default_branch}
        return {**example, **own, **switches, "language": None}

    def repository_in_short(self, full_name: str) -> Json:
        """This repository, or a fork of it, as other documents show it."""
        owner, name = full_name.split("/")
        is_fork = full_name != self.repository.full_name
        example = self._here(github_description().example("workflow-run")["repository"], full_name)
        return {
            **example,
            "id": self._repository_id(is_fork=is_fork),
            "name": name,
            "owner": self.user(owner),
            "fork": is_fork,
        }

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
            "closed_at": stamp(issue.closed_at) if issue.closed_at else None,
            "closed_by": self.user(issue.closed_by) if issue.closed_by else None,
            "created_at": stamp(issue.created_at),
            "updated_at": stamp(issue.updated_at),
            "author_association": issue.author_association,
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
            "created_at": stamp(comment.created_at),
            "updated_at": stamp(comment.updated_at or comment.created_at),
            "author_association": comment.author_association,
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

    def workflow(self, workflow: Workflow) -> Json:
        """A workflow."""
        name = PurePosixPath(workflow.path).stem
        return {
            "id": workflow.id,
            "node_id": f"W_{workflow.id}",
            "name": name,
            "path": workflow.path,
            "state": "active",
            "created_at": "2020-01-08T23:48:37Z",
            "updated_at": "2020-01-08T23:48:37Z",
            "url": f"{self.repository_url}/actions/workflows/{workflow.id}",
            "html_url": f"{self.html_url}/{self.repository.full_name}/blob/main/{workflow.path}",
            "badge_url": f"{self.html_url}/{self.repository.full_name}/workflows/{name}/badge.svg",
        }

    def run(self, run: WorkflowRun) -> Json:
        """A workflow run: GitHub's example with the run's own values."""
        example = github_description().example("workflow-run")
        old, old_workflow = str(example["id"]), str(example["workflow_id"])
        new = {f"runs/{old}": f"runs/{run.id}", f"workflows/{old_workflow}": f"workflows/{run.workflow.id}"}
        url = f"{self.repository_url}/actions/runs/{run.id}"
        own = {
            "id": run.id,
            "name": PurePosixPath(run.workflow.path).stem,
            "path": run.workflow.path,
            "workflow_id": run.workflow.id,
            "run_number": self.repository.runs.index(run) + 1,
            "run_attempt": run.attempt,
            "previous_attempt_url": f"{url}/attempts/{run.attempt - 1}" if run.attempt > 1 else None,
            "referenced_workflows": [],
            "event": run.event,
            "status": run.status,
            "conclusion": run.conclusion,
            "head_branch": run.branch,
            "head_sha": run.head_sha,
            "repository": self.repository_in_short(self.repository.full_name),
            "head_repository": self.repository_in_short(run.head_repository),
        }
        stamps = dict.fromkeys(("created_at", "updated_at", "run_started_at"), stamp(run.created_at))
        return {**_renamed(self._here(example), new), **own, **stamps}

    def artifact(self, run: WorkflowRun, artifact: Artifact) -> Json:
        """An artifact of a run."""
        url = f"{self.repository_url}/actions/artifacts/{artifact.id}"
        return {
            "id": artifact.id,
            "node_id": f"A_{artifact.id}",
            "name": artifact.name,
            "size_in_bytes": len(artifact.content),
            "url": url,
            "archive_download_url": f"{url}/zip",
            "expired": artifact.expired,
            "digest": artifact.digest,
            "created_at": stamp(artifact.created_at),
            "updated_at": stamp(artifact.created_at),
            "expires_at": stamp(artifact.created_at + timedelta(days=90)),
            "workflow_run": {
                "id": run.id,
                "repository_id": self.repository.id,
                "head_repository_id": self._repository_id(is_fork=run.head_repository != self.repository.full_name),
                "head_branch": run.branch,
                "head_sha": run.head_sha,
            },
        }

    def user(self, login: str) -> Json:
        """A user, or an app's bot."""
        url = f"{self.api_url}/users/{quote(login)}"
        links = ("followers", "subscriptions", "organizations", "repos", "received_events")
        return {
            "login": login,
            "id": 41898282 if login == BOT else zlib.crc32(login.encode()),
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

    def _repository_id(self, *, is_fork: bool) -> int:
        return 217723378 if is_fork else self.repository.id

    def _here(self, example: Json, full_name: str = "") -> Json:
        """One of GitHub's examples, whose links lead to the double."""
        name = full_name or self.repository.full_name
        names = {"https://api.github.com": self.api_url, "https://github.com": self.html_url}
        renamed = _renamed(example, {**names, "octocat/Hello-World": name, "octo-org/octo-repo": name})
        return cast(Json, renamed)


def error(status: int, message: str) -> Answer:
    """A plain error."""
    return Answer(status, {"message": message, "documentation_url": DOCS, "status": str(status)})


def moved(status: int, location: str) -> Answer:
    """The way to where something is now."""
    docs = f"{DOCS}/guides/best-practices-for-using-the-rest-api#follow-redirects"
    return Answer(
        status, {"message": "Moved Permanently", "url": location, "documentation_url": docs}, {"location": location}
    )


def invalid(*errors: dict[str, Any]) -> Answer:
    """The 422 that names what is wrong with which field."""
    body = {"message": "Validation Failed", "errors": list(errors), "documentation_url": DOCS}
    return Answer(422, {**body, "status": "422"})


def stamp(moment: datetime) -> str:
    """A moment as GitHub writes it."""
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
