"""What each route does: the part of GitHub that the double plays."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast
from urllib.parse import urlencode

from tests.github_double.blob_storage import BlobStorage
from tests.github_double.documents import Documents, error, invalid
from tests.github_double.exchange import Answer, Request
from tests.github_double.openapi import github_description
from tests.github_double.state import Comment, Issue, Label, Repository

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

    @property
    def body(self) -> dict[str, Any]:
        """The request's JSON object."""
        return cast(dict[str, Any], self.request.body or {})

    def page_of(self, items: Sequence[Item], show: Callable[[Item], object], key: str = "") -> Answer:
        """One page of a list, with the Link header through which clients find the others.

        Some lists stand below a key, beside the number of all their items.
        """
        size = min(int(self.request.query.get("per_page", 30)), 100)
        page = int(self.request.query.get("page", 1))
        last = max(1, -(-len(items) // size))
        targets = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
        wanted = [*(["next", "last"] if page < last else []), *(["prev", "first"] if page > 1 else [])]
        address = f"{self.documents.api_url}{self.request.path}"
        link = ", ".join(
            f'<{address}?{urlencode({**self.request.query, "page": targets[name]})}>; rel="{name}"' for name in wanted
        )
        shown = [show(item) for item in items[(page - 1) * size : page * size]]
        body = {"total_count": len(items), key: shown} if key else shown
        return Answer(200, body, {"link": link} if link else {})


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
    """GitHub's own example."""
    return Answer(200, github_description().example("rate-limit-overview"))


@route("GET", "/repos/{owner}/{repo}")
def get_repository(call: Call) -> Answer:
    """The repository itself."""
    return Answer(200, call.documents.whole_repository())


@route("GET", "/repos/{owner}/{repo}/assignees/{assignee}")
def check_assignee(call: Call) -> Answer:
    """Whether a user can be assigned: the answer is the status."""
    known = call.parameters["assignee"] in call.repository.assignable
    return Answer(204) if known else error(404, "Not Found")


@route(
    "GET",
    "/repos/{owner}/{repo}/issues",
    *("state", "labels", "creator", "assignee", "sort", "direction", "per_page", "page"),
)
def list_issues(call: Call) -> Answer:
    """Issues and pull requests, the newest first unless asked otherwise."""
    query = call.request.query
    state, labels = query.get("state", "open"), _names(query.get("labels", ""))
    found = [
        issue
        for issue in call.repository.issues
        if state in ("all", issue.state)
        and labels <= {name.lower() for name in issue.labels}
        and query.get("creator", issue.author) == issue.author
        and _assigned(issue, query.get("assignee", "any"))
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
        assignees=list(call.body.get("assignees", [])),
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
    issue.assignees = list(body.get("assignees", issue.assignees))
    if "state" in body:
        issue.set_state(body["state"], body.get("state_reason"))
    issue.touch()
    return Answer(200, call.documents.issue(issue))


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
    if not call.body["body"].strip():
        return invalid({"resource": "IssueComment", "code": "missing_field", "field": "body"})
    if len(call.body["body"]) > MAX_BODY:
        return invalid(_too_long("IssueComment", "body", MAX_BODY))
    comment = Comment(call.body["body"])
    issue.comments.append(comment)
    issue.touch()
    return Answer(201, call.documents.comment(issue, comment))


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
        if login not in call.repository.assignable:
            return invalid({"value": login, "resource": "Issue", "field": "assignees", "code": "invalid"})
    return None


def _too_long(resource: str, field: str, limit: int) -> dict[str, Any]:
    message = f"{field} is too long (maximum is {limit} characters)"
    return {"resource": resource, "code": "custom", "field": field, "message": message}


def _names(text: str) -> set[str]:
    return {name.lower() for name in text.split(",") if name}


def _label_names(labels: list[Any]) -> list[str]:
    return [label if isinstance(label, str) else label["name"] for label in labels]


def _assigned(issue: Issue, wanted: str) -> bool:
    if wanted in ("any", "*", "none"):
        return wanted == "any" or bool(issue.assignees) == (wanted == "*")
    return wanted in issue.assignees
