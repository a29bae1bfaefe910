"""`headless-dbt recall`, and what `report` makes of it: the previous run, from its artifact on GitHub."""

import io
import random
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from headless_dbt.artifact_names import unique_artifact_name
from headless_dbt.console import Console
from headless_dbt.node_times import read_times
from headless_dbt.recall import recall, recall_times
from headless_dbt.report import report
from headless_dbt.run_folder import RunFolder
from headless_dbt.settings import Places, read_fetch_settings

from tests.github_double import GitHubDouble
from tests.unit.builders import (
    make_context,
    make_node,
    make_record,
    make_request,
    make_run,
    make_run_folder,
    make_runner,
    manifest,
    manifest_node,
    result,
    run_results,
)

A = "model.shop.a"
REPOSITORY, WORKFLOW = "acme/warehouse", ".github/workflows/nightly.yml"


@pytest.fixture
def github() -> Iterator[GitHubDouble]:
    with GitHubDouble() as double:
        double.add_run(70, conclusion=None)
        yield double


def request_of(run_id: int, attempt: int = 1, **inputs: str) -> Any:
    context = make_context(repository=REPOSITORY, workflow_file=WORKFLOW, run_id=str(run_id), run_attempt=str(attempt))
    return make_request(context, **inputs)


def left(github: GitHubDouble, run_id: int, attempt: int = 1, *, files: Mapping[str, bytes] | None = None) -> Any:
    """What a run of this request would have uploaded, in which the node passed."""
    run = make_run([make_node(A)], request=request_of(run_id, attempt))
    known = github.repository.run(run_id) or github.add_run(run_id)
    content = {"request.json": b"{}", "run.json": msgspec.json.encode(run)} if files is None else files
    return known.add_artifact(unique_artifact_name("dbt-artifacts", run.request, f"00000{attempt}"), content)


class Recalled:
    """The two steps, as the action runs them, after a run in which the node failed."""

    def __init__(self, tmp_path: Path, github: GitHubDouble, attempt: int = 1, **given: Any) -> None:
        self.folder = make_run_folder(
            tmp_path / f"run-{time.monotonic_ns()}",
            request=request_of(70, attempt),
            record=make_record(A),
            manifest=manifest(manifest_node(A)),
            results=run_results(result(A, "error")),
        )
        environment = {
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_API_URL": github.url,
            "GITHUB_RUN_ID": "70",
            "GITHUB_RUN_ATTEMPT": str(attempt),
            "GITHUB_REF_NAME": "main",
            "GITHUB_WORKFLOW_REF": f"{REPOSITORY}/{WORKFLOW}@refs/heads/main",
            "HEADLESS_DBT_GITHUB_TOKEN": github.token,
        }
        runner = make_runner(tmp_path, environment, on_github=True)
        self.log = tmp_path / "log"
        places = Places(run_folder=str(self.folder.path))
        with self.log.open("wb") as stream:
            started = time.monotonic()
            assert recall({}, runner, places, Console(on_github=True, stream=stream), **given) == 0
            self.seconds = time.monotonic() - started
        with (tmp_path / "other log").open("wb") as stream:
            report({}, runner, places, Console(on_github=True, stream=stream))
        assert not [file for file in self.folder.path.rglob("*.*") if github.token.encode() in file.read_bytes()]

    @property
    def said(self) -> str:
        """The one line of the log; never a command to the runner."""
        [line] = self.log.read_text().splitlines()
        assert "::" not in line
        return line

    @property
    def previous(self) -> str | None:
        """The name of the previous run, as run.json has it."""
        changes = RunFolder(self.folder.path).read_run().changes
        assert (changes is not None) is (self.folder.path / "previous.json").is_file()
        if changes is None:
            return None
        assert [each.unique_id for each in changes.broken] == [A]
        return changes.previous.name


def test_the_newest_earlier_run_of_the_same_request_is_the_previous_one(tmp_path: Path, github: GitHubDouble) -> None:
    left(github, 40)
    left(github, 41)
    other = make_run(request=request_of(42, target="dev"))
    files = {"run.json": msgspec.json.encode(other)}
    github.add_run(42).add_artifact(unique_artifact_name("dbt-artifacts", other.request, "000000"), files)
    github.add_run(43)
    left(github, 44).expired = True
    left(github, 45, files={"request.json": b"{}"})
    left(github, 46, files={"run.json": b"torn"})
    github.add_run(47, branch="feature")
    left(github, 47)
    # Anybody may open a pull request from a branch of this name.
    github.add_run(48, event="pull_request", head_repository="stranger/warehouse")
    left(github, 48)
    # It began later, and was faster.
    left(github, 71)

    recalled = Recalled(tmp_path, github)

    assert recalled.previous == "run 41"
    assert recalled.said == "The previous run of the same request is run 41."


