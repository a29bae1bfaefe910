"""The real workflow, called from another repository, and the action used directly."""

import json
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml

from tests.conftest import RUST_VERSION
from tests.e2e.act import CRON, Act, dispatch
from tests.e2e.caller import Caller
from tests.e2e.dbt_project import BROKEN_ORDERS, PROFILES, dbt_project
from tests.e2e.outcome import Job, Outcome
from tests.e2e.product import NAME, ROOT, clean_copy
from tests.github_double import GitHubDouble
from tests.integration.conftest import CORE, RUST

WORKFLOW = f"{NAME}/.github/workflows/dbt-build.yml@v1"
CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"
FOREMOST_FILES = {"run_results.json", "manifest.json", "run.json", "report.html", "dbt.log"}
MODELS = {"stg_orders", "stg_customers", "orders", "revenue"}


def call(*, secrets: Mapping[str, str] | None = None, **inputs: Any) -> dict[str, Any]:
    """A job that calls dbt-build.yml; `_` in a name stands for `-`."""
    given = {"adapter": "duckdb", **{name.replace("_", "-"): value for name, value in inputs.items()}}
    return {"uses": WORKFLOW, "with": given, "secrets": dict(secrets or {})}


# What `call` takes for each of the two engines.
Engine = Mapping[str, Any]
ENGINES: dict[str, Engine] = {CORE: {}, RUST: {"dbt_version": RUST_VERSION}}
on_both_engines = pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES.keys())


def workflow(**jobs: dict[str, Any]) -> dict[str, str]:
    """A workflow that runs these jobs each night and by hand."""
    document = {
        "name": "nightly",
        "on": {
            "schedule": [{"cron": "0 6 * * *"}],
            "workflow_dispatch": {"inputs": {"select": {"type": "string"}}},
        },
        "permissions": {"contents": "read", "issues": "write", "id-token": "write"},
        "jobs": jobs,
    }
    return {".github/workflows/nightly.yml": json.dumps(document)}


def outputs(job: Job) -> dict[str, str]:
    """What the action, and with it the workflow, puts out."""
    return job.outputs["dbt"]


def the_artifact(outcome: Outcome) -> dict[str, bytes]:
    """The files of the only artifact."""
    [files] = outcome.artifacts.values()
    return files


def went_well(job: Job) -> bool:
    """Whether every step is green; dbt 2 leaves nothing to keep, and nothing is saved then."""
    return {result for name, result in job.steps.items() if name != "Save the cache"} == {"success"}


def results(outcome: Outcome) -> dict[str, str]:
    """The status of each node in the uploaded run_results.json, by the node's short name."""
    found = json.loads(the_artifact(outcome)["run_results.json"])["results"]
    return {result["unique_id"].split(".")[2]: result["status"] for result in found}


def no_issue_was_touched(github: GitHubDouble) -> bool:
    return not [request for request in github.requests if request.method != "GET"]


@on_both_engines
def test_cron_green_and_its_re_run(act: Act, caller: Caller, github: GitHubDouble, engine: Engine) -> None:
    tell = {"run": "echo 'it is a ${{ needs.nightly.outputs.status }}'"}
    after = {"needs": "nightly", "runs-on": "ubuntu-latest", "steps": [tell]}
    caller.commit({**dbt_project(), **workflow(nightly=call(**engine), after=after)})

    first = act.run(caller, CRON)

    nightly, later = first.jobs
    assert first.succeeded, first.log
    assert went_well(nightly)
    assert outputs(nightly)["status"] == "success"
    assert (outputs(nightly)["nodes-total"], outputs(nightly)["nodes-failed"]) == ("4", "0")
    assert json.loads(outputs(nightly)["failed-nodes"]) == []
    assert "it is a success" in later.log
    assert list(first.artifacts) == [outputs(nightly)["artifact-name"]]
    assert the_artifact(first).keys() >= FOREMOST_FILES
    assert results(first) == dict.fromkeys(MODELS, "success")
    assert "revenue" in nightly.summary
    assert no_issue_was_touched(github)

    again = act.run(caller, CRON, attempt=2, earlier_artifacts=list(first.artifacts))

    assert again.succeeded
    assert list(again.artifacts) == [outputs(again.jobs[0])["artifact-name"]] != list(first.artifacts)


