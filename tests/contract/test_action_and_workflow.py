"""action.yml, dbt-build.yml, the declared inputs, the examples and the README say the same."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from headless_dbt.cache_key import CACHED_BY
from headless_dbt.inputs import INPUTS, Input

ROOT = Path(__file__).resolve().parents[2]
WORKFLOW = ROOT / ".github/workflows/dbt-build.yml"
EXAMPLES = sorted((ROOT / "examples").glob("*.yml"))
EVERY_YAML = [ROOT / "action.yml", *sorted((ROOT / ".github/workflows").glob("*.yml")), *EXAMPLES]
SECRETS_OF_THE_WORKFLOW = {"dbt-env", "gcp-credentials"}
RUN_INPUTS = [declared for declared in INPUTS if "run" in declared.verbs]


def load(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.load(file.read_text("utf-8"), Loader=yaml.BaseLoader)  # `on` is not a boolean.
    return content


def steps_of(content: Any) -> list[dict[str, Any]]:
    """Every step anywhere in an action or a workflow."""
    if isinstance(content, dict):
        own = content.get("steps")
        found = [step for step in own if isinstance(step, dict)] if isinstance(own, list) else []
        return found + [step for value in content.values() for step in steps_of(value)]
    return []


def step(content: dict[str, Any], identity: str) -> dict[str, Any]:
    return next(step for step in steps_of(content) if step.get("id") == identity)


ACTION = load(ROOT / "action.yml")
DBT_BUILD = load(WORKFLOW)


def test_the_action_declares_exactly_the_inputs_of_the_code_in_their_order() -> None:
    assert list(ACTION["inputs"]) == [declared.name for declared in INPUTS]


@pytest.mark.parametrize("declared", INPUTS, ids=lambda declared: declared.name)
def test_an_input_of_the_action_has_the_meaning_and_default_of_the_code(declared: Input) -> None:
    default = "${{ github.token }}" if declared.name == "github-token" else declared.default
    assert ACTION["inputs"][declared.name] == {"description": declared.meaning, "default": default}


@pytest.mark.parametrize("declared", RUN_INPUTS, ids=lambda declared: declared.name)
def test_every_input_reaches_the_run_through_its_own_variable(declared: Input) -> None:
    assert step(ACTION, "run")["env"][declared.variable] == f"${{{{ inputs.{declared.name} }}}}"


def test_no_variable_of_the_run_comes_from_nowhere() -> None:
    ours = {"PYTHON", "ENVIRONMENTS", "RUN_FOLDER", "EARLIER", "KEPT", "CACHE_KEY", "CACHE_RESTORED"}
    declared_ones = {declared.variable for declared in RUN_INPUTS}
    assert set(step(ACTION, "run")["env"]) == declared_ones | {f"HEADLESS_DBT_{name}" for name in ours}


def test_what_decides_what_is_cached_reaches_the_naming_of_it() -> None:
    decides = {f"HEADLESS_DBT_{name}" for name in (*CACHED_BY, "REQUIREMENTS", "CACHE", "ACTION")}
    assert set(step(ACTION, "cache")["env"]) == decides


@pytest.mark.parametrize(("identity", "verb"), [(verb, verb) for verb in ("fetch", "recall", "report", "incident")])
def test_the_other_verbs_get_the_inputs_that_they_read(identity: str, verb: str) -> None:
    read = {declared.variable for declared in INPUTS if verb in declared.verbs and declared.name != "project-dir"}
    assert read <= set(step(ACTION, identity)["env"])


def test_the_credentials_reach_one_step_and_the_token_another() -> None:
    holders: dict[str, list[str]] = {"dbt-env": [], "gcp-credentials": [], "github-token": []}
    for each in steps_of(ACTION):
        for name, steps in holders.items():
            if f"inputs.{name} " in str(each):
                steps.append(each["id"])
    assert holders == {"dbt-env": ["run"], "gcp-credentials": ["run"], "github-token": ["fetch", "recall", "incident"]}
    assert "github.token" not in str(step(ACTION, "run"))


@pytest.mark.parametrize("identity", ["cache", "restore", "fetch"])
def test_what_an_earlier_run_left_and_cannot_be_had_does_not_keep_dbt_from_running(identity: str) -> None:
    assert step(ACTION, identity)["continue-on-error"] == "true"


def test_a_failure_after_the_build_never_replaces_its_verdict() -> None:
    after = [each for each in steps_of(ACTION) if each["id"] not in ("cache", "restore", "install", "fetch", "run")]
    assert [each["id"] for each in after] == ["recall", "report", "upload", "incident", "save"]
    for each in after:
        assert each["continue-on-error"] == "true"
        assert each["if"].startswith("${{ always() ")
    assert "continue-on-error" not in step(ACTION, "run")


def test_the_workflow_hands_on_every_input() -> None:
    called = DBT_BUILD["on"]["workflow_call"]
    own = {"runs-on", "timeout-minutes", "environment"}
    declared_here = {declared.name for declared in INPUTS} - SECRETS_OF_THE_WORKFLOW - {"github-token"}
    assert set(called["inputs"]) == declared_here | own
    assert set(called["secrets"]) == SECRETS_OF_THE_WORKFLOW
    assert set(step(DBT_BUILD, "dbt")["with"]) == {declared.name for declared in INPUTS}


@pytest.mark.parametrize("declared", INPUTS, ids=lambda declared: declared.name)
def test_an_input_of_the_workflow_has_the_meaning_and_default_of_the_code(declared: Input) -> None:
    called = DBT_BUILD["on"]["workflow_call"]
    if declared.name in SECRETS_OF_THE_WORKFLOW:
        assert called["secrets"][declared.name]["description"] == declared.meaning
    elif declared.name != "github-token":
        expected = {"description": declared.meaning, "type": "string", "default": declared.default}
        assert called["inputs"][declared.name] == expected
        handed_on = step(DBT_BUILD, "dbt")["with"][declared.name]
        assert f"inputs.{declared.name} " in handed_on


def test_the_workflow_passes_every_output_on() -> None:
    names = list(ACTION["outputs"])
    outputs = DBT_BUILD["on"]["workflow_call"]["outputs"]
    assert list(outputs) == names
    assert DBT_BUILD["jobs"]["dbt-build"]["outputs"] == {name: f"${{{{ steps.dbt.outputs.{name} }}}}" for name in names}
    for name in names:
        assert outputs[name]["value"] == f"${{{{ jobs.dbt-build.outputs.{name} }}}}"
        assert outputs[name]["description"] == ACTION["outputs"][name]["description"]


def test_the_three_triggers_stand_in_one_file() -> None:
    triggers = DBT_BUILD["on"]
    assert set(triggers) == {"schedule", "workflow_dispatch", "workflow_call"}
    assert triggers["schedule"] == [{"cron": "0 6 * * *"}]
    assert set(triggers["workflow_dispatch"]["inputs"]) == {
        *("select", "target", "full-refresh", "check", "resume-from")
    }


def test_runs_of_one_pipeline_wait_and_none_is_cancelled_half_way() -> None:
    concurrency = DBT_BUILD["jobs"]["dbt-build"]["concurrency"]
    assert concurrency["cancel-in-progress"] == "false"
    for part in ("github.workflow", "inputs.target", "inputs.project-dir"):
        assert part in concurrency["group"]


@pytest.mark.parametrize("file", EVERY_YAML, ids=lambda file: file.name)
def test_no_expression_stands_inside_a_run_block(file: Path) -> None:
    for each in steps_of(load(file)):
        assert "${{" not in each.get("run", "")


@pytest.mark.parametrize("file", EVERY_YAML, ids=lambda file: file.name)
def test_every_action_is_pinned_to_a_commit_with_its_version_beside_it(file: Path) -> None:
    for line in file.read_text("utf-8").splitlines():
        if match := re.search(r"\buses:\s*(\S+)(.*)", line):
            local = match[1].startswith("./")
            assert local or re.search(r"@[0-9a-f]{40}$", match[1]), line
            assert local or re.fullmatch(r" # v\d+\.\d+\.\d+", match[2]), line


@pytest.mark.parametrize("file", [ROOT / "action.yml", WORKFLOW], ids=lambda file: file.name)
def test_step_names_are_short_imperative_and_in_sentence_case(file: Path) -> None:
    for each in steps_of(load(file)):
        verbs = "Name|Install|Fetch|Run|Report|Upload|Update|Check out|Build|Restore|Save"
        assert re.fullmatch(rf"({verbs})\b[a-z -]*", each["name"]), each["name"]
        assert len(each["name"]) <= 30


@pytest.mark.parametrize("file", EVERY_YAML[1:], ids=lambda file: file.name)
def test_a_workflow_begins_with_no_permission(file: Path) -> None:
    assert load(file)["permissions"] == {}


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_an_example_grants_what_the_workflow_asks_for(file: Path) -> None:
    asked = DBT_BUILD["jobs"]["dbt-build"]["permissions"]
    for job in load(file)["jobs"].values():
        if "dbt-build.yml@" in job.get("uses", ""):
            assert asked.items() <= job["permissions"].items()


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_an_example_uses_inputs_that_exist(file: Path) -> None:
    called = DBT_BUILD["on"]["workflow_call"]
    content = load(file)
    for job in content["jobs"].values():
        if "dbt-build.yml@" in job.get("uses", ""):
            assert set(job.get("with", {})) <= set(called["inputs"])
            assert set(job.get("secrets", {})) <= set(called["secrets"])
    for each in steps_of(content):
        if each.get("uses", "").startswith("headless-dbt/headless-dbt@"):
            assert set(each.get("with", {})) <= set(ACTION["inputs"])


def test_the_readme_is_what_the_examples_and_declarations_say() -> None:
    check = subprocess.run(
        [sys.executable, "scripts/write_readme.py", "--check"],
        cwd=ROOT,
        env={"PYTHONPATH": "scripts", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert check.returncode == 0, check.stdout + check.stderr
