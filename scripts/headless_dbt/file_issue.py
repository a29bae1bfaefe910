"""The verb ``incident``: what a run means for the failure issue, told to GitHub."""

from headless_dbt.assemble import assemble_run
from headless_dbt.console import Console
from headless_dbt.errors import RequestError
from headless_dbt.github import NETWORK_ERRORS, Issues, explain
from headless_dbt.incident import CloseIssue, CreateIssue, plan_incident
from headless_dbt.report import find_run_folder, finish_killed_run
from headless_dbt.settings import Flags, Runner, read_incident_settings
from headless_dbt.workflow_commands import append_outputs


def file_issue(flags: Flags, runner: Runner, given_folder: str, console: Console) -> int:
    """Open, update or close the failure issue, and set the outputs. Raises HeadlessDbtError."""
    settings = read_incident_settings(flags, runner)
    if not settings.issue:
        console.say("No issue: `issue` is false.")
        return 0
    for variable, value in (("GITHUB_REPOSITORY", settings.repository), ("GITHUB_TOKEN", settings.token)):
        if not value:
            raise RequestError(
                variable,
                given="nothing",
                allowed="owner/name of the repository, and a token that may write its issues",
                advice="Set both in the environment, or set `issue: false`.",
            )
    if not settings.api_url.startswith(("https://", "http://")):
        raise RequestError(
            "GITHUB_API_URL",
            given=repr(settings.api_url),
            allowed="the address of GitHub's REST API",
            advice="Leave it unset for github.com.",
        )
    folder = find_run_folder(given_folder, runner, settings.project_dir)
    finish_killed_run(folder)
    run = assemble_run(folder)
    try:
        issues = Issues(settings.token, settings.api_url, settings.repository)
        plan = plan_incident(
            run, issues.open_issues(), settings.issue_labels, settings.issue_assignees, settings.artifact_url
        )
        touched = issues.apply(plan)
    except NETWORK_ERRORS as error:
        raise explain(error, settings.repository) from None
    if plan is None or touched is None:
        console.say("No issue to open, update or close.")
        return 0
    number, url = touched
    done = "Opened" if isinstance(plan, CreateIssue) else "Closed" if isinstance(plan, CloseIssue) else "Updated"
    console.say(f"{done} issue #{number}: {url}")
    if runner.output_file is not None:
        append_outputs(runner.output_file, {"issue-number": str(number), "issue-url": url})
    return 0
