"""`schedule: critical-path` on real dbt: the longest way to the end first, and dbt's own order where that cannot be."""

from itertools import pairwise

import pytest

from tests.integration.conftest import Finished, Project
from tests.integration.test_plain_dbt import OLDEST

# Twelve short models are ready with one long chain, and dbt takes them by name.
SLEEPS = """\
def model(dbt, session):
    import time
    {refs}
    time.sleep({seconds})
    return session.sql("select 1 as id")
"""
CHAIN = ("z_first", "z_second", "z_third")


def _models() -> dict[str, str]:
    files = {f"models/a_{number}.py": SLEEPS.format(refs="", seconds=0.6) for number in range(12)}
    files[f"models/{CHAIN[0]}.py"] = SLEEPS.format(refs="", seconds=1.2)
    for parent, child in pairwise(CHAIN):
        files[f"models/{child}.py"] = SLEEPS.format(refs=f'dbt.ref("{parent}")', seconds=1.2)
    return files


def _begun(done: Finished) -> list[str]:
    """The models in the order in which they began."""
    nodes = [node for node in done.read("run.json")["nodes"] if node["resource_type"] == "model"]
    return [node["name"] for node in sorted(nodes, key=lambda node: str(node["started_at"]))]


def _span(done: Finished) -> float:
    """Seconds from the first node's beginning to the last one's end, by the build's own log."""
    from headless_dbt.timeline import moment

    nodes = done.read("run.json")["nodes"]
    began = [moment(node["started_at"]) or 0.0 for node in nodes]
    return max(moment(node["completed_at"]) or 0.0 for node in nodes) - min(began)


@pytest.mark.parametrize("version", ["locked", OLDEST.version])
def test_the_longest_way_begins_first_and_the_whole_ends_earlier(project: Project, version: str) -> None:
    python = project.dbt_python if version == "locked" else OLDEST.python()
    project.write(_models())
    for each in ("one", "two", "three"):
        (project.root / f"models/{each}.sql").unlink()
    # The place where a run looks for the one before.
    folder = project.root / "target/headless_dbt"

    def built(number: int, *arguments: str) -> Finished:
        at = folder / f"2026010{number}T000000Z-x"
        done = project.verb("run", "--dbt-python", str(python), "--target", "local", *arguments, folder=at)
        assert done.exit_code == 0, done.output
        assert project.verb("report", folder=at).exit_code == 0
        return done

    first = built(1)
    assert _begun(first).index("z_first") > 5

    ordered = built(2, "--schedule", "critical-path")

    assert "z_first" in _begun(ordered)[:2]
    assert len(_begun(ordered)) == 15
    # By dbt's order the chain of 3.6 s begins when the short ones have taken 3.6 s of two threads.
    assert _span(ordered) < _span(first) - 1.2
