"""Who may come in: where a repository is to be found, and what a token may do there."""

import re
from dataclasses import dataclass
from urllib.parse import urlencode

from tests.github_double.documents import error, moved
from tests.github_double.exchange import Answer, Request
from tests.github_double.openapi import Operation
from tests.github_double.state import Permission, Repository

_BY_NAME = re.compile(r"/repos/([^/]+/[^/]+)(/.*)?")
_BY_NUMBER = re.compile(r"/repositories/(\d+)(/.*)?")
_LIST_OF_ISSUES = "GET", "/repos/{owner}/{repo}/issues"


def within(repository: Repository, path: str) -> str:
    """The part of a path that is inside of the repository, or all of it."""
    name, number = _BY_NAME.fullmatch(path), _BY_NUMBER.fullmatch(path)
    if name and repository.has_name(name[1]):
        return name[2] or ""
    if number and int(number[1]) == repository.id:
        return number[2] or ""
    return path


def by_name(repository: Repository, path: str) -> str:
    """The path by the repository's name: GitHub's description does not have the one by its number."""
    number = _BY_NUMBER.fullmatch(path)
    if number is None:
        return path
    name = repository.full_name if int(number[1]) == repository.id else "no/such"
    return f"/repos/{name}{number[2] or ''}"


@dataclass(frozen=True)
class Door:
    """Judges who asks, for which repository, and what that token may do there."""

    repository: Repository
    token: str
    api_url: str

    def refuse(self, request: Request, operation: Operation) -> Answer | None:
        """What a request gets that is not let in."""
        if request.token != self.token:
            return error(401, "Bad credentials" if request.token else "Requires authentication")
        if "owner" not in operation.parameters:
            return None
        name = f"{operation.parameters['owner']}/{operation.parameters['repo']}"
        return self._elsewhere(request, name) or self._forbid(request, operation)

    def _elsewhere(self, request: Request, full_name: str) -> Answer | None:
        """Where a repository is that is not, or no longer, to be found by that name."""
        if self.repository.has_name(full_name) and not self.repository.removed:
            return None
        path = _BY_NAME.fullmatch(request.path)
        if path is None or self.repository.removed or not self.repository.had_name(full_name):
            return error(404, "Not Found")
        query = f"?{urlencode(request.query)}" if request.query else ""
        location = f"{self.api_url}/repositories/{self.repository.id}{path[2] or ''}{query}"
        return moved(301 if request.method == "GET" else 307, location)

    def _forbid(self, request: Request, operation: Operation) -> Answer | None:
        known, reads = self.repository, request.method == "GET"
        is_list = (operation.method, operation.template) == _LIST_OF_ISSUES
        if "/issues" in operation.template and not known.has_issues and not is_list:
            return error(410, "Issues has been disabled in this repository.")
        needed: list[Permission] = ["read", "write"] if reads else ["write"]
        guards = {
            "/issues": known.issues_permission,
            "/labels": known.issues_permission,
            "/actions/": known.actions_permission,
            "/commits": known.contents_permission,
            "/compare/": known.contents_permission,
        }
        if any(part in operation.template and given not in needed for part, given in guards.items()):
            return error(403, "Resource not accessible by integration")
        if known.archived and not reads:
            return error(403, "Repository was archived so is read-only.")
        return None
