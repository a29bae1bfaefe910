"""What each route of GitHub Actions does: workflows, their runs, and what those have uploaded."""

from tests.github_double.documents import error
from tests.github_double.exchange import Answer
from tests.github_double.routes import Call, route
from tests.github_double.state import WorkflowRun

_WORKFLOW = "/repos/{owner}/{repo}/actions/workflows/{workflow_id}"
_RUN = "/repos/{owner}/{repo}/actions/runs/{run_id}"
_ARCHIVE = "/repos/{owner}/{repo}/actions/artifacts/{artifact_id}/{archive_format}"


@route("GET", _WORKFLOW)
def get_workflow(call: Call) -> Answer:
    """One workflow, by its file name or its number."""
    workflow = call.repository.workflow(call.parameters["workflow_id"])
    return Answer(200, call.documents.workflow(workflow)) if workflow else _nothing()


@route("GET", f"{_WORKFLOW}/runs", "branch", "event", "status", "per_page", "page")
def list_runs_of_a_workflow(call: Call) -> Answer:
    """A workflow's runs, the newest first; those of forks are among them."""
    workflow, query = call.repository.workflow(call.parameters["workflow_id"]), call.request.query
    if workflow is None:
        return _nothing()
    found = [
        run
        for run in call.repository.runs
        if run.workflow is workflow
        and query.get("branch", run.branch) == run.branch
        and query.get("event", run.event) == run.event
        and query.get("status", run.status) in (run.status, run.conclusion)
    ]
    found.sort(key=lambda run: (run.created_at, run.id), reverse=True)
    return call.page_of(found, call.documents.run, "workflow_runs")


@route("GET", _RUN)
def get_run(call: Call) -> Answer:
    """One run, in its latest attempt."""
    run = _run(call)
    return Answer(200, call.documents.run(run)) if run else _nothing()


@route("GET", f"{_RUN}/artifacts", "name", "direction", "per_page", "page")
def list_artifacts_of_a_run(call: Call) -> Answer:
    """What all attempts of a run have uploaded, the newest first; expired ones are among them."""
    run, query = _run(call), call.request.query
    if run is None:
        return _nothing()
    of_run = run
    found = [artifact for artifact in run.artifacts if query.get("name", artifact.name) == artifact.name]
    found.sort(key=lambda artifact: (artifact.created_at, artifact.id), reverse=query.get("direction") != "asc")
    return call.page_of(found, lambda artifact: call.documents.artifact(of_run, artifact), "artifacts")


@route("GET", _ARCHIVE)
def download_artifact(call: Call) -> Answer:
    """Where the artifact's bytes are: at another host, for whoever has this address."""
    artifact = call.repository.artifact(int(call.parameters["artifact_id"]))
    if artifact is None or call.parameters["archive_format"] != "zip":
        return _nothing()
    if artifact.expired:
        return error(410, "Artifact has expired")
    return Answer(302, headers={"location": call.blobs.address_of(artifact)})


def _run(call: Call) -> WorkflowRun | None:
    return call.repository.run(int(call.parameters["run_id"]))


def _nothing() -> Answer:
    return error(404, "Not Found")
