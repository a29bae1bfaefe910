"""What the double knows: one repository's issues and labels, as plain data that tests may read and set."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Literal

Permission = Literal["none", "read", "write"]
BOT = "github-actions[bot]"
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
    id: int = field(default_factory=lambda: next(_ids))
    created_at: datetime = field(default_factory=_now)


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
    is_pull_request: bool = False
    state_reason: str | None = None
    id: int = field(default_factory=lambda: next(_ids))
    created_at: datetime = field(default_factory=_now)
    updated_at: datetime = field(default_factory=_now)
    closed_at: datetime | None = None

    def touch(self) -> None:
        """Note that the issue changed just now."""
        self.updated_at = _now()

    def set_state(self, state: Literal["open", "closed"], reason: str | None) -> None:
        """Close or reopen the issue, with GitHub's reasons when none is given."""
        if state == self.state:
            return
        self.state = state
        self.closed_at = _now() if state == "closed" else None
        self.state_reason = reason or ("completed" if state == "closed" else "reopened")


@dataclass
class Repository:
    """The one repository of the double, and what the caller's token may do in it."""

    full_name: str
    issues: list[Issue] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    assignable: set[str] = field(default_factory=set)
    has_issues: bool = True
    issues_permission: Permission = "write"

    def issue(self, number: int) -> Issue | None:
        """The issue with that number."""
        return next((issue for issue in self.issues if issue.number == number), None)

    def label(self, name: str) -> Label | None:
        """The label of that name; GitHub does not tell upper case from lower."""
        return next((label for label in self.labels if label.name.lower() == name.lower()), None)

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