@on_both_engines
def test_dispatch_with_a_selector_in_a_subfolder(
    act: Act, caller: Caller, github: GitHubDouble, engine: Engine
) -> None:
    secret = "hunter2-of-the-warehouse"
    nightly = call(
        **engine,
        project_dir="transform/dbt",
        target="dev",
        select="${{ inputs.select }}",
        env="AMOUNT=77",
        secrets={"dbt-env": "${{ secrets.DBT_ENV }}"},
    )
    price = "select {{ env_var('AMOUNT') }} as price, '{{ env_var('PASSWORD') | length }}' as letters"
    caller.commit({**dbt_project("transform/dbt", prices=price), **workflow(nightly=nightly)})

    outcome = act.run(caller, dispatch(select="prices +orders"), secrets={"DBT_ENV": f"PASSWORD={secret}"})

    assert outcome.succeeded, outcome.log
    assert results(outcome) == dict.fromkeys(("prices", "stg_orders", "orders"), "success")
    assert json.loads(the_artifact(outcome)["request.json"])["inputs"]["target"] == "dev"
    compiled = [text for name, text in the_artifact(outcome).items() if name.endswith("prices.sql")]
    assert any(b"select 77 as price, '24' as letters" in text for text in compiled)
    assert secret not in outcome.log + outcome.job.summary
    assert not [name for name, text in the_artifact(outcome).items() if secret.encode() in text]
    assert not [name for name, text in the_artifact(outcome).items() if github.token.encode() in text]


@on_both_engines
def test_empty_inputs_mean_their_defaults(act: Act, caller: Caller, engine: Engine) -> None:
    declared = yaml.safe_load((ROOT / ".github/workflows/dbt-build.yml").read_text())[True]["workflow_call"]
    empty = {name.replace("-", "_"): "" for name in declared["inputs"] if name not in ("adapter", "timeout-minutes")}
    needs_secret = "select '{{ env_var('PASSWORD') | length }}' as letters"
    nightly = call(**{**empty, **engine}, secrets={"dbt-env": "${{ secrets.DBT_ENV }}"})
    caller.commit({**dbt_project(prices=needs_secret), **workflow(nightly=nightly)})

    outcome = act.run(caller, CRON, secrets={"DBT_ENV": "PASSWORD=sesame-open"})

    assert outcome.succeeded, outcome.log
    assert b"--target prod" in the_artifact(outcome)["dbt.log"]
    assert results(outcome) == dict.fromkeys((*MODELS, "prices"), "success")


@on_both_engines
def test_red_twice_and_green_again(act: Act, caller: Caller, github: GitHubDouble, engine: Engine) -> None:
    github.repository.assignable.add("ada")
    github.add_noise(40, labels=["dbt-failure"])
    noise = len(github.issues)
    nightly = call(**engine, select="${{ inputs.select }}", issue_assignees="ada")
    caller.commit({**dbt_project(orders=BROKEN_ORDERS), **workflow(nightly=nightly)})

    red = act.run(caller, CRON)

    assert not red.succeeded
    assert red.job.result == "failure"
    assert red.job.failed_steps == ["Run dbt", "Build with dbt"]
    assert outputs(red.job)["status"] == "failure"
    about_no_run = [request for request in github.requests if "/actions/" not in request.path]
    assert len(about_no_run) < 10, "a request for each open issue"
    assert red.job.steps["Fetch the previous run"] == "success"
    assert json.loads(outputs(red.job)["failed-nodes"]) == ["model.warehouse.orders"]
    assert the_artifact(red).keys() >= FOREMOST_FILES
    assert results(red)["orders"] == "error"
    assert results(red)["revenue"] == "skipped"
    assert "model.warehouse.orders" in red.job.summary
    assert any("orders" in each.message + str(each.title) for each in red.job.annotations if each.level == "error")
    [issue] = github.issues[noise:]
    assert issue.body is not None
    assert "model.warehouse.orders" in issue.body
    assert "Could not convert string 'twelve'" in issue.body
    assert (issue.labels, issue.assignees) == (["dbt-failure"], ["ada"])
    assert (outputs(red.job)["issue-number"], issue.number) == (str(noise + 1), noise + 1)

    still_red = act.run(caller, CRON, run_id=2)

    assert not still_red.succeeded
    assert github.issues[noise:] == [issue]
    assert issue in github.open_issues

    caller.commit(dbt_project())
    green = act.run(caller, CRON, run_id=3)

    assert green.succeeded, green.log
    assert github.issues[noise:] == [issue]
    assert issue not in github.open_issues
    assert "actions/runs/3" in issue.comments[-1].body


