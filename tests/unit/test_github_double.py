"""The double behaves like GitHub, and refuses what GitHub's description does not allow."""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
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
        ("GET", "/actions/runs/first", None, "'first' is not of type 'integer'"),
        ("GET", "/actions/workflows/nightly.yml/runs?status=red", None, "'red' is not one of"),
        ("GET", "/actions/workflows/nightly.yml/runs?actor=ada", None, "the double ignores the parameter 'actor'"),
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


def _get(double: GitHubDouble, address: str, **options: Any) -> requests.Response:
    path = f"{double.url}/repos/acme/warehouse/actions{address}" if address.startswith("/") else address
    return requests.get(path, headers={"Authorization": f"Bearer {double.token}"}, timeout=10, **options)


def test_a_workflow_and_its_runs(github: GitHubDouble, repository: Repository) -> None:
    github.add_workflow(".github/workflows/monthly.yml")
    github.add_run(7, conclusion="success")
    github.add_run(8, branch="feature", event="workflow_dispatch", attempt=2)
    github.add_run(9, conclusion=None, head_repository="mallory/warehouse")
    github.add_run(10, path=".github/workflows/other.yml")

    nightly = repository.get_workflow("nightly.yml")

    assert nightly.path == ".github/workflows/nightly.yml"
    assert repository.get_workflow(nightly.id).path == nightly.path
    assert [run.id for run in nightly.get_runs()] == [9, 8, 7]
    assert [run.id for run in nightly.get_runs(branch="main")] == [9, 7]
    assert [run.id for run in nightly.get_runs(event="workflow_dispatch")] == [8]
    assert [run.id for run in nightly.get_runs(status="failure")] == [8]
    assert [run.id for run in nightly.get_runs(status="completed")] == [8, 7]
    assert list(repository.get_workflow("monthly.yml").get_runs()) == []
    with pytest.raises(GithubException, match="404"):
        repository.get_workflow("weekly.yml")
    assert _get(github, "/workflows/weekly.yml/runs").status_code == 404


def test_a_run(github: GitHubDouble, repository: Repository) -> None:
    created = datetime(2026, 5, 4, 6, 0, 3, tzinfo=UTC)
    github.add_run(7, branch="feature", event="push", attempt=3, created_at=created)
    github.add_run(8, conclusion=None, head_repository="mallory/warehouse")
    run, forked = repository.get_workflow_run(7), repository.get_workflow_run(8)
    assert (run.event, run.head_branch, run.status, run.conclusion) == ("push", "feature", "completed", "failure")
    assert (run.path, run.run_attempt, run.created_at) == (".github/workflows/nightly.yml", 3, created)
    assert run.html_url == f"{github.html_url}/acme/warehouse/actions/runs/7"
    assert run.head_repository.full_name == run.repository.full_name == "acme/warehouse"
    assert [forked.status, forked.conclusion] == ["in_progress", None]
    assert (forked.head_repository.full_name, forked.repository.full_name) == ("mallory/warehouse", "acme/warehouse")
    with pytest.raises(GithubException, match="404"):
        repository.get_workflow_run(9)


def test_runs_and_artifacts_come_in_pages(github: GitHubDouble, repository: Repository) -> None:
    for number in range(1, 36):
        github.add_run(number)
    names = [f"dbt-artifacts-{number}" for number in range(75)]
    for name in names:
        github.repository.runs[0].add_artifact(name, {"run.json": b"{}"})

    found = repository.get_workflow_run(1).get_artifacts()

    assert len(list(repository.get_workflow("nightly.yml").get_runs())) == 35
    assert [artifact.name for artifact in found] == names[::-1]
    assert found.totalCount == 75
    pages = github.requests_to("GET", "/actions/runs/1/artifacts")
    assert [request.query.get("page") for request in pages[:3]] == [None, "2", "3"]
    assert len(_get(github, "/runs/1/artifacts?per_page=100").json()["artifacts"]) == 75
    first = _get(github, "/runs/1/artifacts?per_page=50&page=2&direction=asc")
    assert [each["name"] for each in first.json()["artifacts"]] == names[50:]
    assert "next" not in first.links
    assert _get(github, "/runs/2/artifacts").json() == {"total_count": 0, "artifacts": []}
    assert _get(github, "/runs/99/artifacts").status_code == 404


