"""The verb `incident` through real HTTP: a failure issue's life, and GitHub's bad days."""

import io
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from headless_dbt import github
from headless_dbt.assemble import assemble_run
from headless_dbt.console import Console
from headless_dbt.errors import GitHubError, HeadlessDbtError
from headless_dbt.file_issue import file_issue
from headless_dbt.final_artifacts import finish_killed_run
from headless_dbt.run_folder import RunFolder

from tests.github_double import GitHubDouble
from tests.unit import builders

A, B = "model.shop.a", "model.shop.b"
GREEN, RED = "9" * 40, "8" * 40
MANIFEST = builders.manifest(
    builders.manifest_node(A, original_file_path="models/a.sql", package_name="shop"),
    builders.manifest_node(B, A, original_file_path="models/b.sql", package_name="shop"),
)


@dataclass
class Team:
    """A repository on the double, and runs of its pipeline."""

    github: GitHubDouble
    folder: Path
    inputs: dict[str, str] = field(default_factory=dict)
    runs: int = 100

    def run(
        self, a: str = "success", b: str = "success", *, sha: str = RED, message: str = "Binder Error: no column"
    ) -> RunFolder:
        """A finished run with these statuses."""
        self.runs += 1
        results = [builders.result(name, status, message) for name, status in ((A, a), (B, b))]
        context = builders.make_context(repository="acme/warehouse", run_id=str(self.runs), sha=sha)
        folder = builders.make_run_folder(
            self.folder / f"run-{self.runs}",
            manifest=MANIFEST,
            results=builders.run_results(*results),
            request=builders.make_request(context, artifact_name="dbt-artifacts"),
            record=builders.make_record(A, B, started_at=f"2026-02-01T06:{self.runs - 100:02}:00Z"),
        )
        finish_killed_run(folder)
        return folder

    def tell(self, folder: RunFolder, **environment: str) -> str:
        """What the verb says."""
        given = {
            "GITHUB_REPOSITORY": "acme/warehouse",
            "GITHUB_TOKEN": self.github.token,
            "GITHUB_API_URL": self.github.url,
            "GITHUB_WORKSPACE": str(self.folder),
            **environment,
        }
        runner = replace(builders.make_runner(self.folder, given), workspace=self.folder)
        stream = io.BytesIO()
        file_issue(self.inputs, runner, str(folder.path), Console(on_github=False, stream=stream))
        return stream.getvalue().decode()

    @property
    def comments(self) -> list[str]:
        return [comment.body for issue in self.github.issues for comment in issue.comments]


@pytest.fixture
def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Team]:
    monkeypatch.setattr(github, "SECONDS_BETWEEN_WRITES", 0)
    with GitHubDouble() as double:
        yield Team(double, tmp_path)


def test_the_whole_life(team: Team) -> None:
    assert "No issue" in team.tell(team.run())
    assert "Opened issue #1" in team.tell(team.run("error", "skipped"))
    (issue,) = team.github.open_issues
    assert issue.title == "dbt failed on prod: a, blocks 1 node"
    assert "Updated" in team.tell(team.run("error", "skipped"))
    assert team.comments == []
    assert "Updated" in team.tell(team.run("error", "error", message="Another Error: of both"))
    assert len(team.comments) == 1
    assert "Closed issue #1" in team.tell(team.run(sha=GREEN))
    assert not team.github.open_issues
    assert (issue.state, issue.state_reason) == ("closed", "completed")
    assert f"/compare/{RED}...{GREEN}" in team.comments[-1]
    assert "Reopened issue #1" in team.tell(team.run("error"))
    assert (issue.state, len(team.github.issues)) == ("open", 1)
    team.tell(team.run())
    assert issue.closed_at is not None
    issue.closed_at -= timedelta(days=30)
    assert "Opened issue #2" in team.tell(team.run("error"))
    assert "It failed before: #1." in str(team.github.issues[1].body)


def test_the_same_run_told_twice_says_nothing_twice(team: Team) -> None:
    first, second = team.run("error"), team.run("error", "error", message="Parser Error: comma")
    for folder in (first, first, second, second):
        team.tell(folder)
    assert len(team.github.issues) == 1
    assert len(team.comments) == 1


