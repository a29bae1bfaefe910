"""The double itself: its state, its record, and how one request becomes one answer."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from threading import Event, Lock
from types import TracebackType
from typing import Self

import tests.github_double.routes_of_actions
import tests.github_double.routes_of_commits  # noqa: F401  They register their routes.
from tests.github_double.bad_days import BadDays
from tests.github_double.blob_storage import BlobStorage
from tests.github_double.documents import Documents, error, invalid
from tests.github_double.door import Door, by_name, within
from tests.github_double.exchange import Answer, Request
from tests.github_double.faults import Hook, Scripted
from tests.github_double.limits import standing
from tests.github_double.openapi import Operation, github_description
from tests.github_double.routes import FILTERS, ROUTES, Call
from tests.github_double.server import Cut, LoopbackServer
from tests.github_double.state import (
    BOT,
    AuthorAssociation,
    Comment,
    Commit,
    Issue,
    Label,
    Permission,
    Repository,
    Workflow,
    WorkflowRun,
)


class GitHubDouble(BadDays):
    """One repository on a loopback port. Read and set its state directly; talk to `url` as to GitHub.

    `base_path="/api/v3"` makes it look like GitHub Enterprise Server.
    """

    def __init__(self, full_name: str = "acme/warehouse", *, base_path: str = "") -> None:
        super().__init__()
        self.repository = Repository(full_name)
        self.token = "ghs_a_token_of_the_double"
        self.requests: list[Request] = []
        self.violations: list[str] = []
        self._lock = Lock()
        self._closing = Event()
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
        self._closing.set()
        self._server.stop()
        self._blob_server.stop()
        if exception is None:
            self.check()

    def check(self) -> None:
        """Fail on everything that broke GitHub's description, and on faults that never struck."""
        found = [*self.violations, *self._never_met()]
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
        author: str = BOT,
        author_association: AuthorAssociation = "NONE",
    ) -> Issue:
        """Put an issue there as if somebody had filed it before the test began."""
        number = self.repository.next_number()
        issue = Issue(number, title, body, labels=list(labels), is_pull_request=is_pull_request)
        issue.author, issue.author_association = author, author_association
        issue.comments = [Comment(text) for text in comments]
        issue.set_state("closed" if closed else "open", None, author)
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
        head_sha: str | None = None,
        created_at: datetime | None = None,
    ) -> WorkflowRun:
        """Put a workflow run there, of this repository or of a fork; without a conclusion it has not ended."""
        workflow, source = self.add_workflow(path), head_repository or self.repository.full_name
        run = WorkflowRun(run_id, workflow, branch, event, conclusion, source, attempt)
        run.created_at = created_at or run.created_at
        run.head_sha = head_sha or run.head_sha
        self.repository.runs.append(run)
        return run

    def add_commit(  # noqa: PLR0913
        self,
        message: str,
        *,
        files: Sequence[str] = (),
        author: str | None = "ada",
        author_name: str | None = None,
        sha: str | None = None,
        date: datetime | None = None,
    ) -> Commit:
        """Put a commit on top of the others; without an author GitHub knows only the name in it."""
        commits = self.repository.commits
        sha = sha or hashlib.sha1(f"{len(commits)} {message}".encode()).hexdigest()
        commit = Commit(sha, message, author, author_name or author or "Somebody", list(files))
        commit.parents = [commits[-1].sha] if commits else []
        commit.date = date or commit.date
        commits.append(commit)
        return commit

    def allow_actions(self, permission: Permission) -> None:
        """What the token may do with workflow runs and artifacts; `read` to begin with."""
        self.repository.actions_permission = permission

    def hand_out_no_parts(self) -> None:
        """Let the storage of artifacts answer every request for a range with the whole."""
        self.repository.hands_out_parts = False

    def allow_issues(self, permission: Permission) -> None:
        """What the token may do with issues; `write` to begin with."""
        self.repository.issues_permission = permission

    def allow_contents(self, permission: Permission) -> None:
        """What the token may do with commits; `read` to begin with."""
        self.repository.contents_permission = permission

    def disable_issues(self) -> None:
        """Switch the repository's issues off."""
        self.repository.has_issues = False

    def archive(self) -> None:
        """Make the repository read-only."""
        self.repository.archived = True

    def rename(self, full_name: str) -> None:
        """Give the repository another name; the old one leads to it, by its number."""
        self.repository.former_names.append(self.repository.full_name)
        self.repository.full_name = full_name

    def remove(self) -> None:
        """Delete the repository, or take all access to it away: GitHub tells the two from each other to nobody."""
        self.repository.removed = True

    def requests_to(self, method: str, path: str) -> list[Request]:
        """The recorded requests to one path, written without the repository's part; `*` matches anything.

        What was asked of a former name of the repository, and sent elsewhere, is only found by its whole path.
        """
        wanted = Scripted(method, path)
        return [request for request in self.requests if wanted.fits(request)]

    def _handle(self, true_answer: Callable[[Request], Answer], arrived: Request) -> Answer:
        """Record, judge, act, judge again; one request at a time, but for the hooks and for waiting."""
        request = replace(arrived, within=within(self.repository, arrived.path))
        with self._lock:
            self.requests.append(request)
            hooks = self._script.hooks_for(request)
        for hook in hooks:
            self._run(hook, request)
        with self._lock:
            fault = self._script.fault_for(request)
            if fault is None:
                return true_answer(request)
            if fault.after_effect:
                true_answer(request)
        self._closing.wait(fault.seconds)
        if fault.answer is None:
            raise Cut
        return fault.answer

    def _run(self, hook: Hook, request: Request) -> None:
        try:
            hook.action()
        except Exception as error:  # noqa: BLE001  Of the test, which is to see it.
            self._violation(request, [f"what was to happen before it failed: {error!r}"], Answer(500))

    def _blob_answer(self, request: Request) -> Answer:
        leaked = ["the host of the blobs was sent an Authorization"] if "authorization" in request.headers else []
        return self._violation(request, leaked, self._blobs.answer(request))

    def _api_answer(self, request: Request) -> Answer:
        limit = next((each for each in self._limits if each.holds(request)), None)
        rate = standing(limit)
        # To ask for the limit costs nothing.
        refused = limit is not None and request.path != "/rate_limit"
        answer = limit.refusal() if limit and refused else self._true_answer(request, rate)
        return Answer(answer.status, answer.body, {**rate, **answer.headers})

    def _true_answer(self, request: Request, rate: Mapping[str, str]) -> Answer:
        operation = github_description().operation(request.method, by_name(self.repository, request.path))
        if operation is None:
            return self._violation(request, ["GitHub has no such route"], error(404, "Not Found"))
        if operation.template.endswith("{issue_number}/labels") and isinstance(request.body, list):
            # PyGithub sends this. The description allows it in the text of `labels`, and not in the schema.
            request = replace(request, body={"labels": request.body})
        breaches = list(operation.request_breaches(request.query, request.body))
        if "user-agent" not in request.headers:
            breaches.append("GitHub refuses requests without a User-Agent")
        if breaches:
            return self._violation(request, breaches, invalid({"resource": "?", "code": "custom"}))
        door = Door(self.repository, self.token, self.url)
        answer = door.refuse(request, operation) or self._act(request, operation, rate)
        wrong = list(operation.answer_breaches(answer.status, answer.body))
        return self._violation(request, wrong, answer) if wrong else answer

    def _act(self, request: Request, operation: Operation, rate: Mapping[str, str]) -> Answer:
        key = operation.method, operation.template
        if key not in ROUTES:
            return self._violation(request, ["the double does not play this route"], error(404, "Not Found"))
        ignored = [f"the double ignores the parameter {name!r}" for name in request.query.keys() - FILTERS[key]]
        documents = Documents(self.repository, self.url, self.html_url)
        answer = ROUTES[key](Call(self.repository, documents, self._blobs, request, operation.parameters, rate))
        return self._violation(request, ignored, answer) if ignored else answer

    def _violation(self, request: Request, breaches: list[str], answer: Answer) -> Answer:
        self.violations += [f"{request.method} {request.path}: {breach}" for breach in breaches]
        return answer