def test_an_artifact_is_downloaded_from_another_host_that_never_sees_the_token(github: GitHubDouble) -> None:
    run = github.add_run(7)
    run.add_artifact("dbt-artifacts", {"run.json": b"{}"})
    wanted = run.add_artifact("dbt-artifacts-2", {"run.json": b"{}", "attempts/1/manifest.json": b"\0" * 9999})

    [told] = _get(github, "/runs/7/artifacts?name=dbt-artifacts-2").json()["artifacts"]
    download = _get(github, told["archive_download_url"])

    assert (told["id"], told["expired"], told["workflow_run"]["id"]) == (wanted.id, False, 7)
    assert told["size_in_bytes"] == len(download.content) < 9999
    assert told["digest"] == f"sha256:{hashlib.sha256(download.content).hexdigest()}"
    with zipfile.ZipFile(io.BytesIO(download.content)) as archive:
        assert archive.namelist() == ["run.json", "attempts/1/manifest.json"]
        assert archive.read("attempts/1/manifest.json") == b"\0" * 9999
    [redirect] = download.history
    there = urlsplit(download.url)
    assert redirect.status_code == 302
    assert there.hostname != urlsplit(redirect.url).hostname
    [arrived] = github.requests_to("GET", there.path)
    assert "authorization" not in arrived.headers


def test_a_token_that_reaches_the_host_of_the_blobs_fails_the_test() -> None:
    double = GitHubDouble()
    artifact = double.add_run(7).add_artifact("dbt-artifacts", {"run.json": b"{}"})

    def leak() -> int:
        redirect = _get(double, f"/artifacts/{artifact.id}/zip", allow_redirects=False)
        return _get(double, redirect.headers["location"]).status_code

    with pytest.raises(AssertionError, match="sent an Authorization"), double:
        assert leak() == 401


def test_what_cannot_be_downloaded(github: GitHubDouble) -> None:
    run = github.add_run(7)
    expired = run.add_artifact("old", {"run.json": b"{}"}, expired=True)
    there = run.add_artifact("new", {"run.json": b"{}"})
    assert {each["name"]: each["expired"] for each in _get(github, "/runs/7/artifacts").json()["artifacts"]} == {
        "old": True,
        "new": False,
    }
    gone = _get(github, f"/artifacts/{expired.id}/zip", allow_redirects=False)
    assert (gone.status_code, gone.json()["message"]) == (410, "Artifact has expired")
    assert _get(github, "/artifacts/12/zip").status_code == 404
    assert _get(github, f"/artifacts/{there.id}/tar").status_code == 404
    address = _get(github, f"/artifacts/{there.id}/zip", allow_redirects=False).headers["location"]
    assert requests.get(address.replace("sig=", "sig=A"), timeout=10).status_code == 403
    github.fail("GET", "/actions-results/*", 503)
    assert requests.get(address, timeout=10).status_code == 503
    there.content = b"no zip"
    assert requests.get(address, timeout=10).content == b"no zip"
    there.expired = True
    assert requests.get(address, timeout=10).status_code == 404


def test_the_permission_to_read_runs_and_artifacts(github: GitHubDouble, repository: Repository) -> None:
    artifact = github.add_run(7).add_artifact("dbt-artifacts", {"run.json": b"{}"})
    github.allow_actions("none")
    addresses = ["/runs/7", "/runs/7/artifacts", "/workflows/nightly.yml", "/workflows/nightly.yml/runs"]
    for address in [*addresses, f"/artifacts/{artifact.id}/zip"]:
        refusal = _get(github, address)
        assert (refusal.status_code, refusal.json()["message"]) == (403, "Resource not accessible by integration")
    assert list(repository.get_issues()) == []
    github.allow_actions("read")
    assert repository.get_workflow_run(7).id == 7


def test_the_storage_hands_out_parts_unless_it_does_not(github: GitHubDouble) -> None:
    artifact = github.add_run(7).add_artifact("dbt-artifacts", {"run.json": b"{}"})
    address = _get(github, f"/artifacts/{artifact.id}/zip", allow_redirects=False).headers["location"]

    def ask(wanted: str) -> requests.Response:
        return requests.get(address, headers={"Range": wanted}, timeout=10)

    size = len(artifact.content)
    middle = ask("bytes=2-5")
    assert (middle.status_code, middle.content) == (206, artifact.content[2:6])
    assert middle.headers["content-range"] == f"bytes 2-5/{size}"
    assert ask("bytes=10-").headers["content-range"] == f"bytes 10-{size - 1}/{size}"
    assert ask(f"bytes={size}-").status_code == 416
    assert ask("bytes=-5").status_code == 200
    github.hand_out_no_parts()
    assert (ask("bytes=2-5").status_code, ask("bytes=2-5").content) == (200, artifact.content)
