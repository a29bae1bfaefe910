"""A whole job with the real act, step by step: ``python benchmarks/measure_action.py [ROUNDS]``.

The reusable workflow on four models, called as a user calls it: the first run of a caller, and its second, which finds
what the first one has left in GitHub's cache. The installers' downloads are not on the machine, as on a runner of
GitHub's; in the third run they are, as on one's own.
"""

import json
import sys
import tempfile
from pathlib import Path

from benchmarks import side_by_side
from tests.e2e.act import CRON, Act
from tests.e2e.caller import Caller
from tests.e2e.dbt_project import dbt_project
from tests.e2e.product import ROOT, clean_copy
from tests.e2e.test_dbt_build import call, workflow
from tests.github_double import GitHubDouble

RUNS = ("first run", "second run", "third run, downloads there")
# The rest of the job is our own.
INSTALL_AND_DBT = ("Install headless-dbt", "Restore the cache", "Run dbt", "Save the cache")


def seconds_by_step(file: Path) -> dict[str, float]:
    """How long each inner step of the action took, by act's own clock."""
    events = map(json.loads, file.read_text().splitlines())
    done = [event for event in events if event.get("stage") == "Main" and "executionTime" in event]
    # Those of the action are inside of the workflow's own step, which has this name.
    done = [event for event in done if event["stepID"][0] == "dbt" and len(event["stepID"]) > 1]
    return {event["msg"].partition("Main ")[2].partition(" [")[0]: event["executionTime"] / 1e9 for event in done}


def measure(folder: Path, number: int, product: Path, github: GitHubDouble) -> dict[str, dict[str, float]]:
    """All runs of a fresh caller, with nothing in GitHub's cache."""
    act = Act(product, github, folder / f"runs-{number}")
    act.folder.mkdir()
    caller = Caller(folder / f"warehouse-{number}")
    caller.commit({**dbt_project(), **workflow(nightly=call())})
    found = {}
    for at, run in enumerate(RUNS, start=1):
        empty = {name: str(folder / f"downloads-{number}-{at}" / name) for name in ("UV_CACHE_DIR", "PIP_CACHE_DIR")}
        outcome = act.run(caller, CRON, run_id=at, variables={} if "downloads" in run else empty)
        if not outcome.succeeded:
            raise RuntimeError(outcome.log)
        newest = max(act.folder.glob("run-*/act.jsonl"), key=lambda file: file.stat().st_mtime)
        found[run] = seconds_by_step(newest)
    return found


def main() -> None:
    """Print a table of medians and spreads."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as temporary, GitHubDouble() as github:
        folder = Path(temporary)
        product = clean_copy(ROOT, folder / "headless-dbt")
        found = [measure(folder, number, product, github) for number in range(rounds)]
    print(side_by_side.circumstances(rounds), end="\n\n")
    print(f"| step | {' | '.join(RUNS)} |\n| --- |{' ---: |' * len(RUNS)}")
    for step in found[0][RUNS[0]]:
        print(f"| {step} | {' | '.join(cell([each[run].get(step) for each in found]) for run in RUNS)} |")
    ours = {
        run: [sum(s for name, s in each[run].items() if name not in INSTALL_AND_DBT) for each in found] for run in RUNS
    }
    print(f"| all but install and dbt | {' | '.join(side_by_side.spread(ours[run]) for run in RUNS)} |")


def cell(seconds: list[float | None]) -> str:
    """The median and the spread of a step, or that it was skipped."""
    taken = [each for each in seconds if each is not None]
    return side_by_side.spread(taken) if taken else "skipped"


if __name__ == "__main__":
    main()