def test_it_is_found_on_any_page_without_title_label_or_assignee(team: Team) -> None:
    team.tell(team.run("error"))
    (issue,) = team.github.open_issues
    issue.title, issue.labels, issue.assignees = "Ours now", [], []
    team.github.add_noise(250)
    team.tell(team.run("error"))
    assert issue.title == "Ours now"
    assert sum("headless-dbt:v2" in str(each.body) for each in team.github.issues) == 1


def test_suspects_come_from_the_commits_since_the_last_green_run(team: Team) -> None:
    double = team.github
    green = double.add_commit("A green one", files=["models/a.sql"])
    double.add_commit("Rename a column", files=["models/a.sql"], author="grace")
    double.add_commit("Write the docs", files=["README.md"])
    red = double.add_commit("Change the other", files=["models/b.sql"])
    passed = team.run(sha=green.sha)
    files = {file.name: file.read_bytes() for file in passed.path.iterdir() if file.is_file()}
    files["run.json"] = _run_json(passed)
    ours = ".github/workflows/dbt.yml"
    double.add_run(90, path=ours, conclusion="failure").add_artifact("dbt-artifacts-000000-000000", files)
    double.add_run(91, path=ours, conclusion="cancelled")
    team.tell(team.run("error", "skipped", sha=red.sha))
    body = str(double.open_issues[0].body)
    assert "`Rename a column` by `grace`" in body
    assert "Write the docs" not in body
    assert "Change the other" not in body, "b is not what a is made of"
    before = len(double.requests_to("GET", "/compare/*"))
    team.tell(team.run("error", "skipped", sha=red.sha))
    assert "Rename a column" in str(double.open_issues[0].body), "it stays"
    assert len(double.requests_to("GET", "/compare/*")) == before, "and nobody is asked again"


def _run_json(folder: RunFolder) -> bytes:
    folder.write_run(assemble_run(folder))
    return (folder.path / "run.json").read_bytes()


def test_nobody_says_that_nothing_was_touched_who_could_not_look(team: Team) -> None:
    double = team.github
    green = double.add_commit("A green one", files=["models/a.sql"])
    red = double.add_commit("Rename a column", files=["models/a.sql"])
    passed = team.run(sha=green.sha)
    files = {"run.json": _run_json(passed)}
    double.add_run(90, path=".github/workflows/dbt.yml").add_artifact("dbt-artifacts-000000-000000", files)
    double.allow_contents("none")
    team.tell(team.run("error", "skipped", sha=red.sha))
    body = str(double.open_issues[0].body)
    assert "Suspect commits" not in body
    assert "**Last passed** at" in body


def test_a_token_of_one_letter_tears_no_text_apart(team: Team) -> None:
    team.github.token = "x"
    team.tell(team.run("error"))
    team.tell(team.run("error"))
    (issue,) = team.github.issues
    assert "*****" not in str(issue.body)


def test_a_secret_in_the_subject_of_a_commit_is_taken_out(team: Team) -> None:
    double = team.github
    key = "ghp_" + "a1B2" * 9
    green = double.add_commit("A green one", files=["models/a.sql"])
    red = double.add_commit(f"Use {key} and {double.token}", files=["models/a.sql"])
    files = {"run.json": _run_json(team.run(sha=green.sha))}
    double.add_run(90, path=".github/workflows/dbt.yml").add_artifact("dbt-artifacts-000000-000000", files)
    team.tell(team.run("error", "skipped", sha=red.sha))
    body = str(double.open_issues[0].body)
    assert "`Use ***** and *****`" in body
    assert key not in body
    assert double.token not in body


@pytest.mark.parametrize("path", ["/assignees/*", "/labels", "/issues/*/assignees"])
def test_what_is_a_courtesy_keeps_nothing_from_being_told(team: Team, quick: list[float], path: str) -> None:
    (team.folder / "CODEOWNERS").write_text("models/b.sql @ada\n")
    team.github.repository.assignable = {"ada"}
    if path == "/issues/*/assignees":
        team.tell(team.run("error"))
    team.github.cut("*", path, times=6)
    assert "issue #1" in team.tell(team.run("success", "error", message="Beta Error: two"))


