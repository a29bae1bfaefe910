"""The harness itself, on a toy in place of headless-dbt: green is green, red is red, and nothing is lost."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.act import CRON, Act, dispatch
from tests.e2e.caller import Caller
from tests.e2e.outcome import Annotation, Job
from tests.e2e.product import NAME, WrongUseError, clean_copy
from tests.github_double import GitHubDouble

UPLOAD = "actions/upload-artifact@043fb46d1a93c77aae656e7c1c64a875d1fc6a0a"
CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"
CACHE = "caa296126883cff596d87d8935842f9db880ef25"

TOY_ACTION = f"""
    name: Toy
    description: Writes a file, uploads it, and fails when asked to.
    inputs:
      verdict:
        description: Exit code.
        default: "0"
      name:
        description: Name of the artifact.
        default: toy
    outputs:
      status:
        description: good or bad.
        value: ${{{{ steps.work.outputs.status }}}}
    runs:
      using: composite
      steps:
        - name: Work
          id: work
          shell: bash
          env:
            VERDICT: ${{{{ inputs.verdict }}}}
          run: |
            mkdir -p "$RUNNER_TEMP/out/deep"
            cp greeting.txt "$RUNNER_TEMP/out/deep/"
            echo "$VERDICT" >"$RUNNER_TEMP/out/verdict.txt"
            echo "## Toy" >>"$GITHUB_STEP_SUMMARY"
            echo "::warning file=models/a.sql,line=3,title=Well%3A no::100%25%0Asure"
            echo "status=$([[ $VERDICT = 0 ]] && echo good || echo bad)" >>"$GITHUB_OUTPUT"
            env | sort
            exit "$VERDICT"
        - name: Upload
          id: upload
          if: always()
          uses: {UPLOAD}
          with:
            name: ${{{{ inputs.name }}}}
            path: ${{{{ runner.temp }}}}/out
        - name: After green
          shell: bash
          run: echo green
"""
TOY_WORKFLOW = f"""
    on:
      workflow_call:
        inputs:
          verdict:
            type: string
            default: "0"
          name:
            type: string
            default: toy
    concurrency:
      group: toy
    jobs:
      toy:
        runs-on: ubuntu-latest
        steps:
          - uses: {CHECKOUT}
          - uses: {CHECKOUT}
            with:
              repository: {NAME}
              path: .headless-dbt
          - name: Toy
            id: toy
            uses: ./.headless-dbt
            with:
              verdict: ${{{{ inputs.verdict }}}}
              name: ${{{{ inputs.name }}}}
"""
CALL = f"""
    on:
      schedule:
        - cron: "0 6 * * *"
      workflow_dispatch:
        inputs:
          verdict:
            type: string
    jobs:
      nightly:
        uses: {NAME}/.github/workflows/toy.yml@v1
        with:
          verdict: ${{{{ inputs.verdict }}}}
      after:
        needs: nightly
        runs-on: ubuntu-latest
        steps:
          - run: echo after
"""

CACHING_ACTION = f"""
    name: Toy with a cache
    description: Keeps a file in the cache.
    inputs:
      key:
        description: The key of the cache.
    runs:
      using: composite
      steps:
        - name: Restore
          id: restore
          uses: actions/cache/restore@{CACHE}
          with:
            path: ~/.cache/toy
            key: ${{{{ inputs.key }}}}
            restore-keys: toy-
        - name: Work
          shell: bash
          env:
            KEY: ${{{{ inputs.key }}}}
          run: |
            mkdir -p ~/.cache/toy
            echo "Found: $(cat ~/.cache/toy/key.txt 2>/dev/null || echo nothing)"
            echo "$KEY" >~/.cache/toy/key.txt
        - name: Save
          uses: actions/cache/save@{CACHE}
          with:
            path: ~/.cache/toy
            key: ${{{{ inputs.key }}}}
"""
CALL_OF_THE_CACHING_ACTION = f"""
    on:
      workflow_dispatch:
        inputs:
          key:
            type: string
    jobs:
      toy:
        runs-on: ubuntu-latest
        steps:
          - name: Toy
            id: toy
            uses: {NAME}@v1
            with:
              key: ${{{{ inputs.key }}}}
"""


@pytest.fixture
def product(tmp_path: Path) -> Path:
    """The toy."""
    repository = Caller(tmp_path / "toy", NAME)
    repository.commit({"action.yml": TOY_ACTION, ".github/workflows/toy.yml": TOY_WORKFLOW})
    return clean_copy(repository.folder, tmp_path / "toy copy")


@pytest.fixture
def caller(tmp_path: Path) -> Caller:
    """Somebody who calls the toy's workflow."""
    caller = Caller(tmp_path / "caller")
    caller.commit({"greeting.txt": "hello\n", ".github/workflows/nightly.yml": CALL})
    return caller


