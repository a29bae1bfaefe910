"""`headless-dbt fetch`, and what `run` makes of it: an earlier run, from its artifact on GitHub."""

from pathlib import Path

import pytest

from tests.github_double import GitHubDouble
from tests.integration.conftest import Finished, Project

BROKEN, MENDED = "select nope from {{ ref('two') }}", "select id from {{ ref('two') }}"
NAME = "dbt-artifacts-012345-abcdef"


def files_of(done: Finished) -> dict[str, bytes]:
    """What the upload step would upload."""
    return {str(file.relative_to(done.folder)): file.read_bytes() for file in done.folder.rglob("*") if file.is_file()}


def resumed(project: Project, github: GitHubDouble, resume_from: str = "", **variables: str) -> Finished:
    """Both steps, as the action runs them."""
    earlier = project.root.parent / f"earlier-{len(list(project.root.parent.glob('earlier-*')))}"
    around = {
        "GITHUB_REPOSITORY": "acme/warehouse",
        "GITHUB_API_URL": github.url,
        "GITHUB_RUN_ID": "70",
        "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_REF_NAME": "main",
        "GITHUB_WORKFLOW_REF": "acme/warehouse/.github/workflows/nightly.yml@refs/heads/main",
        "HEADLESS_DBT_EARLIER": str(earlier),
        "HEADLESS_DBT_RESUME_FROM": resume_from,
        **variables,
    }
    fetched = project.call("fetch", **around, HEADLESS_DBT_GITHUB_TOKEN=github.token)
    assert fetched.returncode == 0, fetched.stdout
    assert "Traceback" not in fetched.stdout
    done = project.run(**around)  # type: ignore[arg-type]
    for file in [*earlier.rglob("*"), *done.folder.rglob("*")]:
        assert not file.is_file() or github.token.encode() not in file.read_bytes()
    return done


@pytest.fixture
def red(project: Project) -> Finished:
    """A run that failed at its last model."""
    project.write({"models/three.sql": BROKEN})
    done = project.run()
    assert done.exit_code == 1
    project.write({"models/three.sql": MENDED})
    return done


def taken(done: Finished) -> set[str]:
    return {node["name"] for node in done.read("run.json")["nodes"] if not node["tries"]}


def test_a_rerun_continues_the_attempt_before(project: Project, red: Finished) -> None:
    with GitHubDouble() as github:
        run = github.add_run(70, conclusion=None)
        run.add_artifact("dbt-artifacts-fedcba-000000", {"request.json": b'{"inputs": {}, "context": {}}'})
        run.add_artifact("coverage", {"request.json": b"{}"})
        run.add_artifact(NAME, files_of(red))
        done = resumed(project, github, GITHUB_RUN_ATTEMPT="2")
        assert done.exit_code == 0, done.output
        assert taken(done) == {"one", "two"}
        assert "Taken over from the attempt before: 2 of 3 nodes." in done.output
        continued = done.read("run.json")["continued"]
        assert (continued["taken"], continued["url"].endswith("/actions/runs/70")) == (2, True)
        assert "the attempt before" in (done.folder / "summary.md").read_text()

        # A third attempt continues the second, and finds nothing left to do.
        run.add_artifact("dbt-artifacts-012345-fedcba", files_of(done))
        third = resumed(project, github, GITHUB_RUN_ATTEMPT="3")
        assert third.exit_code == 0
        assert "it succeeded, and nothing of it is left to build" in third.output
        assert not taken(third)

        # Only what was asked for.
        assert not taken(resumed(project, github, "none", GITHUB_RUN_ATTEMPT="3"))
        before = len(github.requests)
        assert not taken(resumed(project, github))
        assert len(github.requests) == before


def test_a_run_by_hand_continues_the_run_that_it_names(project: Project, red: Finished) -> None:
    with GitHubDouble() as github:
        github.add_run(41).add_artifact(NAME, files_of(red))
        github.add_run(42)
        done = resumed(project, github, "41")
        assert taken(done) == {"one", "two"}
        assert "Taken over from run 41: 2 of 3 nodes." in done.output


