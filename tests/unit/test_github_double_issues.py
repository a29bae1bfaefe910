"""The life of an issue in the double: who is on it, what it is labelled, when it changed, and its comments."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
import requests
from github import Auth, Github, GithubException
from github.Repository import Repository

from tests.github_double import AuthorAssociation, Comment, GitHubDouble

_LONG_AGO = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def github() -> Iterator[GitHubDouble]:
    with GitHubDouble() as double:
        yield double


@pytest.fixture
def repository(github: GitHubDouble) -> Iterator[Repository]:
    options: dict[str, Any] = {"retry": None, "seconds_between_requests": 0, "seconds_between_writes": 0}
    with Github(base_url=github.url, auth=Auth.Token(github.token), **options) as client:
        yield client.get_repo(github.repository.full_name)


def _ask(github: GitHubDouble, method: str, path: str, body: Any = None) -> requests.Response:
    headers = {"Authorization": f"Bearer {github.token}"}
    return requests.request(method, f"{github.url}/repos/acme/warehouse{path}", headers=headers, json=body, timeout=10)


def test_who_cannot_be_assigned_is_left_out_without_a_word(github: GitHubDouble, repository: Repository) -> None:
    github.repository.assignable = {"Ada", "bob"}
    kept = github.add_issue("dbt failed")
    issue = repository.get_issue(kept.number)

    issue.add_to_assignees("ada", "nobody", "bob", "ADA")
    assert kept.assignees == ["Ada", "bob"]
    assert [user.login for user in issue.assignees] == ["Ada", "bob"]
    assert repository.has_in_assignees("ada")

    issue.remove_from_assignees("ADA", "nobody")
    assert kept.assignees == ["bob"]
    assert [user.login for user in issue.assignees] == ["bob"]
    assert _ask(github, "POST", "/issues/99/assignees", {"assignees": ["bob"]}).status_code == 404
    assert _ask(github, "DELETE", "/issues/99/assignees", {"assignees": ["bob"]}).status_code == 404


def test_an_issue_has_ten_assignees_at_most(github: GitHubDouble, repository: Repository) -> None:
    crowd = [f"user-{number}" for number in range(12)]
    github.repository.assignable = set(crowd)
    kept = github.add_issue("dbt failed")
    kept.assignees = ["user-11"]

    answer = _ask(github, "POST", f"/issues/{kept.number}/assignees", {"assignees": crowd})

    assert answer.status_code == 201
    assert [user["login"] for user in answer.json()["assignees"]] == ["user-11", *crowd[:9]]
    assert len(repository.create_issue("another", assignees=crowd).assignees) == 10


@pytest.mark.parametrize("body", [["new", "DBT-failure"], {"labels": ["new", {"name": "DBT-failure"}]}])
def test_labels_are_added_to_those_there(github: GitHubDouble, body: object) -> None:
    kept = github.add_issue("dbt failed", labels=["dbt-failure"])
    answer = _ask(github, "POST", f"/issues/{kept.number}/labels", body)
    assert [label["name"] for label in answer.json()] == ["dbt-failure", "new"]
    assert kept.labels == ["dbt-failure", "new"]
    assert [label.name for label in github.labels] == ["dbt-failure", "new"]
    assert _ask(github, "POST", f"/issues/{kept.number}/labels", {"labels": ["x" * 51]}).status_code == 422
    assert _ask(github, "POST", "/issues/99/labels", ["new"]).status_code == 404


def test_labels_through_pygithub(github: GitHubDouble, repository: Repository) -> None:
    issue = repository.get_issue(github.add_issue("dbt failed").number)
    issue.add_to_labels("dbt-failure", "stale")
    assert github.issues[0].labels == ["dbt-failure", "stale"]


def test_a_body_that_githubs_description_does_not_know_fails_the_test() -> None:
    double = GitHubDouble()
    double.add_issue("dbt failed")
    with pytest.raises(AssertionError, match="unknown key 'label' in the body"), double:
        _ask(double, "POST", "/issues/1/labels", {"label": ["new"]})


def test_issues_since_a_moment(github: GitHubDouble, repository: Repository) -> None:
    old = github.add_issue("old", labels=["dbt-failure"], closed=True)
    exact = github.add_issue("exact", labels=["dbt-failure"], closed=True)
    github.add_issue("new", closed=True)
    github.add_issue("open", labels=["dbt-failure"])
    old.updated_at, exact.updated_at = _LONG_AGO - timedelta(seconds=1), _LONG_AGO

    found = repository.get_issues(state="closed", labels=["dbt-failure"], since=_LONG_AGO, sort="updated")

    assert [issue.title for issue in found] == ["exact"]
    assert [issue.title for issue in repository.get_issues(state="all", since=_LONG_AGO)] == ["open", "new", "exact"]
    assert github.requests[-1].query["since"] == "2026-01-02T03:04:05Z"


def test_what_a_test_has_aged_stays_as_it_is_until_somebody_writes(
    github: GitHubDouble, repository: Repository
) -> None:
    kept = github.add_issue("dbt failed", closed=True, author="ada", author_association="MEMBER")
    kept.created_at = kept.updated_at = kept.closed_at = _LONG_AGO
    kept.comments = [Comment("still red", "ada", created_at=_LONG_AGO)]

    issue = repository.get_issue(kept.number)
    assert [issue.created_at, issue.updated_at, issue.closed_at] == [_LONG_AGO] * 3
    assert (issue.state_reason, issue.user.login) == ("completed", "ada")
    assert issue.closed_by
    assert issue.closed_by.login == "ada"
    [comment] = issue.get_comments()
    assert [comment.created_at, comment.updated_at] == [_LONG_AGO] * 2
    # Nothing changes what is so already.
    issue.edit(state="closed", state_reason="not_planned")
    assert (kept.closed_at, kept.closed_by, kept.state_reason) == (_LONG_AGO, "ada", "completed")
    kept.updated_at = _LONG_AGO
    issue.remove_from_assignees("nobody")
    assert kept.updated_at == _LONG_AGO

    issue.edit(state="open")
    again = repository.get_issue(kept.number)
    assert (again.state, again.state_reason) == ("open", "reopened")
    assert [again.raw_data["closed_at"], again.raw_data["closed_by"]] == [None, None]
    assert again.created_at == _LONG_AGO
    assert again.updated_at > _LONG_AGO

    issue.edit(state="closed", state_reason="not_planned")
    [listed] = repository.get_issues(state="closed")
    assert (listed.state_reason, kept.closed_by) == ("not_planned", "github-actions[bot]")
    assert listed.closed_at > _LONG_AGO


def test_who_wrote_it(github: GitHubDouble, repository: Repository) -> None:
    for association in get_args(AuthorAssociation):
        github.add_issue(association, author="ada", author_association=association)
    by_us = repository.create_issue("dbt failed")
    documents = _ask(github, "GET", "/issues").json()
    ours, *others = documents
    assert (ours["number"], ours["user"]["login"], ours["user"]["type"]) == (by_us.number, "github-actions[bot]", "Bot")
    assert (ours["author_association"], ours["user"]["id"]) == ("NONE", 41898282)
    assert {each["author_association"]: each["title"] for each in others} == {
        association: association for association in get_args(AuthorAssociation)
    }
    assert {(each["user"]["login"], each["user"]["type"]) for each in others} == {("ada", "User")}
    assert ours["user"]["id"] != others[0]["user"]["id"]
    by_bots = _ask(github, "GET", "/issues?creator=github-actions[bot]").json()
    assert [each["number"] for each in by_bots] == [by_us.number]


def test_a_comment_is_read_and_edited(github: GitHubDouble, repository: Repository) -> None:
    github.add_issue("another", comments=["not this one"])
    kept = github.add_issue("dbt failed", comments=["still red", "and still"])
    [first, second] = kept.comments
    first.created_at = kept.updated_at = _LONG_AGO

    comment = repository.get_issue(kept.number).get_comment(first.id)
    assert (comment.body, comment.user.type, comment.updated_at) == ("still red", "Bot", _LONG_AGO)
    comment.edit("red for 3 days")

    assert [each.body for each in kept.comments] == ["red for 3 days", "and still"]
    told = _ask(github, "GET", f"/issues/comments/{first.id}").json()
    assert (told["body"], told["created_at"]) == ("red for 3 days", "2026-01-02T03:04:05Z")
    assert told["updated_at"] > told["created_at"]
    assert told["issue_url"].endswith(f"/issues/{kept.number}")
    assert kept.updated_at > _LONG_AGO
    assert second.updated_at is None
    for text in ("", "x" * 65_537):
        assert _ask(github, "PATCH", f"/issues/comments/{first.id}", {"body": text}).status_code == 422
    assert first.body == "red for 3 days"
    for method, body in (("GET", None), ("PATCH", {"body": "x"})):
        assert _ask(github, method, "/issues/comments/12", body).status_code == 404


def test_what_writing_needs(github: GitHubDouble) -> None:
    github.add_issue("dbt failed", comments=["still red"])
    github.allow_issues("read")
    writes = [
        ("POST", "/issues/1/assignees", {"assignees": ["ada"]}),
        ("DELETE", "/issues/1/assignees", {"assignees": ["ada"]}),
        ("POST", "/issues/1/labels", {"labels": ["new"]}),
        ("PATCH", f"/issues/comments/{github.issues[0].comments[0].id}", {"body": "x"}),
    ]
    for method, path, body in writes:
        refusal = _ask(github, method, path, body)
        assert (refusal.status_code, refusal.json()["message"]) == (403, "Resource not accessible by integration")
    assert _ask(github, "GET", writes[-1][1]).status_code == 200
    github.allow_issues("none")
    assert _ask(github, "GET", writes[-1][1]).status_code == 403


def test_disabled_issues_are_gone_but_for_their_list(github: GitHubDouble, repository: Repository) -> None:
    github.add_noise(3)
    github.disable_issues()
    assert [issue.number for issue in repository.get_issues(state="all")] == [3]
    for path in ("/issues/1", "/issues/1/comments"):
        assert _ask(github, "GET", path).status_code == 410
    with pytest.raises(GithubException) as refusal:
        repository.create_issue("x")
    assert (refusal.value.status, refusal.value.data["message"]) == (
        410,
        "Issues has been disabled in this repository.",
    )
    assert _ask(github, "GET", "").json()["has_issues"] is False