@on_both_engines
def test_a_check_builds_nothing_and_touches_no_issue(
    act: Act, caller: Caller, github: GitHubDouble, engine: Engine
) -> None:
    nightly = call(**engine, check="${{ inputs.select == 'check' }}", docs=True, source_freshness=True)
    caller.commit({**dbt_project(orders=BROKEN_ORDERS), **workflow(nightly=nightly)})

    outcome = act.run(caller, dispatch(select="check"))

    assert outcome.succeeded, outcome.log
    assert went_well(outcome.job)
    assert (outputs(outcome.job)["status"], outputs(outcome.job)["nodes-total"]) == ("success", "0")
    [(name, files)] = outcome.artifacts.items()
    assert name.startswith("dbt-artifacts-check-")
    assert "run_results.json" not in files
    assert [check["name"] for check in json.loads(files["run.json"])["checks"]] == ["connection"]
    assert "1 of 1 check passed" in outcome.job.summary
    assert no_issue_was_touched(github)


@pytest.mark.parametrize("engine", [{"adapter_version": "1.0.99"}, {"dbt_version": "2.0.99"}], ids=ENGINES.keys())
def test_dbt_that_cannot_be_installed(act: Act, caller: Caller, github: GitHubDouble, engine: Engine) -> None:
    caller.commit({**dbt_project(), **workflow(nightly=call(**engine))})
    outcome = act.run(caller, CRON)
    assert outcome.job.failed_steps == ["Run dbt", "Build with dbt"]
    assert outputs(outcome.job)["status"] == "error"
    assert the_artifact(outcome).keys() >= {"run.json", "report.html"}
    [issue] = github.issues
    [version] = engine.values()
    assert version in str(issue.body)


@on_both_engines
def test_a_project_that_does_not_parse(act: Act, caller: Caller, github: GitHubDouble, engine: Engine) -> None:
    orders = "select * from {{ ref('no_such_model') }}"
    caller.commit({**dbt_project(orders=orders), **workflow(nightly=call(**engine))})
    outcome = act.run(caller, CRON)
    assert outcome.job.failed_steps == ["Run dbt", "Build with dbt"]
    assert outputs(outcome.job)["status"] == "error"
    assert the_artifact(outcome).keys() >= {"run.json", "report.html", "dbt.log"}
    [issue] = github.issues
    assert "no_such_model" in str(issue.body)


@on_both_engines
def test_a_project_dir_that_does_not_exist(act: Act, caller: Caller, github: GitHubDouble, engine: Engine) -> None:
    caller.commit({**dbt_project(), **workflow(nightly=call(**engine, project_dir="nowhere/dbt"))})
    outcome = act.run(caller, CRON)
    assert outcome.job.failed_steps == ["Run dbt", "Build with dbt"]
    assert outputs(outcome.job)["status"] == "error"
    assert any("nowhere/dbt" in each.message for each in outcome.job.annotations if each.level == "error")
    [issue] = github.issues
    assert "nowhere/dbt" in str(issue.body)


@on_both_engines
def test_a_matrix_of_two_calls(act: Act, caller: Caller, github: GitHubDouble, engine: Engine) -> None:
    nightly = call(**engine, project_dir="${{ matrix.project }}")
    nightly["strategy"] = {"matrix": {"project": ["sales", "finance"]}}
    files = {**dbt_project("sales"), **dbt_project("finance", orders=BROKEN_ORDERS)}
    caller.commit({**files, **workflow(nightly=nightly)})

    outcome = act.run(caller, CRON)

    assert sorted(str(job.result) for job in outcome.jobs) == ["failure", "success"]
    assert set(outcome.artifacts) == {outputs(job)["artifact-name"] for job in outcome.jobs}
    assert len(outcome.artifacts) == 2
    assert all(files.keys() >= FOREMOST_FILES for files in outcome.artifacts.values())
    assert len(github.issues) == 1


