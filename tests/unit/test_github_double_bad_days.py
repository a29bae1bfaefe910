"""GitHub's bad days in the double: limits, outages, moved repositories, and clients that race."""

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
import requests
from github import Auth, Github, GithubException, GithubRetry, RateLimitExceededException
from github.Repository import Repository

from tests.github_double import FOREVER, UNICORN, GitHubDouble


@pytest.fixture
def github() -> Iterator[GitHubDouble]:
    with GitHubDouble() as double:
        yield double


def _repository(github: GitHubDouble, **options: Any) -> Repository:
    at_once: dict[str, Any] = {"retry": None, "seconds_between_requests": 0, "seconds_between_writes": 0}
    client = Github(base_url=github.url, auth=Auth.Token(github.token), lazy=True, **{**at_once, **options})
    return client.get_repo("acme/warehouse")


def _ask(github: GitHubDouble, method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
    address = (
        f"{github.url}{path}" if path.startswith(("/repos", "/rate")) else f"{github.url}/repos/acme/warehouse{path}"
    )
    headers = {"Authorization": f"Bearer {github.token}"}
    return requests.request(method, address, headers=headers, json=body, **{"timeout": 10, **options})


def test_the_primary_limit_holds_until_it_is_reset(github: GitHubDouble) -> None:
    limit = github.exhaust_rate_limit(60, "POST", "/issues")
    assert _ask(github, "GET", "/issues").headers["x-ratelimit-remaining"] == "4990"
    refusal = _ask(github, "POST", "/issues", {"title": "x"})
    assert refusal.status_code == 403
    assert refusal.json()["message"].startswith("API rate limit exceeded for installation.")
    assert refusal.headers["x-ratelimit-remaining"] == "0"
    assert "retry-after" not in refusal.headers
    reset = int(refusal.headers["x-ratelimit-reset"])
    assert 30 < reset - time.time() < 61
    # It holds for whatever is asked, but for the limit itself.
    assert _ask(github, "GET", "/issues").status_code == 403
    rate = _ask(github, "GET", "/rate_limit").json()["rate"]
    assert (rate["remaining"], rate["reset"]) == (0, reset)
    limit.end()
    assert _ask(github, "POST", "/issues", {"title": "x"}).status_code == 201
    assert _ask(github, "GET", "/rate_limit").json()["rate"]["remaining"] == 4990


def test_pygithub_knows_the_primary_limit(github: GitHubDouble) -> None:
    github.exhaust_rate_limit(1)
    with pytest.raises(RateLimitExceededException):
        _repository(github).create_issue("x")
    assert _repository(github, retry=GithubRetry(total=1)).create_issue("x").number == 1


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize("tells", [True, False])
def test_the_secondary_limit(github: GitHubDouble, status: int, *, tells: bool) -> None:
    limit = github.exceed_secondary_limit(60, "POST", status=status, retry_after=tells)
    assert _ask(github, "GET", "/issues").status_code == 200
    refusal = _ask(github, "POST", "/issues", {"title": "x"})
    assert (refusal.status_code, refusal.headers.get("retry-after")) == (status, "60" if tells else None)
    assert refusal.json()["message"].startswith("You have exceeded a secondary rate limit. Please wait a few minutes")
    assert refusal.headers["x-ratelimit-remaining"] == "4990"
    assert _ask(github, "GET", "/issues").status_code == status
    with pytest.raises(GithubException) as refused:
        _repository(github).create_issue("x")
    assert isinstance(refused.value, RateLimitExceededException) == (status == 403)
    limit.end()
    assert _ask(github, "POST", "/issues", {"title": "x"}).status_code == 201


def test_a_limit_that_nobody_met_fails_the_test() -> None:
    with pytest.raises(AssertionError, match="no POST /issues came for its limit"), GitHubDouble() as double:
        double.exhaust_rate_limit(60, "POST", "/issues")


def test_an_outage_with_a_page_for_people(github: GitHubDouble) -> None:
    github.fail("*", "*", 502, body=UNICORN, times=2)
    answer = _ask(github, "GET", "/issues")
    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html")
    assert "Unicorn!" in answer.text
    with pytest.raises(GithubException, match="502"):
        list(_repository(github).get_issues())
    assert _ask(github, "GET", "/issues").status_code == 200


_CREATIONS: dict[str, Callable[[Repository], object]] = {
    "/issues": lambda repository: repository.create_issue("another"),
    "/issues/1/comments": lambda repository: repository.get_issue(1).create_comment("still red"),
}


@pytest.mark.parametrize("path", _CREATIONS)
def test_a_cut_after_the_effect_makes_a_blind_retry_do_it_twice(github: GitHubDouble, path: str) -> None:
    [issue] = [github.add_issue("dbt failed")]
    github.cut("POST", path, after_effect=True, times=2)
    with pytest.raises(requests.ConnectionError):
        _CREATIONS[path](_repository(github))
    assert len(github.issues) + len(issue.comments) == 2
    _CREATIONS[path](_repository(github, retry=GithubRetry(total=1)))
    assert len(github.issues) + len(issue.comments) == 4


@pytest.mark.parametrize("after_effect", [False, True])
def test_a_client_that_waits_too_long(
    github: GitHubDouble, capfd: pytest.CaptureFixture[str], *, after_effect: bool
) -> None:
    github.stall("POST", "/issues", 30, after_effect=after_effect)
    github.stall("POST", "/issues", 0.5)
    with pytest.raises(requests.ReadTimeout):
        _repository(github, timeout=1).create_issue("x")
    assert len(github.issues) == int(after_effect)
    # Others are served meanwhile.
    assert _ask(github, "GET", "/issues", timeout=5).status_code == 200
    began = time.monotonic()
    with pytest.raises(requests.ConnectionError):
        _ask(github, "POST", "/issues", {"title": "x"})
    assert time.monotonic() - began > 0.4
    assert capfd.readouterr().err == ""


def test_a_client_that_is_gone_is_no_noise(github: GitHubDouble, capfd: pytest.CaptureFixture[str]) -> None:
    gone = Event()
    github.before("GET", "/issues", lambda: gone.wait(10))
    with socket.create_connection(("127.0.0.1", int(github.url.rpartition(":")[2]))) as connection:
        request = f"GET /repos/acme/warehouse/issues HTTP/1.1\r\nUser-Agent: x\r\nAuthorization: token {github.token}"
        connection.sendall(f"{request}\r\n\r\n".encode())
        # Closed with a reset rather than politely.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        while not github.requests:
            time.sleep(0.01)
    gone.set()
    time.sleep(0.3)
    assert capfd.readouterr().err == ""


def test_the_double_stops_at_once_whoever_waits() -> None:
    with GitHubDouble() as double, ThreadPoolExecutor() as pool:
        double.stall("GET", "/issues", 60)
        waiting = pool.submit(_ask, double, "GET", "/issues")
        while not double.requests:
            time.sleep(0.01)
        began = time.monotonic()
        double.__exit__(None, None, None)
        with pytest.raises(requests.ConnectionError):
            waiting.result()
        assert time.monotonic() - began < 5


def test_an_archived_repository_can_be_read(github: GitHubDouble) -> None:
    github.add_issue("dbt failed", comments=["still red"])
    github.archive()
    repository = _repository(github)
    assert _ask(github, "GET", "").json()["archived"] is True
    assert [issue.title for issue in repository.get_issues()] == ["dbt failed"]
    for write in (
        lambda: repository.create_issue("x"),
        lambda: repository.create_label("x", "d73a4a"),
        lambda: repository.get_issue(1).create_comment("x"),
        lambda: repository.get_issue(1).edit(state="closed"),
    ):
        with pytest.raises(GithubException) as refusal:
            write()
        assert (refusal.value.status, refusal.value.data["message"]) == (
            403,
            "Repository was archived so is read-only.",
        )
    assert [issue.state for issue in github.issues] == ["open"]


def test_a_removed_repository_is_not_found(github: GitHubDouble) -> None:
    github.remove()
    for method, path, body in (("GET", "", None), ("GET", "/issues", None), ("POST", "/issues", {"title": "x"})):
        answer = _ask(github, method, path, body)
        assert (answer.status_code, answer.json()["message"]) == (404, "Not Found")
    assert github.issues == []


def test_a_renamed_repository_is_found_by_its_old_name(github: GitHubDouble) -> None:
    github.add_issue("open")
    github.add_issue("closed", closed=True)
    github.rename("acme/lakehouse")

    moved = _ask(github, "GET", "/issues?state=all&per_page=1", allow_redirects=False)
    here = f"{github.url}/repositories/1296269/issues"
    assert (moved.status_code, moved.json()["message"]) == (301, "Moved Permanently")
    assert moved.headers["location"] == moved.json()["url"] == f"{here}?state=all&per_page=1"
    followed = _ask(github, "GET", "/issues?state=all&per_page=1")
    assert [issue["title"] for issue in followed.json()] == ["closed"]
    assert followed.json()[0]["repository_url"] == f"{github.url}/repos/acme/lakehouse"
    assert followed.links["next"]["url"] == f"{here}?state=all&per_page=1&page=2"

    moved = _ask(github, "POST", "/issues", {"title": "x"}, allow_redirects=False)
    assert (moved.status_code, moved.headers["location"]) == (307, here)
    assert len(github.issues) == 2
    created = _ask(github, "POST", "/issues", {"title": "x"})
    assert (created.status_code, created.json()["number"]) == (201, 3)
    assert _ask(github, "PATCH", "/issues/3", {"state": "closed"}).json()["state"] == "closed"
    assert _ask(github, "GET", "/repos/ACME/lakehouse").json()["full_name"] == "acme/lakehouse"
    for path in ("/repos/acme/unknown/issues", "/repositories/12/issues"):
        assert (
            requests.get(
                f"{github.url}{path}", headers={"Authorization": f"token {github.token}"}, timeout=9
            ).status_code
            == 404
        )
    assert [request.method for request in github.requests_to("*", "/issues")] == ["GET", "POST"]
    assert len(github.requests_to("POST", "/repos/acme/warehouse/issues")) == 2


def test_pygithub_follows_to_a_renamed_repository_for_reading_only(github: GitHubDouble) -> None:
    github.add_issue("closed", closed=True)
    github.rename("acme/lakehouse")
    repository = _repository(github)
    assert repository.get_issue(1).title == "closed"
    # It forgets the query on the way, and takes the redirect for the new issue.
    assert list(repository.get_issues(state="closed")) == []
    assert repository.create_issue("x").raw_data["message"] == "Moved Permanently"
    assert len(github.issues) == 1


def test_faults_and_names_hold_on_every_way_to_the_repository() -> None:
    with GitHubDouble(base_path="/api/v3") as github:
        github.rename("acme/lakehouse")
        github.fail("GET", "/issues", 500, times=2)
        assert _ask(github, "GET", "/repos/acme/lakehouse/issues").status_code == 500
        assert _ask(github, "GET", "/issues").status_code == 500
        assert _ask(github, "GET", "/issues").url == f"{github.url}/repositories/1296269/issues"
        github.fail("GET", "", 503)
        assert _ask(github, "GET", "").status_code == 503


def _file_unless_there(github: GitHubDouble) -> None:
    repository = _repository(github)
    if not list(repository.get_issues()):
        repository.create_issue("dbt failed")


def test_two_clients_that_race_both_create(github: GitHubDouble) -> None:
    github.barrier("POST", "/issues")
    with ThreadPoolExecutor() as pool:
        for each in [pool.submit(_file_unless_there, github) for _ in range(2)]:
            each.result()
    assert sorted(request.method for request in github.requests) == ["GET", "GET", "POST", "POST"]
    assert [issue.title for issue in github.issues] == ["dbt failed"] * 2
    # The third one does not wait any longer.
    _repository(github).create_issue("later")


def test_a_race_that_never_came_fails_the_test_and_hangs_nothing() -> None:
    double = GitHubDouble()
    double.barrier("POST", "/issues", seconds=0.2)
    with pytest.raises(AssertionError, match=r"fewer than 2 of them came within 0\.2 seconds"), double:
        assert _ask(double, "POST", "/issues", {"title": "x"}).status_code == 201


def test_somebody_else_is_faster(github: GitHubDouble) -> None:
    github.before("POST", "/issues", lambda: github.add_issue("theirs"))
    _file_unless_there(github)
    assert [(issue.number, issue.title) for issue in github.issues] == [(1, "theirs"), (2, "dbt failed")]


def test_what_happens_between_two_requests(github: GitHubDouble) -> None:
    github.add_issue("dbt failed")
    github.before("PATCH", "/issues/*", github.archive)
    github.before("POST", "/issues/*", lambda: github.exhaust_rate_limit(60), times=FOREVER)
    assert _ask(github, "GET", "/issues/1").status_code == 200
    assert _ask(github, "PATCH", "/issues/1", {"body": "x"}).status_code == 403
    assert "rate limit" in _ask(github, "POST", "/issues/1/comments", {"body": "x"}).json()["message"]


def test_a_hook_that_fails_or_that_nobody_met_fails_the_test() -> None:
    double = GitHubDouble()
    double.before("GET", "/issues", lambda: 1 / 0)
    double.before("POST", "/issues", double.archive)
    with pytest.raises(AssertionError) as failure, double:
        assert _ask(double, "GET", "/issues").status_code == 200
    assert "before it failed: ZeroDivisionError" in str(failure.value)
    assert "no POST /issues came for its hook" in str(failure.value)