def test_the_latest_run_is_the_newest_one_of_this_workflow_and_branch_that_left_an_artifact(
    project: Project, red: Finished
) -> None:
    with GitHubDouble() as github:
        other = {"request.json": b'{"inputs": {"target": "other"}, "context": {}}'}
        github.add_run(41).add_artifact(NAME, files_of(red))
        github.add_run(42, conclusion="cancelled")
        github.add_run(43).add_artifact(NAME, other, expired=True)
        github.add_run(44, branch="feature").add_artifact(NAME, other)
        github.add_run(45, path=".github/workflows/hourly.yml").add_artifact(NAME, other)
        # Anybody may open a pull request from a branch of this name.
        github.add_run(46, event="pull_request", head_repository="stranger/warehouse").add_artifact(NAME, other)
        github.add_run(70, conclusion=None)
        done = resumed(project, github, "latest")
        assert taken(done) == {"one", "two"}
        assert "Taken over from run 41: 2 of 3 nodes." in done.output


def test_a_named_run_that_cannot_be_had_is_a_wrong_request_and_starts_nothing(project: Project, red: Finished) -> None:
    with GitHubDouble() as github:
        github.add_run(41)
        github.add_run(43).add_artifact(NAME, files_of(red), expired=True)
        github.add_run(46, head_repository="stranger/warehouse").add_artifact(NAME, files_of(red))
        for run, sentence in {
            "41": "it left no artifact 'dbt-artifacts'",
            "43": "its artifact 'dbt-artifacts' has expired",
            "46": "its code came from a fork",
            "99": "GitHub knows no such run",
        }.items():
            done = resumed(project, github, run)
            assert done.exit_code == 2
            assert f"resume-from: got '{run}', but {sentence}" in done.output
            assert not done.nodes


def test_what_cannot_be_had_unasked_is_said_and_everything_is_built(project: Project, red: Finished) -> None:
    with GitHubDouble() as github:
        run = github.add_run(70, conclusion=None)
        done = resumed(project, github, GITHUB_RUN_ATTEMPT="2")
        assert (done.exit_code, taken(done)) == (0, set())
        assert "nothing is taken over from the attempt before: it left no artifact" in done.output

        run.add_artifact(NAME, {"request.json": b"not JSON", "../../evil": b"x"})
        done = resumed(project, github, GITHUB_RUN_ATTEMPT="2")
        assert (done.exit_code, taken(done)) == (0, set())
        assert "request.json is not readable" in done.output
        assert not list(project.root.parent.parent.rglob("evil"))

        github.allow_actions("none")
        run.add_artifact(NAME, files_of(red))
        done = resumed(project, github, GITHUB_RUN_ATTEMPT="2")
        assert (done.exit_code, taken(done)) == (0, set())
        assert "add `actions: read` to the `permissions:` of the calling job" in done.output


def test_a_cut_connection_is_no_reason_to_fail(project: Project, red: Finished) -> None:
    with GitHubDouble() as github:
        github.add_run(70, conclusion=None).add_artifact(NAME, files_of(red))
        address = github.url
    done = resumed(project, _Gone(address, github.token), GITHUB_RUN_ATTEMPT="2")  # type: ignore[arg-type]
    assert (done.exit_code, taken(done)) == (0, set())
    assert "GitHub could not be reached" in done.output


class _Gone:
    """A GitHub that has left."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url, token


def test_a_warehouse_that_has_lost_what_was_built_is_built_anew(project: Project, red: Finished) -> None:
    """As a DuckDB file on a runner that is gone: its results are there, and its tables are not."""
    Path(project.root / "little.duckdb").unlink()
    done = project.run("--resume-from", str(red.folder))
    assert done.exit_code == 0, done.output
    assert "model.little.one is not in the warehouse any more" in done.output
    assert not taken(done)
    assert done.read("run.json")["continued"]["reason"] == "model.little.one is not in the warehouse any more"
