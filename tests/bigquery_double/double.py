"""The double itself: its record, the interface for tests, and how one request becomes one answer."""

from collections.abc import Sequence
from dataclasses import replace
from threading import Condition
from types import TracebackType
from typing import Any, Final, Self

from tests.bigquery_double.discovery import bigquery_description
from tests.bigquery_double.errors import error
from tests.bigquery_double.jobs import Jobs
from tests.bigquery_double.plans import Charge, Cutting, Failure, Fault, Hold, Plan, PlanOfJob, Plans, Rows
from tests.bigquery_double.routes import ROUTES, Call, upload_document
from tests.bigquery_double.state import Dataset, Job, Warehouse
from tests.github_double.exchange import Answer, Request
from tests.github_double.server import Cut, LoopbackServer

_API: Final = "/bigquery/v2/projects"
_UPLOAD: Final = "/upload"
_REFUSED_TOKEN: Final = (
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
    "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project."
)


class BigQueryDouble:
    """One project on a loopback port. Read its state directly; talk to `url` as to BigQuery.

    With `tokens`, only these bearer tokens are taken; a test may change the set at any time.
    """

    def __init__(self, project: str = "acme-dwh", location: str = "EU", *, tokens: set[str] | None = None) -> None:
        self.warehouse = Warehouse(project, location)
        self.tokens = tokens
        self.requests: list[Request] = []
        self.violations: list[str] = []
        self._plans = Plans()
        self._changed = Condition()
        self._jobs = Jobs(self.warehouse, self._plans, self._changed)
        self._uploads: dict[str, dict[str, Any]] = {}
        self._server = LoopbackServer("", self._handle)

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exception: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
        if exception is None:
            self.check()

    def check(self) -> None:
        """Fail on everything that broke Google's description, and on plans that nothing met."""
        found = [*dict.fromkeys(self.violations), *self._plans.never_met()]
        if found:
            raise AssertionError("The double of BigQuery saw:\n  " + "\n  ".join(found))

    def stop(self) -> None:
        """Be gone for good: connections are cut, and new ones refused."""
        with self._changed:
            if self.warehouse.gone:
                return
            self.warehouse.gone = True
            self._changed.notify_all()
        self._server.stop()

    @property
    def url(self) -> str:
        """What BIGQUERY_EMULATOR_HOST, or `api_endpoint` of a profile, should be."""
        return f"http://127.0.0.1:{self._server.port}"

    @property
    def jobs(self) -> list[Job]:
        """All jobs that were begun, in that order; dry runs are none."""
        return self.warehouse.jobs

    def jobs_of(self, pattern: str = "", *, label: str = "") -> list[Job]:
        """The jobs whose text and one of whose labels (`name=value`) match."""
        wanted = Plan(sql=pattern, label=label)
        return [job for job in self.jobs if wanted.is_about(job)]

    def wait_for_jobs(self, count: int, pattern: str = "", *, state: str = "RUNNING", seconds: float = 60) -> list[Job]:
        """Wait until so many jobs whose text matches are in this state."""

        def found() -> list[Job]:
            return [job for job in self.jobs_of(pattern) if job.state == state]

        with self._changed:
            if not self._changed.wait_for(lambda: len(found()) >= count, seconds):
                raise AssertionError(f"{len(found())} and not {count} jobs came to be {state}: {self.jobs}")
            return found()

    def add_dataset(self, name: str, location: str | None = None) -> Dataset:
        """Put a dataset there as if somebody had made it before the test began."""
        made = Dataset(name, location or self.warehouse.location)
        self.warehouse.datasets[name] = made
        return made

    def fault(  # noqa: PLR0913
        self,
        method: str,
        path: str,
        *,
        status: int | None = None,
        reason: str = "backendError",
        message: str = "The service is currently unavailable.",
        cut: Cutting | None = None,
        sql: str = "",
        label: str = "",
        times: int = 1,
    ) -> Fault:
        """Answer matching requests with an error of Google's shape, or cut their connection.

        `path` stands below the project: `/jobs`, `/queries/*`, `/upload/jobs`, `/datasets/*`. `sql` and `label` choose
        among the requests that begin a job or are about one. A connection that is cut `after` has had its effect.
        """
        answer = None if cut else error(reason, message, status)
        made = Fault(method=method, path=path, answer=answer, cut=cut, sql=sql, label=label, times=times)
        with self._changed:
            self._plans.faults.append(made)
        return made

    def fail_jobs(self, sql: str = "", *, label: str = "", reason: str, message: str, times: int = 1) -> Failure:
        """Accept matching jobs, and let them end with this error."""
        return self._plan(Failure(sql=sql, label=label, times=times, reason=reason, message=message))

    def hold(self, sql: str = "", *, label: str = "", seconds: float | None = None, times: int = -1) -> Hold:
        """Let matching jobs run for so many seconds, or until they are released or cancelled."""
        return self._plan(Hold(sql=sql, label=label, times=times, seconds=seconds, changed=self._changed))

    def release_all(self) -> None:
        """Let all jobs end that are held."""
        for plan in self._plans.of_jobs:
            if isinstance(plan, Hold):
                plan.release()

    def charge(
        self, sql: str = "", *, label: str = "", processed: int = 0, billed: int = 0, slot_ms: int = 0
    ) -> Charge:
        """Let matching jobs cost this: bytes processed, bytes billed, slot milliseconds."""
        return self._plan(Charge(sql=sql, label=label, processed=processed, billed=billed, slot_ms=slot_ms))

    def answer(self, sql: str, fields: Sequence[tuple[str, str]], rows: Sequence[Sequence[str | None]]) -> Rows:
        """Answer matching queries with these rows; a field is a name and a type."""
        return self._plan(Rows(sql=sql, fields=fields, rows=rows))

    def _plan(self, made: PlanOfJob) -> PlanOfJob:
        with self._changed:
            self._plans.of_jobs.append(made)
        return made

    def _handle(self, arrived: Request) -> Answer:
        """Record, refuse or act, and perhaps lose the answer; one request at a time, but for waiting."""
        request = replace(arrived, within=self._within(arrived.path))
        with self._changed:
            if self.warehouse.gone:
                raise Cut
            self.requests.append(request)
            self._jobs.settle()
            fault = self._plans.fault_for(request.method, request.within, self._job_of(request))
            if fault is None or fault.cut == "after":
                answer = self._judged_answer(request)
                self._changed.notify_all()
        if self.warehouse.gone or (fault and fault.answer is None):
            raise Cut
        return fault.answer if fault and fault.answer else answer

    def _judged_answer(self, request: Request) -> Answer:
        breaches = [*bigquery_description().request_breaches(request)]
        answer = error("invalid", breaches[0]) if breaches else self._true_answer(request)
        breaches += bigquery_description().answer_breaches(request, answer)
        self.violations += [f"{request.method} {request.within}: {breach}" for breach in breaches]
        return answer

    def _within(self, path: str) -> str:
        """The path below the project; uploads keep that they are uploads."""
        upload = path.startswith(_UPLOAD)
        start = f"{_UPLOAD if upload else ''}{_API}/{self.warehouse.project}"
        return (_UPLOAD if upload else "") + path.removeprefix(start) if path.startswith(start + "/") else path

    def _job_of(self, request: Request) -> Job | None:
        """The job that a request would begin, or is about."""
        match request.method, request.within.split("/")[1:]:
            case "POST", ["jobs"]:
                return self._jobs.sketch(dict(request.body))  # type: ignore[call-overload]
            case "POST", ["upload", "jobs"]:
                return self._jobs.sketch(upload_document(request))
            case "PUT", ["upload", "jobs"]:
                session = self._uploads.get(request.query.get("upload_id", ""))
                return self._jobs.sketch(session["document"]) if session else None
            case "POST", ["queries"]:
                return self._jobs.sketch({"configuration": {"query": request.body}})
            case _, ["jobs" | "queries", job_id, *_]:
                return self.warehouse.job(job_id)
        return None

    def _true_answer(self, request: Request) -> Answer:
        if self.tokens is not None and request.token not in self.tokens:
            return error("authError", _REFUSED_TOKEN)
        for method, pattern, act in ROUTES:
            found = pattern.fullmatch(request.within)
            if found and method == request.method:
                call = Call(self.warehouse, self._jobs, self._changed, request, found.groupdict(), self._uploads)
                return act(call)
        if request.path == _API:
            name = self.warehouse.project
            shown = {"id": name, "numericId": "1", "friendlyName": name, "projectReference": {"projectId": name}}
            return Answer(200, {"kind": "bigquery#projectList", "projects": [shown], "totalItems": 1})
        if request.within == request.path and request.path.removeprefix(_UPLOAD).startswith(f"{_API}/"):
            project = request.path.removeprefix(_UPLOAD).split("/")[4]
            permission = "bigquery.jobs.create" if "/jobs" in request.path else "bigquery.datasets.get"
            message = (
                f"Access Denied: Project {project}: User does not have {permission} permission in project {project}."
            )
            return error("accessDenied", message)
        self.violations.append(f"The double of BigQuery does not play {request.method} {request.within}")
        return error("notFound", "Not found: the double does not play this")