@on_both_engines
def test_the_action_used_directly(act: Act, caller: Caller, github: GitHubDouble, engine: Engine) -> None:
    action = {"uses": f"{NAME}@v1", "id": "dbt", "name": "dbt"}
    version = {"dbt-version": engine.get("dbt_version", "")}
    inputs = {"adapter": "duckdb", "project-dir": "shop", "artifact-name": "shop", **version}
    steps = [
        {"uses": CHECKOUT, "with": {"persist-credentials": False}},
        {**action, "with": {**inputs, "target": "dev"}, "env": {"AMOUNT": "5"}},
        {"if": "always()", "name": "Afterwards", "run": "env; echo 'status ${{ steps.dbt.outputs.status }}'"},
    ]
    caller.commit({**dbt_project("shop"), **workflow(nightly={"runs-on": "ubuntu-latest", "steps": steps})})

    outcome = act.run(caller, CRON)

    assert outcome.succeeded, outcome.log
    assert "status success" in outcome.job.log
    afterwards = outcome.job.log.split("status success")[0]
    assert "HEADLESS_DBT_" not in afterwards
    assert "VIRTUAL_ENV" not in afterwards
    assert list(outcome.artifacts) == [outputs(outcome.job)["artifact-name"]]
    assert next(iter(outcome.artifacts)).startswith("shop")
    assert results(outcome) == dict.fromkeys(MODELS, "success")
    assert no_issue_was_touched(github)


@on_both_engines
def test_the_workflow_in_a_copy_of_this_repository(act: Act, tmp_path: Path, engine: Engine) -> None:
    copy = Caller(clean_copy(ROOT, tmp_path / "copy"), "acme/headless-dbt")
    name = ".github/workflows/dbt-build.yml"
    text = (copy.folder / name).read_text()
    version = engine.get("dbt_version", "${{ inputs.dbt-version }}")
    copy.commit({name: text.replace("dbt-version: ${{ inputs.dbt-version }}", f"dbt-version: {version}")})
    outcome = act.run(copy, dispatch(target="local", select="resource_type:seed"))
    assert outcome.succeeded, outcome.log
    assert set(results(outcome).values()) == {"success"}


@pytest.fixture
def canary() -> Iterator[Path]:
    """A file that exists once some input was executed; its path is short, for a label has 50 characters."""
    with TemporaryDirectory(prefix="c", dir="/tmp") as folder:
        yield Path(folder) / "x"


@on_both_engines
def test_no_input_is_ever_executed(act: Act, caller: Caller, canary: Path, engine: Engine) -> None:
    evil = f"$(touch {canary})`touch {canary}`';touch {canary};\"\ntouch {canary} #"
    declared = yaml.safe_load((ROOT / ".github/workflows/dbt-build.yml").read_text())[True]["workflow_call"]
    kept = {"adapter", "runs-on", "timeout-minutes", "environment"}
    given = {name.replace("-", "_"): evil for name in declared["inputs"] if name not in kept}
    secrets = dict.fromkeys(declared["secrets"], "${{ secrets.EVIL }}")
    inputs = {**given, "adapter": evil, **engine}
    caller.commit({**dbt_project(), **workflow(nightly=call(secrets=secrets, **inputs))})

    outcome = act.run(caller, CRON, secrets={"EVIL": evil})

    assert not outcome.succeeded
    assert "Run dbt" in outcome.job.failed_steps
    assert outputs(outcome.job)["status"] == "error"
    assert not canary.exists()


@on_both_engines
def test_what_reaches_dbt_and_github_is_not_executed_either(
    act: Act, caller: Caller, github: GitHubDouble, canary: Path, engine: Engine
) -> None:
    command = f"$(touch${{IFS}}{canary})"
    evil = f"{command};touch {canary};`touch {canary}`"
    profiles = PROFILES.replace("prod:", f'"{command}":')
    orders = BROKEN_ORDERS + " -- {{ var('word') }} {{ env_var('WORD') }}"
    state = "--state" if engine else "--defer-state"  # dbt 2 knows the former alone.
    nightly = call(
        **engine,
        project_dir=f"the shop {command}",
        target=command,
        vars=json.dumps({"word": evil}),
        exclude=f"tag:{command};`id`",
        dbt_args=f"--exclude-resource-type seed {state} {shlex.quote(evil)}",
        env=f"WORD={evil}",
        issue_labels=command,
        issue_assignees=evil,
        artifact_name="$(id);`id`",
    )
    caller.commit({**dbt_project(f"the shop {command}", profiles=profiles, orders=orders), **workflow(nightly=nightly)})

    outcome = act.run(caller, CRON)

    assert outcome.job.failed_steps == ["Run dbt", "Build with dbt"]
    assert not canary.exists()
    assert outputs(outcome.job)["status"] == "failure", outcome.log
    assert results(outcome)["orders"] == "error"
    [issue] = github.issues
    assert issue.labels == [command]
