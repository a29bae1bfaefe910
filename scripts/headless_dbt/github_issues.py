"""The issues of a repository on GitHub: reading them, and carrying a plan out.

Source: https://docs.github.com/en/rest/issues
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice

import github.Issue
from github import GithubObject
from github.GithubException import GithubException, UnknownObjectException

from headless_dbt.assessment import Issue
from headless_dbt.github import NETWORK_ERRORS, Patience, connect
from headless_dbt.incident import Plan
from headless_dbt.incident_state import DUPLICATE, State, marked, marker

LABEL_COLOR = "d73a4a"
# How many closed issues, those changed last first, are looked at for the incident before.
MOST_CLOSED = 500
_UNPROCESSABLE = 422
_MAY_WRITE = ("OWNER", "MEMBER", "COLLABORATOR")


class Issues:
    """The issues of one repository."""

    def __init__(self, token: str, api_url: str, repository: str, patience: Patience | None = None) -> None:
        """Talk to ``api_url`` about ``repository`` (owner/name)."""
        self._patience = patience or Patience()
        try:
            self._repository = self._patience.ask(lambda: connect(token, api_url, repository, lazy=False))
        except UnknownObjectException:
            # A token may see the issues of a repository without the repository; else they will say so.
            self._repository = connect(token, api_url, repository, lazy=True)

    def open_ones(self) -> list[Issue]:
        """All open issues, over all pages; GitHub lists pull requests among them, these are left out."""
        found = self._patience.ask(lambda: list(self._repository.get_issues(state="open")))
        return [_read(issue) for issue in _no_pulls(found)]

    def closed_ones(self, since: datetime) -> list[Issue]:
        """All issues that were closed since then, and the older ones that changed last."""

        def ask() -> list[github.Issue.Issue]:
            changed = self._repository.get_issues(state="closed", sort="updated", direction="desc")
            recent = self._repository.get_issues(state="closed", since=since)
            return [*recent, *islice(changed, MOST_CLOSED)]

        found = {issue.number: issue for issue in self._patience.ask(ask)}
        return [_read(issue) for issue in _no_pulls(found.values())]

    def assignable(self, logins: Iterable[str]) -> frozenset[str]:
        """Those of the logins that can be assigned here."""
        return frozenset(filter(self._is_assignable, logins))

    def _is_assignable(self, login: str) -> bool:
        try:
            return self._patience.ask(lambda: self._repository.has_in_assignees(login))
        except NETWORK_ERRORS:  # Who is assigned is a courtesy.
            return False

    def apply(self, plan: Plan) -> tuple[int, str, bool]:
        """Carry a plan out; return the number and the address of its issue, and whether nobody else wrote meanwhile."""
        if plan.number is None:
            return self._only_one(plan, self._create(plan))
        number = plan.number
        issue = self._patience.ask(lambda: self._repository.get_issue(number))
        if plan.comment is not None:
            self._comment(issue, plan.comment, f"<!-- headless-dbt:comment:{plan.news} -->")
        self._edit(issue, plan)
        if plan.assignees:
            self._assign(issue, plan.assignees)
        written = self._patience.ask(lambda: self._repository.get_issue(number).body or "")
        return issue.number, issue.html_url, _same_marker(written, plan)

    def _create(self, plan: Plan) -> github.Issue.Issue:
        for label in plan.labels:
            self._ensure_label(label)

        def create() -> github.Issue.Issue:
            try:
                return self._repository.create_issue(
                    plan.title or "", plan.body, labels=list(plan.labels), assignees=list(plan.assignees)
                )
            except GithubException as error:
                if error.status != _UNPROCESSABLE:
                    raise
                # An issue without a label or an assignee is better than none.
                return self._repository.create_issue(plan.title or "", plan.body)

        return self._patience.ask(create, lambda: next(iter(self._same(plan)), None))

    def _same(self, plan: Plan) -> list[github.Issue.Issue]:
        """The open issues of the same pipeline and part, the oldest first."""
        marks = ((issue, marked(issue.body or "", plan.key)) for issue in self._repository.get_issues(state="open"))
        found = [issue for issue, mark in marks if mark is not None and mark.part == plan.part]
        return sorted(found, key=lambda issue: issue.number)

    def _only_one(self, plan: Plan, created: github.Issue.Issue) -> tuple[int, str, bool]:
        """Of two that two runs opened at once the older one stays, and has to be told what the younger one said."""
        first = next(iter(self._patience.ask(lambda: self._same(plan))), created)
        if first.number >= created.number:
            return created.number, created.html_url, True
        note = f"{marker(plan.key, DUPLICATE, State())}\nTwo runs failed at once; #{first.number} tells of both."
        self._patience.ask(lambda: created.edit(body=note, state="closed", state_reason="not_planned"))
        return first.number, first.html_url, False

    def _comment(self, issue: github.Issue.Issue, text: str, mark: str) -> None:
        """Write a comment, unless one with this mark is there."""

        def there() -> bool | None:
            return any(mark in (comment.body or "") for comment in issue.get_comments()) or None

        def write() -> bool:
            issue.create_comment(f"{text}\n\n{mark}")
            return True

        if not self._patience.ask(there):
            self._patience.ask(write, there)

    def _edit(self, issue: github.Issue.Issue, plan: Plan) -> None:
        title = GithubObject.NotSet if plan.title is None else plan.title
        state = "open" if plan.is_open else "closed"
        changed = state if plan.is_open != plan.was_open else GithubObject.NotSet
        reason = GithubObject.NotSet if plan.is_open else "completed"
        self._patience.ask(lambda: issue.edit(title=title, body=plan.body, state=changed, state_reason=reason))

    def _assign(self, issue: github.Issue.Issue, logins: Iterable[str]) -> None:
        with suppress(*NETWORK_ERRORS):  # The issue is told; who is assigned is a courtesy.
            self._patience.ask(lambda: issue.add_to_assignees(*logins))

    def _ensure_label(self, label: str) -> None:
        # It is there already, most of the time. Where it cannot be made, GitHub says why to the issue itself.
        with suppress(*NETWORK_ERRORS):
            self._patience.ask(lambda: self._repository.create_label(label, LABEL_COLOR, "Opened by headless-dbt"))


def _same_marker(body: str, plan: Plan) -> bool:
    """Whether an issue says what the plan wrote; GitHub may change the ends of its lines."""
    there, meant = marked(body, plan.key), marked(plan.body, plan.key)
    return there is not None and meant is not None and there.state == meant.state


def _no_pulls(issues: Iterable[github.Issue.Issue]) -> Iterator[github.Issue.Issue]:
    # `issue.pull_request` would ask GitHub again for each issue that is none.
    return (issue for issue in issues if issue.html_url.split("/")[-2] != "pull")


def _read(issue: github.Issue.Issue) -> Issue:
    closed_at = issue.closed_at if issue.state == "closed" else None
    return Issue(
        number=issue.number,
        body=issue.body or "",
        title=issue.title,
        is_open=issue.state == "open",
        closed_at=closed_at.replace(tzinfo=closed_at.tzinfo or UTC) if closed_at else None,
        trusted=issue.user is not None and (issue.user.type == "Bot" or issue.author_association in _MAY_WRITE),
    )
