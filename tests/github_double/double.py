"""The double itself: its state, its record, and how one request becomes one answer."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from threading import Lock
from types import TracebackType
from typing import Self

import tests.github_double.routes_of_actions  # noqa: F401  It registers its routes.
from tests.github_double.blob_storage import BLOBS, BlobStorage
from tests.github_double.documents import Documents, error, invalid
from tests.github_double.exchange import Answer, Request
from tests.github_double.faults import Fault, Script
from tests.github_double.openapi import Operation, github_description
from tests.github_double.routes import FILTERS, ROUTES, Call
from tests.github_double.server import Cut, LoopbackServer
from tests.github_double.state import Comment, Issue, Label, Permission, Repository, Workflow, WorkflowRun

_LIMITS = {
    "x-ratelimit-limit": "5000",
    "x-ratelimit-remaining": "4990",
    "x-ratelimit-used": "10",
    "x-ratelimit-resource": "core",
}


class GitHubDouble:
    """One repository on a loopback port. Read and set its state directly; talk to `url` as to GitHub.

    `base_path="/api/v3"` makes it look like GitHub Enterprise Server.
    """

    def __init__(self, full_name: str = "acme/warehouse", *, base_path: str = "") -> None:
        self.repository = Repository(full_name)
        self.token = "ghs_a_token_of_the_double"
        self.requests: list[Request] = []
        self.violations: list[str] = []
        self._script = Script()
        self._lock = Lock()
        self._base_path = base_path
        self._server = LoopbackServer(base_path, partial(self._handle, self._api_answer))
        self._blob_server = LoopbackServer("", partial(self._handle, self._blob_answer))
        # Another name and not only another port: clients tell hosts apart by their names.
        self._blobs = BlobStorage(self.repository, f"http://localhost:{self._blob_server.port}")

    def __enter__(self) -> Self:
        self._server.start()
        self._blob_server.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.stop()
        self._blob_server.stop()
        if exception is None:
            self.check()

    def check(self) -> None:
        """Fail on everything that broke GitHub's description, and on faults that never struck."""
        found = [*self.violations, *self._script.never_used()]
        if found:
            raise AssertionError("The double of GitHub saw:\n  " + "\n  ".join(found))

    @property
    def url(self) -> str:
        """What GITHUB_API_URL should be."""
        return f"{self.html_url}{self._base_path}"

    @property
    def html_url(self) -> str:
        """What GITHUB_SERVER_URL should be, if a test wants links that lead here."""
        return f"http://127.0.0.1:{self._server.port}"

    @property
    def issues(self) -> list[Issue]:
        """All issues and pull requests, in the order of their numbers."""
        return self.repository.issues

    @property
    def open_issues(self) -> list[Issue]:
        """The open issues, without pull requests."""
        return [each for each in self.issues if each.state == "open" and not each.is_pull_request]

    @property
    def labels(self) -> list[Label]:
        """The repository's labels."""
        return self.repository.labels

    def add_issue(  # noqa: PLR0913
        self,
        title: str,
        body: str = "",
        *,
        labels: Sequence[str] = (),
        comments: Sequence[str] = (),
        closed: bool = False,
        is_pull_request: bool = False,
    ) -> Issue:
        """Put an issue there as if somebody had filed it before the test began."""
        number = self.repository.next_number()
        issue = Issue(number, title, body, labels=list(labels), is_pull_request=is_pull_request)
        issue.comments = [Comment(text) for text in comments]
        issue.set_state("closed" if closed else "open", None)
        return self.repository.add_issue(issue)

    def add_noise(self, count: int, *, labels: Sequence[str] = ()) -> None:
        """Add issues of no interest, every third a pull request, so that lists fill several pages."""
        for index in range(count):
            self.add_issue(f"Noise {index}", labels=labels, is_pull_request=index % 3 == 2)

    def add_workflow(self, path: str) -> Workflow:
        """Put a workflow there that may never have run; the one that is there is kept."""
        workflow = self.repository.workflow(path)
        if workflow is None:
            workflow = Workflow(path)
            self.repository.workflows.append(workflow)
        return workflow

    def add_run(  # noqa: PLR0913
        self,
        run_id: int,
        *,
        path: str = ".github/workflows/nightly.yml",
        branch: str = "main",
        event: str = "schedule",
        conclusion: str | None = "failure",
        attempt: int = 1,
        head_repository: str | None = None,
        created_at: datetime | None = None,
    ) -> WorkflowRun:
        """Put a workflow run there, of this repository or of a fork; without a conclusion it has not ended."""
        workflow, source = self.add_workflow(path), head_repository or self.repository.full_name
        run = WorkflowRun(run_id, workflow, branch, event, conclusion, source, attempt)
        run.created_at = created_at or run.created_at
        self.repository.runs.append(run)
        return run

    def allow_actions(self, permission: Permission) -> None:
        """What the token may do with workflow runs and artifacts; `read` to begin with."""
        self.repository.actions_permission = permission

    def allow_issues(self, permission: Permission) -> None:
        """What the token may do with issues; `write` to begin with."""
        self.repository.issues_permission = permission

    def disable_issues(self) -> None:
        """Switch the repository's issues off."""
        self.repository.has_issues = False

    def fail(  # noqa: PLR0913
        self,
        method: str,
        path: str,
        status: int,
        *,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        after_effect: bool = False,
        times: int = 1,
    ) -> None:
        """Give the next `times` requests that fit this answer; `*` in the path matches anything.

        The path is written without the repository's part: `/issues`, `/issues/*/comments`. The blobs of
        artifacts are at `/actions-results/*`.
        """
        content = {"message": f"scripted {status}"} if body is None else body
        self._add_fault(method, path, Answer(status, content, headers or {}), after_effect, times)

    def cut(self, method: str, path: str, *, after_effect: bool = False, times: int = 1) -> None:
        """Close the connection in place of an answer to the next `times` requests that fit."""
        self._add_fault(method, path, None, after_effect, times)

    def requests_to(self, method: str, path: str) -> list[Request]:
        """The recorded requests to one path, written without the repository's part; `*` matches anything."""
        pattern = Fault(method, self._full(path), None, after_effect=False, times=1)
        return [request for request in self.requests if pattern.strikes(request)]

    def _add_fault(self, method: str, path: str, answer: Answer | None, after: bool, times: int) -> None:
        self._script.faults.append(Fault(method, self._full(path), answer, after, times))

    def _full(self, path: str) -> str:
        outside = path == "/rate_limit" or path.startswith(BLOBS)
        return path if outside else f"/repos/{self.repository.full_name}{path}"

    def _handle(self, true_answer: Callable[[Request], Answer], request: Request) -> Answer:
        """Record, judge, act, judge again; one request at a time."""
        with self._lock:
            self.requests.append(request)
            fault = self._script.next_for(request)
            if fault is None or fault.after_effect:
                answer = true_answer(request)
            if fault is None:
                return answer
            if fault.answer is None:
                raise Cut
            return fault.answer

    def _blob_answer(self, request: Request) -> Answer:
        leaked = ["the host of the blobs was sent an Authorization"] if "authorization" in request.headers else []
        return self._violation(request, leaked, self._blobs.answer(request))

    def _api_answer(self, request: Request) -> Answer:
        answer = self._true_answer(request)
        return Answer(answer.status, answer.body, {**_LIMITS, **answer.headers})

    def _true_answer(self, request: Request) -> Answer:
        operation = github_description().operation(request.method, request.path)
        if operation is None:
            return self._violation(request, ["GitHub has no such route"], error(404, "Not Found"))
        breaches = list(operation.request_breaches(request.query, request.body))
        if "user-agent" not in request.headers:
            breaches.append("GitHub refuses requests without a User-Agent")
        if breaches:
            return self._violation(request, breaches, invalid({"resource": "?", "code": "custom"}))
        answer = self._refuse(request, operation) or self._act(request, operation)
        wrong = list(operation.answer_breaches(answer.status, answer.body))
        return self._violation(request, wrong, answer) if wrong else answer

    def _act(self, request: Request, operation: Operation) -> Answer:
        key = operation.method, operation.template
        if key not in ROUTES:
            return self._violation(request, ["the double does not play this route"], error(404, "Not Found"))
        ignored = [f"the double ignores the parameter {name!r}" for name in request.query.keys() - FILTERS[key]]
        documents = Documents(self.repository, self.url, self.html_url)
        answer = ROUTES[key](Call(self.repository, documents, self._blobs, request, operation.parameters))
        return self._violation(request, ignored, answer) if ignored else answer

    def _refuse(self, request: Request, operation: Operation) -> Answer | None:
        """Who asks, for which repository, and what that token may do there."""
        owner, repo = operation.parameters.get("owner"), operation.parameters.get("repo")
        if request.token is None:
            return error(401, "Requires authentication")
        if request.token != self.token:
            return error(401, "Bad credentials")
        if owner and f"{owner}/{repo}".lower() != self.repository.full_name.lower():
            return error(404, "Not Found")
        if "/issues" in operation.template and not self.repository.has_issues:
            return error(410, "Issues has been disabled in this repository.")
        needed: list[Permission] = ["read", "write"] if request.method == "GET" else ["write"]
        of_issues, of_actions = self.repository.issues_permission, self.repository.actions_permission
        guards = {"/issues": of_issues, "/labels": of_issues, "/actions/": of_actions}
        if any(part in operation.template and given not in needed for part, given in guards.items()):
            return error(403, "Resource not accessible by integration")
        return None

    def _violation(self, request: Request, breaches: list[str], answer: Answer) -> Answer:
        self.violations += [f"{request.method} {request.path}: {breach}" for breach in breaches]
        return answer
