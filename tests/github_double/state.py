"""What the double knows: one repository's issues, labels, runs and commits, as plain data to read and set."""

import hashlib
import io
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import PurePosixPath
from typing import Literal

Permission = Literal["none", "read", "write"]
AuthorAssociation = Literal["OWNER", "MEMBER", "COLLABORATOR", "CONTRIBUTOR", "NONE"]
BOT = "github-actions[bot]"
MAX_ASSIGNEES = 10
_ids = count(1_000_001)


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@dataclass
class Label:
    """A label of the repository."""

    name: str
    color: str = "ededed"
    description: str | None = None
    id: int = field(default_factory=lambda: next(_ids))


@dataclass
class Comment:
    """A comment on an issue."""

    body: str
    author: str = BOT
    author_association: AuthorAssociation = "NONE"
    id: int = field(default_factory=lambda: next(_ids))
    created_at: datetime = field(default_factory=_now)
    updated_at: datetime | None = None

    def edit(self, body: str) -> None:
        """Give the comment another text."""
        self.body = body
        self.updated_at = _now()


@dataclass
class Issue:
    """An issue or, as GitHub's list of issues holds both, a pull request."""

    number: int
    title: str
    body: str | None = None
    state: Literal["open", "closed"] = "open"
    labels: list[str] = field(default_factory=list)
    assignees: list[str] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    author: str = BOT
    author_association: AuthorAssociation = "NONE"
    is_pull_request: bool = False
    state_reason: str | None = None
    id: int = field(default_factory=lambda: next(_ids))
    created_at: datetime = field(default_factory=_now)
    updated_at: datetime = field(default_factory=_now)
    closed_at: datetime | None = None
    closed_by: str | None = None

    def touch(self) -> None:
        """Note that the issue changed just now."""
        self.updated_at = _now()

    def assign(self, logins: Iterable[str]) -> None:
        """Assign more users; GitHub leaves out, and says nothing of it, who would be the eleventh."""
        everybody = [*self.assignees, *(login for login in logins if login not in self.assignees)]
        self._set_assignees(list(dict.fromkeys(everybody))[:MAX_ASSIGNEES])

    def unassign(self, logins: Iterable[str]) -> None:
        """Assign these users no longer; who was not assigned is no error."""
        gone = {login.lower() for login in logins}
        self._set_assignees([login for login in self.assignees if login.lower() not in gone])

    def add_labels(self, names: Iterable[str]) -> None:
        """Add the labels that are not on the issue yet."""
        there = {name.lower() for name in self.labels}
        new = {name.lower(): name for name in names if name.lower() not in there}
        if new:
            self.labels = [*self.labels, *new.values()]
            self.touch()

    def set_state(self, state: Literal["open", "closed"], reason: str | None, by: str = BOT) -> None:
        """Close or reopen the issue, with GitHub's reasons when none is given."""
        if state == self.state:
            return
        self.state = state
        self.closed_at = _now() if state == "closed" else None
        self.closed_by = by if state == "closed" else None
        self.state_reason = reason or ("completed" if state == "closed" else "reopened")

    def _set_assignees(self, logins: list[str]) -> None:
        if logins != self.assignees:
            self.assignees = logins
            self.touch()


@dataclass
class Artifact:
    """What a run has uploaded; `content` is the zip."""

    name: str
    content: bytes
    expired: bool = False
    id: int = field(default_factory=lambda: next(_ids))
    created_at: datetime = field(default_factory=_now)

    @property
    def digest(self) -> str:
        """The digest that GitHub shows."""
        return f"sha256:{hashlib.sha256(self.content).hexdigest()}"


@dataclass
class Workflow:
    """A file below `.github/workflows`."""

    path: str
    id: int = field(default_factory=lambda: next(_ids))

    @property
    def file_name(self) -> str:
        """The name that GitHub takes in place of the number."""
        return PurePosixPath(self.path).name


