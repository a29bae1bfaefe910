"""The double behaves like GitHub, and refuses what GitHub's description does not allow."""

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import pytest
from github import Auth, Github, GithubException
from github.Repository import Repository
from requests.exceptions import ConnectionError as ConnectionLost

from tests.github_double import FOREVER, GitHubDouble

_AT_ONCE: dict[str, Any] = {"retry": None, "seconds_between_requests": 0, "seconds_between_writes": 0}


@pytest.fixture
def github() -> Iterator[GitHubDouble]:
    with GitHubDouble() as double:
        yield double


@pytest.fixture
def repository(github: GitHubDouble) -> Iterator[Repository]:
    yield from _repository(github)


def _repository(double: GitHubDouble) -> Iterator[Repository]:
    auth = Auth.Token(double.token)
    with Github(base_url=double.url, auth=auth, **_AT_ONCE) as client:
        yield client.get_repo(double.repository.full_name)


def _raw(double: GitHubDouble, method: str, path: str, body: object = None) -> tuple[int, Any]:
    """One request past PyGithub, which would never send what is asked for here."""
    connection = HTTPConnection(double.url.removeprefix("http://"))
    headers = {"Authorization": f"Bearer {double.token}", "User-Agent": "test"}
    connection.request(method, path, json.dumps(body) if body is not None else None, headers)
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    return response.status, answer


def test_an_issue_is_opened_edited_commented_and_closed(github: GitHubDouble, repository: Repository) -> None:
    github.repository.assignable.add("ada")
    issue = repository.create_issue("dbt failed", body="1 node", labels=["dbt-failure"], assignees=["ada"])
    issue.create_comment("still red")
    issue.edit(body="2 nodes", state="closed", state_reason="completed")

    [kept] = github.issues
    assert (kept.title, kept.body, kept.state) == ("dbt failed", "2 nodes", "closed")
    assert (kept.labels, kept.assignees) == (["dbt-failure"], ["ada"])
    assert [comment.body for comment in kept.comments] == ["still red"]
    assert [comment.body for comment in repository.get_issue(1).get_comments()] == ["still red"]
    assert [label.name for label in repository.get_labels()] == ["dbt-failure"]
    assert github.open_issues == []


def test_lists_come_in_pages_newest_first_with_pull_requests_among_them(
    github: GitHubDouble, repository: Repository
) -> None:
    wanted = github.add_issue("dbt failed", labels=["dbt-failure"])
    github.add_noise(70, labels=["dbt-failure"])
    github.add_issue("closed", labels=["dbt-failure"], closed=True)
    github.add_issue("of another label")

    found = list(repository.get_issues(state="open", labels=["DBT-failure"]))

    assert len(found) == 71
    assert found[-1].number == wanted.number
    assert sum("/pull/" in issue.html_url for issue in found) == 23
    pages = github.requests_to("GET", "/issues")
    assert [request.query.get("page") for request in pages] == [None, "2", "3"]
    assert pages[0].query["labels"] == "DBT-failure"
    assert pages[0].token == github.token


def test_comments_come_in_pages_too(github: GitHubDouble, repository: Repository) -> None:
    github.add_issue("dbt failed", comments=[str(number) for number in range(45)])
    comments = [comment.body for comment in repository.get_issue(1).get_comments()]
    assert comments == [str(number) for number in range(45)]


def test_labels_assignees_and_rate_limit(github: GitHubDouble, repository: Repository) -> None:
    github.repository.assignable.add("ada")
    with pytest.raises(GithubException) as missing:
        repository.get_label("dbt-failure")
    assert missing.value.status == 404
    repository.create_label("dbt/failure", "d73a4a", "dbt failed")
    assert repository.get_label("dbt/failure").color == "d73a4a"
    with pytest.raises(GithubException) as again:
        repository.create_label("DBT/failure", "d73a4a")
    assert again.value.data["errors"][0]["code"] == "already_exists"
    assert repository.has_in_assignees("ada")
    assert not repository.has_in_assignees("nobody")
    assert repository.requester.rate_limiting == (4990, 5000)


def test_limits_are_those_of_github(repository: Repository) -> None:
    for arguments in (
        {"title": "x" * 257},
        {"title": "x", "body": "x" * 65_537},
        {"title": "x", "assignees": ["nobody"]},
        {"title": "x", "labels": ["x" * 51]},
    ):
        with pytest.raises(GithubException) as refusal:
            repository.create_issue(**arguments)
        assert refusal.value.status == 422


