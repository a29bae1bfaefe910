"""What each route about commits does. The history of the double is one line, on one branch."""

from datetime import datetime

from tests.github_double.documents import error
from tests.github_double.documents_of_commits import CommitDocuments
from tests.github_double.exchange import Answer
from tests.github_double.openapi import Json
from tests.github_double.routes import Call, route
from tests.github_double.state import Commit

MOST_COMMITS, MOST_FILES, MOST_FILES_IN_ALL = 250, 300, 3000


@route("GET", "/repos/{owner}/{repo}/commits", "sha", "path", "since", "until", "per_page", "page")
def list_commits(call: Call) -> Answer:
    """The commits up to one of them, the newest first."""
    query = call.request.query
    if not call.repository.commits:
        return error(409, "Git Repository is empty.")
    last = call.repository.position(query.get("sha", "HEAD"))
    if last is None:
        return error(404, "Not Found")
    since = datetime.fromisoformat(query.get("since", "1970-01-01T00:00:00Z"))
    until = datetime.fromisoformat(query.get("until", "2099-12-31T00:00:00Z"))
    found = [
        commit
        for commit in reversed(call.repository.commits[: last + 1])
        if since <= commit.date <= until and ("path" not in query or commit.touches(query["path"]))
    ]
    return call.page_of(found, CommitDocuments(call.documents).commit)


@route("GET", "/repos/{owner}/{repo}/commits/{ref}", "per_page", "page")
def get_commit(call: Call) -> Answer:
    """One commit; its files come in pages of 300, and no more than 3000 of them."""
    if not call.repository.commits:
        return error(409, "Git Repository is empty.")
    position = call.repository.position(call.parameters["ref"])
    if position is None:
        return error(422, f"No commit found for SHA: {call.parameters['ref']}")
    commit, documents = call.repository.commits[position], CommitDocuments(call.documents)
    files, headers = call.page(commit.files[:MOST_FILES_IN_ALL], MOST_FILES, MOST_FILES)
    shown = [documents.file(name, commit, is_new=_is_new(call, name, position)) for name in files]
    return Answer(200, documents.commit_with_files(commit, shown), headers)


@route("GET", "/repos/{owner}/{repo}/compare/{basehead}", "per_page", "page")
def compare_commits(call: Call) -> Answer:
    """What one commit has over another, the oldest commit first; all files stand on the first page.

    Asked for no page, GitHub shows the newest commits of the comparison, and no way to the others.
    """
    base, _, head = call.parameters["basehead"].partition("...")
    first, last = call.repository.position(base), call.repository.position(head)
    if first is None or last is None:
        return error(404, "Not Found")
    documents, commits = CommitDocuments(call.documents), call.repository.commits
    ahead = commits[first + 1 : last + 1]
    is_paged = not call.request.query.keys().isdisjoint({"per_page", "page"})
    shown, headers = call.page(ahead, MOST_COMMITS, MOST_COMMITS) if is_paged else (ahead[-MOST_COMMITS:], {})
    numbers = {
        "status": "identical" if first == last else "ahead" if ahead else "behind",
        "ahead_by": len(ahead),
        "behind_by": max(0, first - last),
        "total_commits": len(ahead),
        "commits": [documents.commit(commit) for commit in shown],
        "files": _changed(call, ahead, first + 1) if call.request.query.get("page", "1") == "1" else [],
    }
    return Answer(200, documents.comparison(commits[first], commits[last], numbers), headers)


def _changed(call: Call, ahead: list[Commit], since: int) -> list[Json]:
    """The files of a comparison: each once, and no more than GitHub shows."""
    names = sorted({name for commit in ahead for name in commit.files})[:MOST_FILES]
    documents = CommitDocuments(call.documents)
    return [documents.file(name, ahead[-1], is_new=_is_new(call, name, since)) for name in names]


def _is_new(call: Call, name: str, position: int) -> bool:
    return not any(name in commit.files for commit in call.repository.commits[:position])
