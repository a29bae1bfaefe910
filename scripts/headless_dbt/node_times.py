"""How long each node took in earlier runs, by which `schedule: critical-path` orders; times.json in a folder."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from headless_dbt.artifacts import UNREADABLE
from headless_dbt.changes import PreviousRun

FILE = "times.json"


def times_of(runs: Iterable[PreviousRun]) -> dict[str, float]:
    """Seconds by unique id, of nodes that ran in one of these runs; the first run that knows of a node counts."""
    times: dict[str, float] = {}
    for run in runs:
        for node in run.nodes:
            # What took no time was skipped, or taken over from another run.
            if node.tries and node.execution_time > 0:
                times.setdefault(node.unique_id, node.execution_time)
    return times


def keep_times(folder: Path, times: Mapping[str, float]) -> None:
    """Write times.json."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_bytes(msgspec.json.encode(times))


def read_times(folder: Path) -> dict[str, float]:
    """Read times.json; where there is none that can be read, nothing is known."""
    try:
        return msgspec.json.decode((folder / FILE).read_bytes(), type=dict[str, float])
    except (OSError, *UNREADABLE):
        return {}