@pytest.mark.parametrize("forbid", ["allow_actions", "allow_contents"])
def test_without_the_permission_to_look_for_suspects_the_issue_is_told_all_the_same(team: Team, forbid: str) -> None:
    getattr(team.github, forbid)("none")
    assert "Opened" in team.tell(team.run("error"))


def test_owners_are_mentioned_and_assigned_and_a_stranger_fails_nothing(team: Team) -> None:
    (team.folder / "CODEOWNERS").write_text("* @nobody\nmodels/ @ada @acme/data\n")
    team.github.repository.assignable = {"ada"}
    team.tell(team.run("error"))
    (issue,) = team.github.open_issues
    assert issue.assignees == ["ada"]
    assert "**Owners** @ada, @acme/data" in str(issue.body)


def test_a_new_cause_brings_its_owners_along(team: Team) -> None:
    (team.folder / "CODEOWNERS").write_text("models/a.sql @ada\nmodels/b.sql @grace\n")
    team.github.repository.assignable = {"ada", "grace"}
    team.tell(team.run("error"))
    team.tell(team.run("success", "error", message="Parser Error: comma"))
    (issue,) = team.github.open_issues
    assert issue.assignees == ["ada", "grace"]


BadDay = Callable[[GitHubDouble], object]
ISSUES, COMMENTS = "/issues", "/issues/*/comments"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Waiting that takes no time, and how long it would have been; the double's limits end meanwhile."""
    waits: list[float] = []
    whole = github.Patience

    def patience() -> github.Patience:
        return whole(sleep=waits.append)

    monkeypatch.setattr("headless_dbt.github_issues.Patience", patience)
    return waits


@pytest.mark.parametrize(
    "bad",
    [
        lambda double: double.fail("POST", ISSUES, 502),
        lambda double: double.fail("GET", ISSUES, 503, times=3),
        lambda double: double.cut("POST", ISSUES),
        # The issue is there, and its answer is lost.
        lambda double: double.cut("POST", ISSUES, after_effect=True),
        lambda double: double.fail("POST", ISSUES, 500, after_effect=True),
        lambda double: double.cut("GET", ISSUES),
    ],
    ids=["502", "503 three times", "cut before", "cut after", "500 after", "cut list"],
)
def test_a_bad_day_ends_with_one_issue(team: Team, quick: list[float], bad: BadDay) -> None:
    bad(team.github)
    assert "Opened" in team.tell(team.run("error"))
    assert len(team.github.issues) == 1
    assert quick


@pytest.mark.parametrize("after_effect", [True, False])
def test_a_comment_whose_answer_is_lost_is_written_once(team: Team, quick: list[float], after_effect: bool) -> None:
    team.tell(team.run("error"))
    team.github.cut("POST", COMMENTS, after_effect=after_effect)
    team.tell(team.run("error", "error", message="Another Error: of both"))
    assert len(team.comments) == 1
    team.github.cut("POST", COMMENTS, after_effect=after_effect)
    team.tell(team.run())
    assert len(team.comments) == 2
    assert not team.github.open_issues


def test_a_limit_is_waited_for_as_long_as_github_says(team: Team) -> None:
    team.github.exhaust_rate_limit(2, "POST", ISSUES)
    assert "Opened" in team.tell(team.run("error"))
    team.github.exceed_secondary_limit(1, "PATCH", "/issues/*")
    assert "Updated" in team.tell(team.run("error"))
    assert len(team.github.issues) == 1


