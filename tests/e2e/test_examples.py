"""The caller workflows of examples/, and so of the README, run as they stand."""

from pathlib import Path

import pytest

from tests.e2e.act import CRON, Act, Trigger, dispatch
from tests.e2e.caller import Caller
from tests.e2e.dbt_project import dbt_project
from tests.e2e.product import ROOT

EXAMPLES = {
    "nightly.yml": CRON,
    "bigquery.yml": CRON,
    "hourly-and-nightly.yml": CRON,
    "own-job.yml": dispatch(select="+orders"),
}


def test_every_example_is_run_here() -> None:
    assert {file.name for file in (ROOT / "examples").iterdir()} == EXAMPLES.keys()


@pytest.mark.parametrize(("name", "trigger"), EXAMPLES.items(), ids=list(EXAMPLES))
def test_an_example_builds_a_project(act: Act, caller: Caller, name: str, trigger: Trigger) -> None:
    # Its target `prod` is DuckDB: everything but the warehouse is as the example has it.
    example = Path(ROOT / "examples" / name).read_text("utf-8")
    caller.commit({**dbt_project(), f".github/workflows/{name}": example})

    outcome = act.run(caller, trigger)

    # A job of the example that only runs on another day is no failure.
    assert [job.result for job in outcome.jobs if job.result != "skipped"] == ["success"], outcome.log
    [files] = outcome.artifacts.values()
    assert files.keys() >= {"run.json", "report.html", "run_results.json"}
    assert ("docs.html" in files) == (name == "own-job.yml")