@pytest.mark.parametrize("in_parts", [True, False])
def test_of_a_large_artifact_only_a_little_is_read(tmp_path: Path, github: GitHubDouble, in_parts: bool) -> None:
    noise = random.Random(1).randbytes(1 << 20)
    run = msgspec.json.encode(make_run([make_node(A)], request=request_of(41)))
    left(github, 41, files={"manifest.json": noise, "run.json": run, "run_results.json": noise})
    if not in_parts:
        github.hand_out_no_parts()

    assert Recalled(tmp_path, github).previous == "run 41"
    asked = [request.headers["range"] for request in github.requests_to("GET", "/actions-results/*")]
    assert len(asked) == (3 if in_parts else 1)


def test_the_predecessor_of_a_rerun_is_the_attempt_before(tmp_path: Path, github: GitHubDouble) -> None:
    left(github, 41)
    assert Recalled(tmp_path, github, attempt=3).previous == "run 41"
    left(github, 70, 1)
    left(github, 70, 2)
    # Another job of this attempt, with other secrets.
    left(github, 70, 3)
    assert Recalled(tmp_path, github, attempt=3).previous == "attempt 2"


def test_of_several_jobs_that_asked_for_the_same_none_is_taken(tmp_path: Path, github: GitHubDouble) -> None:
    left(github, 40)
    left(github, 41)
    left(github, 41)
    recalled = Recalled(tmp_path, github)
    assert recalled.previous is None
    assert "several jobs asked for the same, and nothing tells them apart" in recalled.said


def test_without_the_permission_one_request_is_refused_and_no_more(tmp_path: Path, github: GitHubDouble) -> None:
    left(github, 41)
    github.allow_actions("none")
    for attempt in (1, 2):
        before = len(github.requests)
        recalled = Recalled(tmp_path, github, attempt=attempt)
        assert recalled.previous is None
        assert "add `actions: read` to the `permissions:` of the calling job" in recalled.said
        assert len(github.requests) == before + 1


def test_a_first_run_has_no_previous_one(tmp_path: Path, github: GitHubDouble) -> None:
    recalled = Recalled(tmp_path, github)
    assert recalled.previous is None
    assert recalled.said.endswith(f"no earlier run of {WORKFLOW} asked for the same.")


@pytest.mark.parametrize("path", ["/actions/workflows/*/runs", "/actions/runs/41/artifacts", "/actions-results/*"])
def test_github_is_not_waited_for(tmp_path: Path, github: GitHubDouble, path: str) -> None:
    left(github, 41)
    github.stall("GET", path, 5)
    recalled = Recalled(tmp_path, github, seconds=0.5)
    assert recalled.previous is None
    assert recalled.said == "There is no previous run to compare with: GitHub took too long."
    assert recalled.seconds < 2


@pytest.mark.parametrize(("status", "body"), [(429, None), (403, None), (404, None), (200, "<html>"), (200, b"zip")])
def test_whatever_the_storage_answers_the_report_is_made(
    tmp_path: Path, github: GitHubDouble, status: int, body: object
) -> None:
    left(github, 41)
    github.fail("GET", "/actions-results/*", status, body=body, times=1)
    recalled = Recalled(tmp_path, github)
    assert recalled.previous is None
    assert recalled.said.startswith("There is no previous run to compare with: ")


def test_a_connection_that_is_cut_once_is_tried_again(tmp_path: Path, github: GitHubDouble) -> None:
    left(github, 41)
    github.cut("GET", "/actions-results/*")
    assert Recalled(tmp_path, github).previous == "run 41"


def fetched(github: GitHubDouble, folder: Path, **variables: str) -> str:
    """`fetch` of a first attempt that asks for an order by times."""
    environment = {
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_API_URL": github.url,
        "GITHUB_RUN_ID": "70",
        "GITHUB_REF_NAME": "main",
        "GITHUB_WORKFLOW_REF": f"{REPOSITORY}/{WORKFLOW}@refs/heads/main",
        "HEADLESS_DBT_GITHUB_TOKEN": github.token,
        "HEADLESS_DBT_SCHEDULE": "critical-path",
        "HEADLESS_DBT_EARLIER": str(folder),
    }
    stream = io.BytesIO()
    settings = read_fetch_settings({}, make_runner(folder, {**environment, **variables}))
    recall_times(settings, folder, Console(on_github=False, stream=stream))
    return stream.getvalue().decode()


def test_the_times_of_nodes_are_those_of_the_newest_run_whatever_it_asked_for(
    github: GitHubDouble, tmp_path: Path
) -> None:
    left(github, 40)
    left(github, 50, files={"request.json": b"{}", "run.json": b"torn"})

    said = fetched(github, tmp_path / "earlier")

    assert said == "The times of 1 nodes are those of run 40.\n"
    assert read_times(tmp_path / "earlier") == {A: 0.5}


def test_without_any_run_there_are_no_times_and_no_failure(github: GitHubDouble, tmp_path: Path) -> None:
    assert "no earlier run of .github/workflows/nightly.yml left any" in fetched(github, tmp_path / "earlier")
    assert "must both be set" in fetched(github, tmp_path, HEADLESS_DBT_GITHUB_TOKEN="")
    assert read_times(tmp_path / "earlier") == {}
