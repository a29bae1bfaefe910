"""The verb `incident`, up to where the network begins."""

import dataclasses
import io
from pathlib import Path
from typing import Any, ClassVar

import pytest
from github import GithubException
from headless_dbt import file_issue as module
from headless_dbt.console import Console
from headless_dbt.errors import GitHubError, RequestError
from headless_dbt.file_issue import file_issue
from headless_dbt.incident import CloseIssue, CreateIssue, Issue, Plan, UpdateIssue, marker, pipeline_key
from headless_dbt.run_folder import RunFolder
from headless_dbt.settings import Runner

from tests.unit.builders import (
    make_context,
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

    def open_issues(self) -> list[Issue]:
        if self.error is not None:
            raise self.error
        return self.there

    def apply(self, plan: Plan) -> tuple[int, str] | None:
        self.plans.append(plan)
        return None if plan is None else (7, "https://github.com/acme/shop/issues/7")


@pytest.fixture
def issues(monkeypatch: pytest.MonkeyPatch) -> type[_Issues]:
    for name, empty in (("there", []), ("error", None), ("given", ()), ("plans", [])):
        monkeypatch.setattr(_Issues, name, empty)
    monkeypatch.setattr(module, "Issues", _Issues)
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
    ("status", "there", "kind", "said"),
    [
        ("error", [], CreateIssue, "Opened issue #7: https://github.com/acme/shop/issues/7\n"),
        ("error", [Issue(7, marker(KEY, ["x"]))], UpdateIssue, "Updated issue #7: https://"),
        ("success", [Issue(7, marker(KEY, ["model.shop.a"]))], CloseIssue, "Closed issue #7: https://"),
        ("success", [], type(None), "No issue to open, update or close.\n"),
    ],
)
def test_what_is_done_is_said_and_set_as_outputs(  # noqa: PLR0913, PLR0917
    tmp_path: Path, issues: type[_Issues], status: str, there: list[Issue], kind: type[Any], said: str
) -> None:
    issues.there = there

    out = _file(_runner(tmp_path), _folder(tmp_path, status).path)

    assert out.startswith(said)
    assert isinstance(issues.plans[0], kind)
    assert issues.given == ("t", "https://api.github.com", "acme/shop")
    outputs = (tmp_path / "output").read_text() if (tmp_path / "output").exists() else ""
    assert ("issue-number<<" in outputs) is ("issue-url<<" in outputs) is (kind is not type(None))


def test_issue_false_needs_neither_a_folder_nor_a_token(tmp_path: Path, issues: type[_Issues]) -> None:
    out = _file(_runner(tmp_path, HEADLESS_DBT_ISSUE="false", GITHUB_TOKEN="", GITHUB_REPOSITORY=""))

    assert out == "No issue: `issue` is false.\n"
    assert issues.given == ()


@pytest.mark.parametrize("missing", ["GITHUB_REPOSITORY", "GITHUB_TOKEN"])
def test_a_missing_repository_or_token_is_named(tmp_path: Path, issues: type[_Issues], missing: str) -> None:
    with pytest.raises(RequestError, match=rf"^{missing}: got nothing; allowed: owner/name of the repository"):
        _file(_runner(tmp_path, **{missing: ""}), _folder(tmp_path, "error").path)


def test_an_error_of_github_is_explained(tmp_path: Path, issues: type[_Issues]) -> None:
    issues.error = GithubException(403, {"message": "Resource not accessible by integration"}, {})

    with pytest.raises(GitHubError, match="Add `issues: write` to the `permissions:`"):
        _file(_runner(tmp_path), _folder(tmp_path, "error").path)
