"""What each route does: the part of GitHub that the double plays."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, cast
from urllib.parse import urlencode

from tests.github_double.blob_storage import BlobStorage
from tests.github_double.documents import Documents, error, invalid
from tests.github_double.exchange import Answer, Request
from tests.github_double.openapi import github_description
from tests.github_double.state import MAX_ASSIGNEES, Comment, Issue, Label, Repository

Item = TypeVar("Item")
MAX_TITLE, MAX_BODY, MAX_LABEL = 256, 65_536, 50


@dataclass(frozen=True)
class Call:
    """One valid request to one route, with the repository that it is about."""

    repository: Repository
    documents: Documents
    blobs: BlobStorage
    request: Request
    parameters: Mapping[str, str]
    rate: Mapping[str, str]

    @property
    def body(self) -> dict[str, Any]:
        """The request's JSON object."""
        return cast(dict[str, Any], self.request.body or {})

    def page_of(self, items: Sequence[Item], show: Callable[[Item], object], key: str = "") -> Answer:
        """One page of a list, with the Link header through which clients find the others.

        Some lists stand below a key, beside the number of all their items.
        """
        items_of_page, headers = self.page(items)
        shown = [show(item) for item in items_of_page]
        return Answer(200, {"total_count": len(items), key: shown} if key else shown, headers)

    def page(self, items: Sequence[Item], usual: int = 30, most: int = 100) -> tuple[Sequence[Item], dict[str, str]]:
        """The items on the page that is asked for, and the Link header to the others."""
        size = min(int(self.request.query.get("per_page", usual)), most)
        page = int(self.request.query.get("page", 1))
        last = max(1, -(-len(items) // size))
        targets = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
        wanted = [*(["next", "last"] if page < last else []), *(["prev", "first"] if page > 1 else [])]
        address = f"{self.documents.api_url}{self.request.path}"
        link = ", ".join(
            f'<{address}?{urlencode({**self.request.query, "page": targets[name]})}>; rel="{name}"' for name in wanted
        )
        return items[(page - 1) * size : page * size], {"link": link} if link else {}


Route = Callable[[Call], Answer]
ROUTES: dict[tuple[str, str], Route] = {}
# The query parameters that the double obeys; any other is a violation rather than silently ignored.
FILTERS: dict[tuple[str, str], set[str]] = {}


def route(method: str, template: str, *filters: str) -> Callable[[Route], Route]:
    """Register a function as one of GitHub's routes."""

    def register(function: Route) -> Route:
        ROUTES[method, template] = function
        FILTERS[method, template] = set(filters)
        return function

    return register


@route("GET", "/rate_limit")
def rate_limit(call: Call) -> Answer:
    """GitHub's own example, with the numbers that the headers tell too."""
    document = github_description().example("rate-limit-overview")
    core = {name: int(call.rate[f"x-ratelimit-{name}"]) for name in ("limit", "remaining", "used", "reset")}
    return Answer(200, {"resources": {**document["resources"], "core": core}, "rate": core})


@route("GET", "/repos/{owner}/{repo}")
def get_repository(call: Call) -> Answer:
    """The repository itself."""
    return Answer(200, call.documents.whole_repository())


@route("GET", "/repos/{owner}/{repo}/assignees/{assignee}")
def check_assignee(call: Call) -> Answer:
    """Whether a user can be assigned: the answer is the status."""
    known = call.repository.assignable_login(call.parameters["assignee"])
    return Answer(204) if known else error(404, "Not Found")


@route(
    "GET",
    "/repos/{owner}/{repo}/issues",
    *("state", "labels", "creator", "assignee", "since", "sort", "direction", "per_page", "page"),
)
def list_issues(call: Call) -> Answer:
    """Issues and pull requests, the newest first unless asked otherwise.

    Where issues are disabled, this list alone still answers, with the pull requests.
    """
    query = call.request.query
    since = datetime.fromisoformat(query.get("since", "1970-01-01T00:00:00Z"))
    state, labels = query.get("state", "open"), _names(query.get("labels", ""))
    found = [
        issue
        for issue in call.repository.issues
        if state in ("all", issue.state)
        and labels <= {name.lower() for name in issue.labels}
        and query.get("creator", issue.author) == issue.author
        and _assigned(issue, query.get("assignee", "any"))
        and issue.updated_at >= since
        and (call.repository.has_issues or issue.is_pull_request)
    ]
    orders: dict[str, Callable[[Issue], Any]] = {
        "created": lambda issue: issue.number,
        "updated": lambda issue: (issue.updated_at, issue.number),
        "comments": lambda issue: len(issue.comments),
    }
    newest_first = query.get("direction", "desc") == "desc"
    found.sort(key=orders[query.get("sort", "created")], reverse=newest_first)
    return call.page_of(found, call.documents.issue)


@route("POST", "/repos/{owner}/{repo}/issues")
def create_issue(call: Call) -> Answer:
    """Open an issue."""
    refusal = _refuse_issue(call)
    if refusal:
        return refusal
    issue = Issue(
        number=call.repository.next_number(),
        title=str(call.body["title"]),
        body=call.body.get("body"),
        labels=_label_names(call.body.get("labels", [])),
        assignees=_assignable(call)[:MAX_ASSIGNEES],
    )
    call.repository.add_issue(issue)
    return Answer(201, call.documents.issue(issue))


@route("GET", "/repos/{owner}/{repo}/issues/{issue_number}")
def get_issue(call: Call) -> Answer:
    """One issue."""
    issue = _issue(call)
    return Answer(200, call.documents.issue(issue)) if issue else error(404, "Not Found")


@route("PATCH", "/repos/{owner}/{repo}/issues/{issue_number}")
def edit_issue(call: Call) -> Answer:
    """Change what the body names, and nothing else."""
    issue, body = _issue(call), call.body
    refusal = error(404, "Not Found") if issue is None else _refuse_issue(call)
    if refusal or issue is None:
        return refusal or error(404, "Not Found")
    issue.title = str(body.get("title") or issue.title)
    issue.body = body.get("body", issue.body)
    if "labels" in body:
        issue.labels = _label_names(body["labels"])
        call.repository.ensure_labels(issue.labels)
    if "assignees" in body:
        issue.assignees = _assignable(call)[:MAX_ASSIGNEES]
    if "state" in body:
        issue.set_state(body["state"], body.get("state_reason"))
    issue.touch()
    return Answer(200, call.documents.issue(issue))


@route("POST", "/repos/{owner}/{repo}/issues/{issue_number}/assignees")
def add_assignees(call: Call) -> Answer:
    """Assign more users; unlike on a new issue, who cannot be assigned is left out without a word."""
    issue = _issue(call)
    if issue is None:
        return error(404, "Not Found")
    issue.assign(_assignable(call))
    return Answer(201, call.documents.issue(issue))


@route("DELETE", "/repos/{owner}/{repo}/issues/{issue_number}/assignees")
def remove_assignees(call: Call) -> Answer:
    """Assign users no longer."""
    issue = _issue(call)
    if issue is None:
        return error(404, "Not Found")
    issue.unassign(call.body["assignees"])
    return Answer(200, call.documents.issue(issue))


@route("POST", "/repos/{owner}/{repo}/issues/{issue_number}/labels")
def add_labels(call: Call) -> Answer:
    """Add labels to those of the issue, and create the ones that are missing; the answer names all of the issue."""
    issue, names = _issue(call), _label_names(call.body.get("labels", []))
    if issue is None:
        return error(404, "Not Found")
    if any(len(name) > MAX_LABEL for name in names):
        return invalid(_too_long("Label", "name", MAX_LABEL))
    issue.add_labels(names)
    call.repository.ensure_labels(issue.labels)
    return Answer(200, call.documents.issue(issue)["labels"])


@route("GET", "/repos/{owner}/{repo}/issues/{issue_number}/comments", "per_page", "page")
def list_comments(call: Call) -> Answer:
    """An issue's comments, the oldest first."""
    issue = _issue(call)
    if issue is None:
        return error(404, "Not Found")
    found = issue
    return call.page_of(found.comments, lambda comment: call.documents.comment(found, comment))


@route("POST", "/repos/{owner}/{repo}/issues/{issue_number}/comments")
def create_comment(call: Call) -> Answer:
    """Comment on an issue."""
    issue = _issue(call)
    if issue is None:
        return error(404, "Not Found")
    refusal = _refuse_comment(call)
    if refusal:
        return refusal
    comment = Comment(call.body["body"])
    issue.comments.append(comment)
    issue.touch()
    return Answer(201, call.documents.comment(issue, comment))


@route("GET", "/repos/{owner}/{repo}/issues/comments/{comment_id}")
def get_comment(call: Call) -> Answer:
    """One comment, of whichever issue."""
    found = call.repository.comment(int(call.parameters["comment_id"]))
    return Answer(200, call.documents.comment(*found)) if found else error(404, "Not Found")


@route("PATCH", "/repos/{owner}/{repo}/issues/comments/{comment_id}")
def edit_comment(call: Call) -> Answer:
    """Give a comment another text."""
    found = call.repository.comment(int(call.parameters["comment_id"]))
    if found is None:
        return error(404, "Not Found")
    refusal = _refuse_comment(call)
    if refusal:
        return refusal
    issue, comment = found
    comment.edit(call.body["body"])
    issue.touch()
    return Answer(200, call.documents.comment(issue, comment))


@route("GET", "/repos/{owner}/{repo}/labels", "per_page", "page")
def list_labels(call: Call) -> Answer:
    """The repository's labels."""
    return call.page_of(call.repository.labels, call.documents.label)


@route("POST", "/repos/{owner}/{repo}/labels")
def create_label(call: Call) -> Answer:
    """Create a label, unless there is one of that name."""
    name = call.body["name"]
    if call.repository.label(name):
        return invalid({"resource": "Label", "code": "already_exists", "field": "name"})
    if len(name) > MAX_LABEL:
        return invalid(_too_long("Label", "name", MAX_LABEL))
    label = Label(name, call.body.get("color", "ededed"), call.body.get("description"))
    call.repository.labels.append(label)
    return Answer(201, call.documents.label(label))


@route("GET", "/repos/{owner}/{repo}/labels/{name}")
def get_label(call: Call) -> Answer:
    """One label."""
    label = call.repository.label(call.parameters["name"])
    return Answer(200, call.documents.label(label)) if label else error(404, "Not Found")


def _issue(call: Call) -> Issue | None:
    return call.repository.issue(int(call.parameters["issue_number"]))


def _refuse_issue(call: Call) -> Answer | None:
    """GitHub's limits on what an issue may hold."""
    body = call.body
    if len(str(body.get("title") or "")) > MAX_TITLE:
        return invalid(_too_long("Issue", "title", MAX_TITLE))
    if len(body.get("body") or "") > MAX_BODY:
        return invalid(_too_long("Issue", "body", MAX_BODY))
    if any(len(name) > MAX_LABEL for name in _label_names(body.get("labels", []))):
        return invalid(_too_long("Label", "name", MAX_LABEL))
    for login in body.get("assignees", []):
        if call.repository.assignable_login(login) is None:
            return invalid({"value": login, "resource": "Issue", "field": "assignees", "code": "invalid"})
    return None


def _refuse_comment(call: Call) -> Answer | None:
    """GitHub's limits on a comment."""
    if not call.body["body"].strip():
        return invalid({"resource": "IssueComment", "code": "missing_field", "field": "body"})
    if len(call.body["body"]) > MAX_BODY:
        return invalid(_too_long("IssueComment", "body", MAX_BODY))
    return None


def _too_long(resource: str, field: str, limit: int) -> dict[str, Any]:
    message = f"{field} is too long (maximum is {limit} characters)"
    return {"resource": resource, "code": "custom", "field": field, "message": message}


def _names(text: str) -> set[str]:
    return {name.lower() for name in text.split(",") if name}


def _label_names(labels: list[Any]) -> list[str]:
    return [label if isinstance(label, str) else label["name"] for label in labels]


def _assignable(call: Call) -> list[str]:
    """The users of the request that can be assigned, as they write themselves."""
    asked = (login if isinstance(login, str) else login["login"] for login in call.body.get("assignees", []))
    return [known for login in asked if (known := call.repository.assignable_login(login))]


def _assigned(issue: Issue, wanted: str) -> bool:
    if wanted in ("any", "*", "none"):
        return wanted == "any" or bool(issue.assignees) == (wanted == "*")
    return wanted in issue.assignees