def test_permissions_and_disabled_issues(github: GitHubDouble, repository: Repository) -> None:
    github.allow_issues("read")
    assert list(repository.get_issues()) == []
    with pytest.raises(GithubException) as refusal:
        repository.create_issue("x")
    assert (refusal.value.status, refusal.value.data["message"]) == (
        403,
        "Resource not accessible by integration",
    )
    github.allow_issues("none")
    with pytest.raises(GithubException, match="403"):
        list(repository.get_issues())
    github.allow_issues("write")
    github.disable_issues()
    with pytest.raises(GithubException, match="410"):
        repository.create_issue("x")


def test_a_wrong_token_and_an_unknown_repository(github: GitHubDouble) -> None:
    for token, name, refusal in (("wrong", "acme/warehouse", "Bad credentials"), (github.token, "acme/other", "404")):
        client = Github(base_url=github.url, auth=Auth.Token(token), **_AT_ONCE)
        with client, pytest.raises(GithubException, match=refusal):
            client.get_repo(name)


def test_scripted_answers_come_as_often_as_asked_for(github: GitHubDouble, repository: Repository) -> None:
    github.fail("POST", "/issues", 502, body="<html>Bad gateway</html>", times=2)
    for _ in range(2):
        with pytest.raises(GithubException, match="502"):
            repository.create_issue("x")
    assert github.issues == []
    assert repository.create_issue("x").number == 1
    github.fail("GET", "/issues/*", 403, headers={"retry-after": "60"}, times=FOREVER)
    for _ in range(3):
        with pytest.raises(GithubException) as limited:
            repository.get_issue(1)
        assert (limited.value.headers or {})["retry-after"] == "60"


@pytest.mark.parametrize("after_effect", [False, True])
def test_a_cut_connection(github: GitHubDouble, repository: Repository, after_effect: bool) -> None:
    github.cut("POST", "/issues", after_effect=after_effect)
    with pytest.raises(ConnectionLost):
        repository.create_issue("x")
    assert len(github.issues) == int(after_effect)


def test_it_also_looks_like_github_enterprise_server() -> None:
    with GitHubDouble("acme/warehouse", base_path="/api/v3") as double:
        assert double.url.endswith("/api/v3")
        double.add_noise(40)
        for repository in _repository(double):
            assert len(list(repository.get_issues())) == 40
            assert repository.create_issue("x").html_url == f"{double.html_url}/acme/warehouse/issues/41"


@pytest.mark.parametrize(
    ("method", "path", "body", "breach"),
    [
        ("POST", "/issues", {"title": "x", "labels": "dbt-failure"}, "is not of type 'array'"),
        ("POST", "/issues", {"title": "x", "asignees": []}, "unknown key 'asignees'"),
        ("POST", "/issues", {}, "'title' is a required property"),
        ("PATCH", "/issues/1", {"state": "done"}, "is not one of ['open', 'closed']"),
        ("POST", "/issues/1/comments", None, "None is not of type 'object'"),
        ("GET", "/issues?state=opened", None, "'opened' is not one of"),
        ("GET", "/issues?page=first", None, "'first' is not of type 'integer'"),
        ("GET", "/issues?label=x", None, "unknown query parameter 'label'"),
        ("GET", "/issues?milestone=1", None, "the double ignores the parameter 'milestone'"),
        ("GET", "/problems", None, "GitHub has no such route"),
        ("GET", "/branches", None, "the double does not play this route"),
    ],
)
def test_a_request_that_breaks_githubs_description_fails_the_test(
    method: str, path: str, body: object, breach: str
) -> None:
    double = GitHubDouble()
    double.add_issue("x")
    with pytest.raises(AssertionError) as failure, double:
        _raw(double, method, f"/repos/acme/warehouse{path}", body)
    assert breach in str(failure.value)
    assert len(double.issues) == 1


def test_an_answer_that_breaks_githubs_description_fails_the_test() -> None:
    double = GitHubDouble()
    double.add_issue(None)  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match=r"answer at \$\.title"), double:
        _raw(double, "GET", "/repos/acme/warehouse/issues/1")


def test_a_fault_that_nobody_met_fails_the_test() -> None:
    with pytest.raises(AssertionError, match=r"no POST .*/issues came"), GitHubDouble() as double:
        double.fail("POST", "/issues", 500)
