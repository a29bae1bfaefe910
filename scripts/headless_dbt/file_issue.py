"""The verb ``incident``: what a run means for the failure issue, told to GitHub."""

import re
from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime

from headless_dbt.artifacts import read_manifest
from headless_dbt.assemble import assemble_run
from headless_dbt.assessment import REOPENED_WITHIN, Assessment, Policy, assess, causes_of
from headless_dbt.console import Console
from headless_dbt.errors import RequestError, RunFolderError
from headless_dbt.final_artifacts import finish_killed_run
from headless_dbt.github import NETWORK_ERRORS, explain
from headless_dbt.github_issues import Issues
from headless_dbt.github_runs import WorkflowRuns
from headless_dbt.incident import Findings, Plan, make_plan
from headless_dbt.investigate import last_green, owners_by_node, suspects
from headless_dbt.model import Run
from headless_dbt.redaction import redact
from headless_dbt.run_folder import RunFolder, find_run_folder
from headless_dbt.settings import Flags, IncidentSettings, Runner, read_incident_settings
from headless_dbt.workflow_commands import append_outputs

# GitHub's own tokens have 40 characters and more.
SHORTEST_TOKEN = 20
# How often a run is told again, because another run wrote at the same moment.
MOST_ROUNDS = 3


def file_issue(flags: Flags, runner: Runner, given_folder: str, console: Console) -> int:
    """Open, update or close the failure issue, and set the outputs. Raises HeadlessDbtError."""
    settings = read_incident_settings(flags, runner)
    if not settings.issue:
        console.say("No issue: `issue` is false.")
        return 0
    _check(settings)
    folder = find_run_folder(given_folder, runner.workspace, settings.project_dir)
    finish_killed_run(folder)
    run = assemble_run(folder, runner.workspace)
    if run.request.is_check:
        console.say("No issue: this was a check, and nothing was built.")
        return 0
    try:
        told = _tell(run, _existing(folder), settings, runner)
    except NETWORK_ERRORS as error:
        raise explain(error, settings.repository) from None
    if not told:
        console.say("No issue to open, update or close.")
    for plan, number, url in told:
        console.say(f"{_done(plan)} issue #{number}: {url}")
    if told and runner.output_file is not None:
        _, number, url = told[0]
        append_outputs(runner.output_file, {"issue-number": str(number), "issue-url": url})
    return 0


def _tell(
    run: Run, existing: Collection[str] | None, settings: IncidentSettings, runner: Runner
) -> list[tuple[Plan, int, str]]:
    """Find out, plan, and carry out; return each plan with the number and the address of its issue."""
    now = datetime.now(UTC)
    policy = Policy(
        labels=settings.issue_labels,
        assignees=settings.issue_assignees,
        key=settings.issue_key,
        warnings_too=settings.issue_on == "warn",
        per_owner=settings.issue_per == "owner",
    )
    owners = owners_by_node(run, causes_of(run, policy), runner.workspace)
    issues = Issues(settings.token, settings.api_url, settings.repository)
    told: dict[int, tuple[Plan, int, str]] = {}
    errors: list[Exception] = []
    for _ in range(MOST_ROUNDS):
        there = issues.open_ones()
        found = assess(run, there, policy, owners, existing, now)
        if any(one.issue is None and one.failing for one in found):
            found = assess(run, [*there, *issues.closed_ones(now - REOPENED_WITHIN)], policy, owners, existing, now)
        findings = _investigate(run, found, owners, settings, runner, issues)
        plans = [make_plan(one, run, policy, findings, settings.artifact_url, now) for one in found]
        again = False
        for plan in filter(None, plans):
            try:
                number, url, alone = issues.apply(_clean(plan, settings.token))
                told[number] = (plan, number, url)
                again = again or not alone
            except NETWORK_ERRORS as error:  # One owner's issue shall not keep the others from being told.
                errors.append(error)
        if not again:
            break
    if errors:
        raise errors[0]
    return list(told.values())


def _investigate(  # noqa: PLR0913, PLR0917
    run: Run,
    found: list[Assessment],
    owners: dict[str, tuple[str, ...]],
    settings: IncidentSettings,
    runner: Runner,
    issues: Issues,
) -> Findings:
    """What is known beside the run of what is new in it; nobody asks again about what goes on."""
    new = [cause for one in found for cause in one.failing if cause.key in one.new]
    if not new:
        return Findings(owners=owners)
    runs = WorkflowRuns(settings.token, settings.api_url, settings.repository)
    green = last_green(run, new, runs)
    commits, searched = suspects(run, new, green, runs, runner.workspace)
    logins = (owner.removeprefix("@") for cause in new for name in cause.nodes for owner in owners.get(name, ()))
    people = [login for login in (*settings.issue_assignees, *logins) if re.fullmatch(r"[\w-]{1,80}", login, re.ASCII)]
    return Findings(
        owners=owners,
        assignable=issues.assignable(dict.fromkeys(people)),
        green=green,
        suspects=commits,
        searched=searched,
    )


def _clean(plan: Plan, token: str) -> Plan:
    """A plan without the token, and without what has the shape of a secret: subjects of commits are not of the run."""
    # A shorter one is a tester's, and would tear ordinary text apart.
    secrets = {token} if len(token) >= SHORTEST_TOKEN else set()

    def clean(text: str) -> str:
        return redact(text.encode("utf-8", "replace"), secrets).decode()

    return replace(
        plan,
        body=clean(plan.body),
        title=None if plan.title is None else clean(plan.title),
        comment=None if plan.comment is None else clean(plan.comment),
    )


def _existing(folder: RunFolder) -> Collection[str] | None:
    """All that the project has, by unique_id; None where it is not known."""
    try:
        manifest = read_manifest(folder.artifact("manifest.json"))
    except RunFolderError:
        return None
    return manifest.every().keys() if manifest else None


def _check(settings: IncidentSettings) -> None:
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


def _done(plan: Plan) -> str:
    if plan.number is None:
        return "Opened"
    if not plan.is_open:
        return "Closed"
    return "Updated" if plan.was_open else "Reopened"