def test_a_limit_beyond_the_patience_is_a_sentence(team: Team) -> None:
    limit = team.github.exhaust_rate_limit(3600, "GET", ISSUES)
    with pytest.raises(GitHubError, match="GitHub's rate limit kept the issue of acme/warehouse"):
        team.tell(team.run("error"))
    limit.end()


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        (lambda double: double.allow_issues("none"), "Add `issues: write` to the `permissions:`"),
        (lambda double: double.allow_issues("read"), "Add `issues: write` to the `permissions:`"),
        (lambda double: double.disable_issues(), "Issues are disabled in acme/warehouse"),
        (lambda double: double.archive(), "acme/warehouse is archived"),
        (lambda double: double.remove(), "no repository acme/warehouse"),
    ],
    ids=["none", "read", "disabled", "archived", "gone"],
)
def test_what_cannot_be_mended_here_is_one_sentence(team: Team, quick: list[float], bad: BadDay, sentence: str) -> None:
    bad(team.github)
    with pytest.raises(HeadlessDbtError, match=re.escape(sentence)):
        team.tell(team.run("error"))
    assert not team.github.issues


def test_a_fork_without_a_token_is_one_sentence(team: Team) -> None:
    with pytest.raises(HeadlessDbtError, match="GITHUB_TOKEN: got nothing"):
        team.tell(team.run("error"), GITHUB_TOKEN="")


def test_a_repository_that_was_renamed_is_found(team: Team) -> None:
    team.tell(team.run("error"))
    team.github.rename("acme/lakehouse")
    assert "Updated issue #1" in team.tell(team.run("error"))
    assert "Closed issue #1" in team.tell(team.run())
    assert "Reopened issue #1" in team.tell(team.run("error"))


def test_a_token_that_sees_the_issues_alone_is_enough(team: Team, quick: list[float]) -> None:
    team.github.fail("GET", "", 404, body={"message": "Not Found"})
    assert "Opened" in team.tell(team.run("error"))


def test_two_runs_at_once_leave_one_issue(team: Team) -> None:
    folders = [team.run("error"), team.run("error")]
    team.github.barrier("POST", ISSUES)
    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(team.tell, folders))
    assert len(team.github.open_issues) == 1
    assert len(team.github.issues) == 2
    kept = team.github.open_issues[0].number
    assert all(f"issue #{kept}" in each for each in said)
    # And the other one is never opened again.
    team.tell(team.run())
    team.tell(team.run("error"))
    assert [issue.number for issue in team.github.open_issues] == [kept]


def test_two_runs_at_once_with_two_causes_lose_neither(team: Team) -> None:
    folders = [team.run("error", "skipped", message="Alpha Error: one")]
    folders.append(team.run("skipped", "error", message="Beta Error: two"))
    team.github.barrier("POST", ISSUES)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(team.tell, folders))
    (issue,) = team.github.open_issues
    assert "Alpha Error" in str(issue.body)
    assert "Beta Error" in str(issue.body)


def test_a_label_that_cannot_be_made_is_no_reason_not_to_tell(team: Team, quick: list[float]) -> None:
    team.github.fail("POST", "/labels", 403, body={"message": "Resource not accessible by integration"})
    assert "Opened" in team.tell(team.run("error"))


def test_an_issue_of_a_stranger_with_our_marker_is_not_ours_where_there_is_one(team: Team) -> None:
    team.tell(team.run("error"))
    body = str(team.github.issues[0].body)
    team.github.issues.clear()
    stranger = team.github.add_issue("Mine", body, author="mallory")
    ours = team.github.add_issue("dbt failed on prod: a", body)
    team.tell(team.run())
    assert (stranger.state, ours.state) == ("open", "closed")


def test_warnings_and_owners_have_their_inputs(team: Team) -> None:
    assert "No issue" in team.tell(team.run("warn"))
    team.inputs = {"issue_on": "warn", "issue_key": "warnings"}
    assert "Opened" in team.tell(team.run("warn"))
    (team.folder / "CODEOWNERS").write_text("models/a.sql @ada\nmodels/b.sql @grace\n")
    team.inputs = {"issue_per": "owner", "issue_key": "owners"}
    said = team.tell(team.run("error", "error", message="Got 3 results"))
    assert said.count("Opened") >= 1


def test_the_verdict_of_a_run_with_hostile_text_is_told(team: Team) -> None:
    for text in builders.HOSTILE:
        team.tell(team.run("error", message=f"{text} {text} --> <!-- headless-dbt:end --> @everyone #1"))
    assert len(team.github.issues) == 1