def test_green(act: Act, caller: Caller, github: GitHubDouble) -> None:
    outcome = act.run(caller, dispatch(verdict="0"), secrets={"PASSWORD": "hush"})

    assert outcome.succeeded
    toy, after = outcome.jobs
    assert after.steps == {"echo after": "success"}
    assert {toy.steps[name] for name in (CHECKOUT, "Toy", "Work", "Upload", "After green")} == {"success"}
    assert toy.outputs["toy"] == {"status": "good"}
    assert toy.outputs["toy.upload"]["artifact-url"].startswith("https://github.com/acme/warehouse/actions/runs/1/")
    assert toy.summary == "## Toy\n"
    assert toy.annotations == [Annotation("warning", "100%\nsure", "Well: no", "models/a.sql", 3)]
    assert outcome.artifacts == {"toy": {"deep/greeting.txt": b"hello\n", "verdict.txt": b"0\n"}}
    assert f"GITHUB_API_URL={github.url}" in toy.log
    assert "GITHUB_REPOSITORY=acme/warehouse" in toy.log
    assert f"RUNNER_TEMP={act.folder}" in toy.log
    assert "VIRTUAL_ENV" not in toy.log


def test_red_is_seen_as_red_and_its_artifact_is_there(act: Act, caller: Caller) -> None:
    outcome = act.run(caller, dispatch(verdict="3"))

    assert not outcome.succeeded
    assert outcome.exit_code == 1
    assert outcome.job.result == "failure"
    assert outcome.job.failed_steps == ["Work", "Toy"]
    assert outcome.job.steps["After green"] == "skipped"
    assert outcome.job.outputs["toy"]["status"] == "bad"
    assert outcome.artifacts["toy"]["verdict.txt"] == b"3\n"


def test_cron(act: Act, caller: Caller) -> None:
    outcome = act.run(caller, CRON, run_id=77)
    assert outcome.succeeded
    assert "GITHUB_EVENT_NAME=schedule" in outcome.jobs[0].log
    assert "GITHUB_RUN_ID=77" in outcome.jobs[0].log
    assert outcome.artifacts["toy"]["verdict.txt"] == b"0\n"


def test_a_second_artifact_of_the_same_name_is_refused(act: Act, caller: Caller) -> None:
    outcome = act.run(caller, dispatch(verdict="0"), earlier_artifacts=["toy"])
    assert outcome.job.failed_steps == ["Upload", "Toy"]
    assert "an artifact with this name already exists" in outcome.log
    assert outcome.artifacts == {}


def test_a_job_that_no_runner_takes_is_not_green(act: Act, caller: Caller) -> None:
    workflow = {"on": "push", "jobs": {"x": {"runs-on": "macos-26", "steps": [{"run": "true"}]}}}
    caller.commit({".github/workflows/nightly.yml": json.dumps(workflow)})
    outcome = act.run(caller, dispatch())
    assert not outcome.succeeded


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("verdict: ${{", "verdct: ${{", r"unknown inputs \['verdct'\]"),
        (f"{NAME}/.github/workflows/toy.yml@v1", "acme/other/.github/workflows/x.yml@v1", "stand_ins has nothing"),
    ],
)
def test_unknown_keys_and_actions_are_refused(act: Act, caller: Caller, old: str, new: str, complaint: str) -> None:
    caller.commit({".github/workflows/nightly.yml": CALL.replace(old, new)})
    with pytest.raises(WrongUseError, match=complaint):
        act.run(caller, CRON)


@pytest.fixture
def cached(act: Act, tmp_path: Path) -> Callable[..., Job]:
    """Run the toy with a cache; each run finds the home folder empty, as on a runner of GitHub's."""
    toy, caller, home = Caller(tmp_path / "caching toy", NAME), Caller(tmp_path / "caching caller"), tmp_path / "home"
    toy.commit({"action.yml": CACHING_ACTION})
    caller.commit({".github/workflows/nightly.yml": CALL_OF_THE_CACHING_ACTION})

    def run(key: str, **variables: str) -> Job:
        shutil.rmtree(home, ignore_errors=True)
        variables["HOME"] = str(home)
        outcome = replace(act, product=toy.folder).run(caller, dispatch(key=key), variables=variables)
        assert outcome.succeeded, outcome.log
        return outcome.job

    return run


def test_a_run_finds_what_an_earlier_one_saved(cached: Callable[..., Job]) -> None:
    first, same, other = cached("toy-1"), cached("toy-1"), cached("toy-2")

    assert first.outputs["toy.restore"] == {"cache-primary-key": "toy-1"}
    assert "Found: nothing\n" in first.log
    assert first.annotations == []
    found = {"cache-primary-key": "toy-1", "cache-matched-key": "toy-1", "cache-hit": "true"}
    assert same.outputs["toy.restore"] == found
    assert "Found: toy-1\n" in same.log
    assert [annotation.message for annotation in same.annotations] == ["Cache save failed."]  # The key is taken.
    assert other.outputs["toy.restore"] == found | {"cache-primary-key": "toy-2", "cache-hit": "false"}
    assert "Found: toy-1\n" in other.log
    assert other.annotations == []


def test_a_broken_cache_service_leaves_the_run_green(cached: Callable[..., Job], broken_service: str) -> None:
    job = cached("toy-1", ACTIONS_CACHE_URL=broken_service)

    assert job.outputs["toy.restore"] == {"cache-primary-key": "toy-1"}
    assert "Found: nothing\n" in job.log
    assert {annotation.level for annotation in job.annotations} == {"warning"}
    assert "Failed to restore: getCacheEntry failed: Cache service responded with 501" in {
        annotation.message for annotation in job.annotations
    }
