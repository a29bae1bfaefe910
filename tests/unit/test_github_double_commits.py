"""The double's commits: one line of history, as GitHub lists, shows and compares it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from github import Auth, Github, GithubException
from github.Repository import Repository

from tests.github_double import GitHubDouble

_START = datetime(2026, 5, 4, 6, 0, tzinfo=UTC)


@pytest.fixture
def github() -> Iterator[GitHubDouble]:
    with GitHubDouble() as double:
        yield double


@pytest.fixture
def repository(github: GitHubDouble) -> Iterator[Repository]:
    options: dict[str, Any] = {"retry": None, "seconds_between_requests": 0, "seconds_between_writes": 0}
    with Github(base_url=github.url, auth=Auth.Token(github.token), **options) as client:
        yield client.get_repo(github.repository.full_name)


def _get(github: GitHubDouble, address: str) -> requests.Response:
    url = address if address.startswith("http") else f"{github.url}/repos/acme/warehouse{address}"
    return requests.get(url, headers={"Authorization": f"Bearer {github.token}"}, timeout=30)


def _history(github: GitHubDouble, count: int) -> list[str]:
    """So many commits, a minute after each other; each has a file of its own and one of all."""
    for number in range(count):
        date = _START + timedelta(minutes=number)
        github.add_commit(f"Change {number}", files=["dbt_project.yml", f"models/m{number}.sql"], date=date)
    return [commit.sha for commit in github.repository.commits]


def test_a_commit_with_its_files(github: GitHubDouble, repository: Repository) -> None:
    first = github.add_commit("Begin", files=["models/one.sql"], author="ada", author_name="Ada L.", date=_START)
    second = github.add_commit("Break it\n\nFor a test", files=["models/one.sql", "models/two.sql"], author=None)
    third = github.add_commit("Bump dbt", author="dependabot[bot]", sha="c" * 40)

    shown = repository.get_commit(second.sha)

    assert (shown.sha, shown.commit.message) == (second.sha, "Break it\n\nFor a test")
    assert (shown.raw_data["author"], shown.commit.author.name) == (None, "Somebody")
    assert [parent.sha for parent in shown.parents] == [first.sha]
    assert [(file.filename, file.status) for file in shown.files] == [
        ("models/one.sql", "modified"),
        ("models/two.sql", "added"),
    ]
    assert shown.stats.total == 2
    assert shown.html_url == f"{github.html_url}/acme/warehouse/commit/{second.sha}"
    by_ada = repository.get_commit(first.sha)
    assert (by_ada.author.login, by_ada.commit.author.name, by_ada.commit.author.date) == ("ada", "Ada L.", _START)
    assert by_ada.parents == []
    for ref in ("main", "heads/main", "HEAD", "ccccccc"):
        assert repository.get_commit(ref).sha == third.sha
    assert repository.get_commit("main").author.type == "Bot"


def test_commits_are_listed_newest_first_in_pages(github: GitHubDouble, repository: Repository) -> None:
    shas = _history(github, 35)
    listed = _get(github, "/commits")
    assert [each["sha"] for each in listed.json()] == shas[:4:-1]
    assert [each["sha"] for each in _get(github, listed.links["next"]["url"]).json()] == shas[4::-1]
    assert not {"files", "stats"} & listed.json()[0].keys()
    assert [commit.sha for commit in repository.get_commits()] == shas[::-1]
    assert len(_get(github, "/commits?per_page=100").json()) == 35


def test_commits_are_filtered(github: GitHubDouble, repository: Repository) -> None:
    shas = _history(github, 10)
    assert [commit.sha for commit in repository.get_commits(path="models/m3.sql")] == [shas[3]]
    assert [commit.sha for commit in repository.get_commits(path="models")] == shas[::-1]
    assert list(repository.get_commits(path="model")) == []
    assert [commit.sha for commit in repository.get_commits(sha=shas[2])] == shas[2::-1]
    assert [commit.sha for commit in repository.get_commits(sha="main", path="dbt_project.yml")] == shas[::-1]
    since, until = _START + timedelta(minutes=4), _START + timedelta(minutes=6)
    assert [commit.sha for commit in repository.get_commits(since=since, until=until)] == shas[6:3:-1]


def test_two_commits_are_compared(github: GitHubDouble, repository: Repository) -> None:
    shas = _history(github, 10)

    ahead = repository.compare(shas[2], shas[5])

    assert (ahead.status, ahead.ahead_by, ahead.behind_by, ahead.total_commits) == ("ahead", 3, 0, 3)
    assert [commit.sha for commit in ahead.commits] == shas[3:6]
    assert [(file.filename, file.status) for file in ahead.files] == [
        ("dbt_project.yml", "modified"),
        ("models/m3.sql", "added"),
        ("models/m4.sql", "added"),
        ("models/m5.sql", "added"),
    ]
    assert (ahead.base_commit.sha, ahead.merge_base_commit.sha) == (shas[2], shas[2])
    behind = repository.compare("main", shas[7])
    assert (behind.status, behind.ahead_by, behind.behind_by) == ("behind", 0, 2)
    assert (list(behind.commits), behind.files, behind.merge_base_commit.sha) == ([], [], shas[7])
    same = repository.compare(shas[9], "main")
    assert (same.status, same.ahead_by, list(same.commits), same.files) == ("identical", 0, [], [])


def test_a_long_comparison(github: GitHubDouble, repository: Repository) -> None:
    shas = _history(github, 312)
    span = f"/compare/{shas[0]}...{shas[-1]}"

    # Asked for no page: the newest ones.
    at_once = _get(github, span)
    assert [each["sha"] for each in at_once.json()["commits"]] == shas[-250:]
    assert (at_once.json()["total_commits"], len(at_once.json()["files"])) == (311, 300)
    assert not at_once.links

    # In pages: the oldest first, and the files on the first page.
    first = _get(github, f"{span}?per_page=200")
    assert [each["sha"] for each in first.json()["commits"]] == shas[1:201]
    assert len(first.json()["files"]) == 300
    second = _get(github, first.links["next"]["url"])
    assert [each["sha"] for each in second.json()["commits"]] == shas[201:]
    assert second.json()["files"] == []
    assert [commit.sha for commit in repository.compare(shas[0], "main").commits] == shas[1:]


def test_the_files_of_a_large_commit_come_in_pages(github: GitHubDouble, repository: Repository) -> None:
    names = [f"models/m{number:04}.sql" for number in range(3100)]
    github.add_commit("Begin", files=names[:650])
    assert [file.filename for file in repository.get_commit("main").files] == names[:650]
    first = _get(github, "/commits/main")
    assert [file["filename"] for file in first.json()["files"]] == names[:300]
    assert first.json()["stats"]["total"] == 650
    github.add_commit("Too much", files=names)
    assert _get(github, "/commits/main").links["last"]["url"].endswith("page=10")


def test_what_is_not_there(github: GitHubDouble, repository: Repository) -> None:
    for path, message in (("/commits", "Git Repository is empty."), ("/commits/main", "Git Repository is empty.")):
        empty = _get(github, path)
        assert (empty.status_code, empty.json()["message"]) == (409, message)
    [sha] = _history(github, 1)
    unknown = "f" * 40
    with pytest.raises(GithubException) as missing:
        _ = repository.get_commit(unknown).sha, repository.get_commit(unknown).commit.message
    assert (missing.value.status, missing.value.data["message"]) == (422, f"No commit found for SHA: {unknown}")
    assert _get(github, f"/commits?sha={unknown}").status_code == 404
    for span in (f"{unknown}...{sha}", f"{sha}...{unknown}", f"{sha}..{sha}", sha, f"{sha[:6]}...main"):
        assert _get(github, f"/compare/{span}").status_code == 404


def test_the_permission_to_read_commits(github: GitHubDouble) -> None:
    [sha] = _history(github, 1)
    github.add_issue("dbt failed", comments=["still red"])
    github.allow_contents("none")
    for path in ("/commits", f"/commits/{sha}", f"/compare/{sha}...main"):
        refusal = _get(github, path)
        assert (refusal.status_code, refusal.json()["message"]) == (403, "Resource not accessible by integration")
    assert _get(github, f"/issues/comments/{github.issues[0].comments[0].id}").status_code == 200
    github.allow_contents("read")
    assert _get(github, f"/commits/{sha}").json()["sha"] == sha
