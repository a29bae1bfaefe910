"""What a verb was asked for, out of flags and the environment."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from headless_dbt.errors import RequestError
from headless_dbt.inputs import INPUTS
from headless_dbt.settings import (
    inputs_of,
    read_incident_settings,
    read_report_settings,
    read_request,
    read_run_settings,
    read_runner,
)

from tests.unit.builders import HOSTILE, make_project, make_runner

SECRETS = {
    "HEADLESS_DBT_DBT_ENV": "PASSWORD=hunter2\nOTHER=correct-horse",
    "HEADLESS_DBT_GCP_CREDENTIALS": '{"type": "service_account", "private_key": "swordfish"}',
    "HEADLESS_DBT_GITHUB_TOKEN": "ghs_sesame",
}
SECRET_WORDS = ("hunter2", "correct-horse", "swordfish", "ghs_sesame")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    make_project(tmp_path)
    return tmp_path


def test_without_any_input_the_defaults_count(workspace: Path) -> None:
    settings = read_run_settings({}, make_runner(workspace))

    assert settings.project_dir == workspace
    assert settings.profiles_dir == workspace
    assert (settings.target, settings.adapter) == ("prod", "bigquery")
    assert (settings.select, settings.exclude, settings.selector, settings.vars) == ("", "", "", "")
    assert (settings.full_refresh, settings.fail_fast, settings.source_freshness, settings.docs) == (False,) * 4
    assert (settings.threads, settings.requirements, settings.dbt_args) == (None, None, ())
    assert (settings.env, settings.dbt_env, settings.gcp_credentials) == ((), (), "")


def test_flags_win_over_the_environment(workspace: Path) -> None:
    runner = make_runner(workspace, HEADLESS_DBT_TARGET="variable", HEADLESS_DBT_THREADS="3", HEADLESS_DBT_DOCS="true")

    settings = read_run_settings({"target": "flag", "threads": None, "docs": "false"}, runner)

    assert (settings.target, settings.threads, settings.docs) == ("flag", 3, False)


def test_paths_are_taken_from_the_workspace_and_made_absolute(workspace: Path) -> None:
    make_project(workspace / "dbt")
    make_project(workspace / "profiles")
    (workspace / "own.txt").write_text("dbt-core==1.11.16\n")

    settings = read_run_settings(
        {"project_dir": "./profiles/../dbt", "profiles_dir": "profiles", "requirements": "own.txt"},
        make_runner(workspace),
    )

    assert settings.project_dir == workspace / "dbt"
    assert settings.profiles_dir == workspace / "profiles"
    assert settings.requirements == workspace / "own.txt"


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        ({"project_dir": "nowhere"}, "project-dir: got 'nowhere', but there is no such folder; allowed: a folder that"),
        ({"project_dir": "empty"}, "project-dir: got 'empty', but there is no dbt_project.yml in it; allowed:"),
        ({"profiles_dir": "empty"}, "profiles-dir: got 'empty', but there is no profiles.yml in it; allowed:"),
        ({"requirements": "gone.txt"}, "requirements: got 'gone.txt', but there is no such file; allowed:"),
        ({"requirements": "empty"}, "requirements: got 'empty', but there is no such file; allowed:"),
        (
            {"selector": "nightly", "select": "a"},
            "selector: got 'nightly' together with select or exclude; allowed: selector alone",
        ),
        ({"selector": "nightly", "exclude": "a"}, "selector: got 'nightly' together with select or exclude;"),
        (
            {"dbt_version": "2.0.1", "adapter_version": "1.12.1"},
            "adapter-version: got '1.12.1' together with `dbt-version` 2.0.1; allowed: nothing with dbt 2",
        ),
        (
            {"dbt_version": "2.0.1", "cost_limit": "5"},
            "cost-limit: got 5 together with `dbt-version` 2.0.1; allowed: 0 with dbt 2",
        ),
        # Of another verb, but better known before the build than after it.
        ({"issue": "maybe"}, "issue: got 'maybe'; allowed: true, false."),
        ({"artifact_name": "a/b"}, "artifact-name: got 'a/b'; allowed:"),
        ({"artifact_retention_days": "0"}, "artifact-retention-days: got '0'; allowed:"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_runs(
    workspace: Path, flags: dict[str, str], sentence: str
) -> None:
    (workspace / "empty").mkdir()

    with pytest.raises(RequestError) as caught:
        read_run_settings(flags, make_runner(workspace))

    assert str(caught.value).startswith(sentence)


def test_secrets_never_print(workspace: Path) -> None:
    runner = make_runner(workspace, SECRETS)

    shown = repr(runner) + repr(read_run_settings({}, runner)) + repr(read_incident_settings({}, runner))

    assert not [word for word in SECRET_WORDS if word in shown]


def test_secrets_are_read_all_the_same(workspace: Path) -> None:
    runner = make_runner(workspace, SECRETS)
    settings = read_run_settings({}, runner)

    assert settings.dbt_env == (("PASSWORD", "hunter2"), ("OTHER", "correct-horse"))
    assert "swordfish" in settings.gcp_credentials
    assert read_incident_settings({}, runner).token == "ghs_sesame"


def test_the_request_holds_every_input_of_run_but_the_secret_ones() -> None:
    request = read_request({"target": "dev"}, {**SECRETS, "HEADLESS_DBT_SELECT": "tag:nightly"})
    written = msgspec.json.encode(request).decode()

    assert set(request.inputs) == {
        declared.name for declared in INPUTS if "run" in declared.verbs and not declared.secret
    }
    assert (request.inputs["target"], request.inputs["select"]) == ("dev", "tag:nightly")
    assert not [word for word in SECRET_WORDS if word in written]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_is_kept_as_it_is_in_the_request(hostile: str) -> None:
    request = read_request({"select": hostile}, {})

    assert msgspec.json.decode(msgspec.json.encode(request))["inputs"]["select"] == hostile


def test_the_request_knows_where_it_runs() -> None:
    context = read_request(
        {},
        {
            "GITHUB_REPOSITORY": "acme/shop",
            "GITHUB_WORKFLOW_REF": "acme/shop/.github/workflows/dbt.yml@refs/heads/main",
            "GITHUB_WORKFLOW": "Nightly",
            "GITHUB_RUN_ID": "42",
            "GITHUB_RUN_ATTEMPT": "2",
            "GITHUB_EVENT_NAME": "schedule",
            "GITHUB_SHA": "abc",
            "GITHUB_REF_NAME": "main",
            "GITHUB_SERVER_URL": "https://ghe.acme.example",
        },
    ).context

    assert context.workflow_file == ".github/workflows/dbt.yml"
    assert context.run_url == "https://ghe.acme.example/acme/shop/actions/runs/42"
    assert (context.run_attempt, context.event, context.sha, context.ref) == ("2", "schedule", "abc", "main")


@pytest.mark.parametrize(("environment", "file"), [({}, ""), ({"GITHUB_WORKFLOW": "Nightly"}, "Nightly")])
def test_without_a_workflow_ref_its_name_stands_for_it(environment: dict[str, str], file: str) -> None:
    assert read_request({}, environment).context.workflow_file == file


def test_outside_of_github_there_is_no_address_of_the_run() -> None:
    assert read_request({}, {}).context.run_url == ""


@pytest.mark.parametrize(
    ("environment", "on_github"), [({"GITHUB_ACTIONS": "true"}, True), ({"GITHUB_ACTIONS": ""}, False), ({}, False)]
)
def test_the_runner_knows_whether_it_is_on_github(environment: dict[str, str], on_github: bool) -> None:
    assert read_runner(environment, Path("/here")).on_github is on_github


def test_the_runner_reads_its_files_and_falls_back_to_the_current_folder() -> None:
    there = read_runner({"GITHUB_WORKSPACE": "/ws", "GITHUB_OUTPUT": "/o", "GITHUB_STEP_SUMMARY": "/s"}, Path("/here"))
    here = read_runner({"GITHUB_WORKSPACE": "", "GITHUB_OUTPUT": ""}, Path("/here"))

    assert (there.workspace, there.output_file, there.summary_file) == (Path("/ws"), Path("/o"), Path("/s"))
    assert (here.workspace, here.output_file, here.summary_file) == (Path("/here"), None, None)


def test_report_takes_the_default_for_an_input_that_run_has_refused(tmp_path: Path) -> None:
    flags = {"artifact_name": "a/b", "artifact_retention_days": "soon", "project_dir": "nowhere"}

    settings = read_report_settings(flags, make_runner(tmp_path))

    assert (settings.artifact_name, settings.artifact_retention_days) == ("dbt-artifacts", None)
    assert settings.project_dir == tmp_path / "nowhere"


def test_incident_reads_where_github_is(tmp_path: Path) -> None:
    settings = read_incident_settings(
        {"issue_labels": "a, b"},
        make_runner(
            tmp_path,
            GITHUB_TOKEN="of-the-job",
            GITHUB_REPOSITORY="acme/shop",
            GITHUB_API_URL="https://ghe.acme.example/api/v3",
            HEADLESS_DBT_ARTIFACT_URL="https://artifact",
            HEADLESS_DBT_ISSUE="false",
        ),
    )

    assert (settings.token, settings.repository) == ("of-the-job", "acme/shop")
    assert (settings.api_url, settings.artifact_url) == ("https://ghe.acme.example/api/v3", "https://artifact")
    assert (settings.issue, settings.issue_labels, settings.issue_assignees) == (False, ("a", "b"), ())


def test_the_token_of_the_input_wins_over_that_of_the_job(tmp_path: Path) -> None:
    runner = make_runner(tmp_path, GITHUB_TOKEN="of-the-job", HEADLESS_DBT_GITHUB_TOKEN="given")

    assert read_incident_settings({}, runner).token == "given"


@pytest.mark.parametrize(
    ("verb", "secrets"), [("run", {"dbt-env", "gcp-credentials"}), ("report", set()), ("incident", {"github-token"})]
)
def test_no_verb_holds_the_secrets_of_another(verb: str, secrets: set[str]) -> None:
    assert {declared.name for declared in inputs_of(verb) if declared.secret} == secrets


def test_settings_are_frozen(workspace: Path) -> None:
    settings: Any = read_run_settings({}, make_runner(workspace))

    with pytest.raises(AttributeError):
        settings.target = "other"