@dataclass
class WorkflowRun:
    """A run of a workflow, over all its attempts; without a conclusion it is still in progress."""

    id: int
    workflow: Workflow
    branch: str
    event: str
    conclusion: str | None
    head_repository: str
    attempt: int = 1
    head_sha: str = "acb5820ced9479c074f688cc328bf03f341a511d"
    created_at: datetime = field(default_factory=_now)
    artifacts: list[Artifact] = field(default_factory=list)

    @property
    def status(self) -> Literal["completed", "in_progress"]:
        """Whether it has ended."""
        return "completed" if self.conclusion else "in_progress"

    def add_artifact(
        self, name: str, files: Mapping[str, bytes], *, expired: bool = False, created_at: datetime | None = None
    ) -> Artifact:
        """Put an artifact there as if some attempt had uploaded these files."""
        memory = io.BytesIO()
        with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
            for path, content in files.items():
                archive.writestr(path, content)
        age = timedelta(days=91 if expired else 0)
        artifact = Artifact(name, memory.getvalue(), expired, created_at=created_at or _now() - age)
        self.artifacts.append(artifact)
        return artifact


@dataclass
class Commit:
    """A commit; without a login it is by somebody whom GitHub does not know."""

    sha: str
    message: str
    author_login: str | None
    author_name: str
    files: list[str] = field(default_factory=list)
    parents: list[str] = field(default_factory=list)
    date: datetime = field(default_factory=_now)

    def touches(self, path: str) -> bool:
        """Whether it changes that file, or a file below that folder."""
        return any(file == path or file.startswith(f"{path.rstrip('/')}/") for file in self.files)


@dataclass
class Repository:
    """The one repository of the double, and what the caller's token may do in it."""

    full_name: str
    issues: list[Issue] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    workflows: list[Workflow] = field(default_factory=list)
    runs: list[WorkflowRun] = field(default_factory=list)
    commits: list[Commit] = field(default_factory=list)
    assignable: set[str] = field(default_factory=set)
    has_issues: bool = True
    archived: bool = False
    removed: bool = False
    former_names: list[str] = field(default_factory=list)
    default_branch: str = "main"
    issues_permission: Permission = "write"
    actions_permission: Permission = "read"
    contents_permission: Permission = "read"
    hands_out_parts: bool = True
    id: int = 1296269

    def has_name(self, full_name: str) -> bool:
        """Whether that is its name; GitHub does not tell upper case from lower."""
        return full_name.lower() == self.full_name.lower()

    def had_name(self, full_name: str) -> bool:
        """Whether that was its name before somebody renamed it."""
        return full_name.lower() in map(str.lower, self.former_names)

    def assignable_login(self, login: str) -> str | None:
        """The login as its user writes it, if that user can be assigned."""
        return next((each for each in self.assignable if each.lower() == login.lower()), None)

    def comment(self, comment_id: int) -> tuple[Issue, Comment] | None:
        """The comment with that number, and its issue."""
        all_of_them = ((issue, comment) for issue in self.issues for comment in issue.comments)
        return next((pair for pair in all_of_them if pair[1].id == comment_id), None)

    def position(self, ref: str) -> int | None:
        """Where in the history a commit is, by its sha, the first seven or more digits of it, or its branch."""
        if ref in ("HEAD", self.default_branch, f"heads/{self.default_branch}") and self.commits:
            return len(self.commits) - 1
        named = (index for index, each in enumerate(self.commits) if len(ref) > 6 and each.sha.startswith(ref))
        return next(named, None)

    def issue(self, number: int) -> Issue | None:
        """The issue with that number."""
        return next((issue for issue in self.issues if issue.number == number), None)

    def label(self, name: str) -> Label | None:
        """The label of that name; GitHub does not tell upper case from lower."""
        return next((label for label in self.labels if label.name.lower() == name.lower()), None)

    def workflow(self, name: str) -> Workflow | None:
        """The workflow with that path, file name or number."""
        known = (each for each in self.workflows if name in (each.path, each.file_name, str(each.id)))
        return next(known, None)

    def run(self, run_id: int) -> WorkflowRun | None:
        """The run with that number."""
        return next((run for run in self.runs if run.id == run_id), None)

    def artifact(self, artifact_id: int) -> Artifact | None:
        """The artifact with that number, of whichever run."""
        all_of_them = (artifact for run in self.runs for artifact in run.artifacts)
        return next((artifact for artifact in all_of_them if artifact.id == artifact_id), None)

    def add_issue(self, issue: Issue) -> Issue:
        """Keep the issue, and create the labels that it brings along, as GitHub does."""
        self.issues.append(issue)
        self.ensure_labels(issue.labels)
        return issue

    def ensure_labels(self, names: list[str]) -> None:
        """Create the labels that are missing."""
        for name in names:
            if self.label(name) is None:
                self.labels.append(Label(name))

    def next_number(self) -> int:
        """Issues and pull requests share one row of numbers."""
        return max((issue.number for issue in self.issues), default=0) + 1
