"""The verb `incident`, up to where the network begins."""

import dataclasses
import io
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import ClassVar

import pytest
from github import GithubException
from headless_dbt import file_issue as module
from headless_dbt.assessment import Issue, pipeline_key
from headless_dbt.console import Console
from headless_dbt.errors import GitHubError, RequestError
from headless_dbt.file_issue import file_issue
from headless_dbt.incident import Plan
from headless_dbt.incident_state import ALL, KnownCause, State, marker
from headless_dbt.run_folder import RunFolder
from headless_dbt.settings import Runner

from tests.unit.builders import (
    make_context,
    make_problem,
    make_record,
    make_request,
    make_run_folder,
    make_runner,
    manifest,
    manifest_node,
    result,
    run_results,
)

KEY = pipeline_key(make_request(make_context()))


class _Issues:
    """In place of GitHub."""

    there: ClassVar[list[Issue]] = []
    error: ClassVar[Exception | None] = None
    given: ClassVar[tuple[str, ...]] = ()
    plans: ClassVar[list[Plan]] = []

    def __init__(self, *given: str) -> None:
        type(self).given = given

    def open_ones(self) -> list[Issue]:
        if self.error is not None:
            raise self.error
        return self.there

    def closed_ones(self, since: datetime) -> list[Issue]:
        return []

    def assignable(self, logins: Iterable[str]) -> frozenset[str]:
        return frozenset(logins)

    def apply(self, plan: Plan) -> tuple[int, str, bool]:
        self.plans.append(plan)
        return 7, "https://github.com/acme/shop/issues/7", True


class _Runs:
    """In place of GitHub's workflow runs: there are none."""

    def __init__(self, *given: str) -> None:
        pass

    def runs_of(self, workflow_file: str, branch: str) -> list[int]:
        return []


def _issue(*nodes: str) -> Issue:
    causes = tuple(KnownCause(key=f"{number:016x}", nodes=(name,)) for number, name in enumerate(nodes))
    return Issue(7, marker(KEY, ALL, State(causes=causes)))


@pytest.fixture
def issues(monkeypatch: pytest.MonkeyPatch) -> type[_Issues]:
    for name, empty in (("there", []), ("error", None), ("given", ()), ("plans", [])):
        monkeypatch.setattr(_Issues, name, empty)
    monkeypatch.setattr(module, "Issues", _Issues)
    monkeypatch.setattr(module, "WorkflowRuns", _Runs)
    return _Issues


def _runner(tmp_path: Path, **environment: str) -> Runner:
    given = {"GITHUB_REPOSITORY": "acme/shop", "GITHUB_TOKEN": "t", **environment}
    return dataclasses.replace(make_runner(tmp_path, given), output_file=tmp_path / "output")


def _folder(tmp_path: Path, status: str) -> RunFolder:
    return make_run_folder(
        tmp_path / "run",
        manifest=manifest(manifest_node("model.shop.a")),
        results=run_results(result("model.shop.a", status)),
        record=make_record("model.shop.a"),
    )


def _file(runner: Runner, folder: Path | None = None) -> str:
    stream = io.BytesIO()
    assert file_issue({}, runner, str(folder or ""), Console(on_github=False, stream=stream)) == 0
    return stream.getvalue().decode()


@pytest.mark.parametrize(
    ("status", "there", "said"),
    [
        ("error", [], "Opened issue #7: https://github.com/acme/shop/issues/7\n"),
        ("error", [_issue("x")], "Updated issue #7: https://"),
        ("success", [_issue("model.shop.a")], "Closed issue #7: https://"),
        ("success", [], "No issue to open, update or close.\n"),
    ],
)
def test_what_is_done_is_said_and_set_as_outputs(
    tmp_path: Path, issues: type[_Issues], status: str, there: list[Issue], said: str
) -> None:
    issues.there = there

    out = _file(_runner(tmp_path), _folder(tmp_path, status).path)

    assert out.startswith(said)
    assert issues.given == ("t", "https://api.github.com", "acme/shop")
    outputs = (tmp_path / "output").read_text() if (tmp_path / "output").exists() else ""
    assert ("issue-number<<" in outputs) is ("issue-url<<" in outputs) is bool(issues.plans)


def test_issue_false_needs_neither_a_folder_nor_a_token(tmp_path: Path, issues: type[_Issues]) -> None:
    out = _file(_runner(tmp_path, HEADLESS_DBT_ISSUE="false", GITHUB_TOKEN="", GITHUB_REPOSITORY=""))

    assert out == "No issue: `issue` is false.\n"
    assert issues.given == ()


def test_a_check_neither_opens_nor_closes(tmp_path: Path, issues: type[_Issues]) -> None:
    issues.there = [_issue("model.shop.a")]
    request = make_request(make_context(), check="true")
    folder = make_run_folder(tmp_path / "check", request=request, record=make_record(problem=make_problem()))

    assert _file(_runner(tmp_path), folder.path) == "No issue: this was a check, and nothing was built.\n"
    assert not issues.plans


@pytest.mark.parametrize("missing", ["GITHUB_REPOSITORY", "GITHUB_TOKEN"])
def test_a_missing_repository_or_token_is_named(tmp_path: Path, issues: type[_Issues], missing: str) -> None:
    with pytest.raises(RequestError, match=rf"^{missing}: got nothing; allowed: owner/name of the repository"):
        _file(_runner(tmp_path, **{missing: ""}), _folder(tmp_path, "error").path)


def test_an_error_of_github_is_explained(tmp_path: Path, issues: type[_Issues]) -> None:
    issues.error = GithubException(403, {"message": "Resource not accessible by integration"}, {})

    with pytest.raises(GitHubError, match="Add `issues: write` to the `permissions:`"):
        _file(_runner(tmp_path), _folder(tmp_path, "error").path)
