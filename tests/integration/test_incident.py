"""`headless-dbt incident` through real HTTP against the double of GitHub."""

from tests.github_double import GitHubDouble
from tests.integration.conftest import Finished, Project


def tell(project: Project, done: Finished, github: GitHubDouble, *arguments: str, **variables: str) -> Finished:
    given = {
        "GITHUB_REPOSITORY": "acme/warehouse",
        "GITHUB_TOKEN": github.token,
        "GITHUB_API_URL": github.url,
        **variables,
    }
    return project.verb("incident", *arguments, folder=done.folder, **given)


def test_an_issue_is_opened_updated_and_closed(project: Project) -> None:
    broken = {"models/two.sql": "select nope from {{ ref('one') }}"}
    healthy = {"models/two.sql": "select id from {{ ref('one') }}"}
    with GitHubDouble() as github:
        github.repository.assignable = {"octocat"}
        project.write(broken)
        told = tell(project, project.run(), github, "--issue-assignees", "octocat, somebody-else")
        assert told.exit_code == 0, told.output
        (issue,) = github.open_issues
        assert "two" in issue.title
        assert 'Referenced column "nope" not found' in (issue.body or "")
        assert issue.labels == ["dbt-failure"]
        assert issue.assignees == ["octocat"]
        assert [label.name for label in github.labels] == ["dbt-failure"]
        assert len(github.requests_to("POST", "/labels")) == 1

        # A hundred newer issues, a new title and no label: it is still found, on another page.
        github.add_noise(130)
        issue.title, issue.labels = "We look into it", []
        assert tell(project, project.run(), github).exit_code == 0
        assert [each.number for each in github.open_issues if "headless-dbt:v2" in (each.body or "")] == [issue.number]
        # A title that a person wrote stays.
        assert issue.title == "We look into it"

        # A green run of something else does not close it.
        assert tell(project, project.run("--select", "one"), github).exit_code == 0
        assert issue in github.open_issues

        project.write(healthy)
        done = tell(project, project.run(), github)
        assert f"Closed issue #{issue.number}" in done.output
        assert issue not in github.open_issues
        assert "All that this issue was about has passed" in issue.comments[-1].body


def test_a_green_run_without_an_issue_says_nothing(project: Project) -> None:
    with GitHubDouble() as github:
        done = tell(project, project.run(), github)
        assert done.exit_code == 0
        assert "No issue to open" in done.output
        assert not github.issues


def test_a_missing_permission_is_one_sentence_that_names_it(project: Project) -> None:
    project.write({"models/two.sql": "select nope"})
    with GitHubDouble() as github:
        github.allow_issues("read")
        done = tell(project, project.run(), github)
        assert done.exit_code == 5
        assert "Add `issues: write` to the `permissions:` of the calling job" in done.output


def test_issue_false_talks_to_nobody(project: Project) -> None:
    with GitHubDouble() as github:
        assert tell(project, project.run(), github, "--issue", "false").exit_code == 0
        assert not github.requests


def test_a_missing_token_is_one_sentence(project: Project) -> None:
    with GitHubDouble() as github:
        done = tell(project, project.run(), github, GITHUB_TOKEN="")
        assert done.exit_code == 2
        assert "GITHUB_TOKEN: got nothing" in done.output
