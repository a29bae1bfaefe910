"""The journal: dbt's own JSON log, read line by line. It also tells of a run that was killed.

dbt writes and flushes one JSON object a line; NodeStart and NodeFinished frame each node, and NodeFinished
holds its whole result. Source: https://docs.getdbt.com/reference/events-logging, and dbt-core's
core/dbt/events/core_types.proto.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from headless_dbt.artifacts import UNREADABLE, NodeResult, Timing


class _Info(msgspec.Struct):
    name: str = ""


class _Event(msgspec.Struct):
    info: _Info
    data: msgspec.Raw


class _NodeInfo(msgspec.Struct):
    unique_id: str
    node_status: str = ""


class _RunResult(msgspec.Struct):
    status: str = ""
    message: str = ""
    execution_time: float = 0.0
    thread: str = ""
    num_failures: int | None = None
    timing_info: list[Timing] = []
    adapter_response: dict[str, Any] = {}


class _NodeEvent(msgspec.Struct):
    node_info: _NodeInfo
    run_result: _RunResult | None = None


@dataclass(frozen=True)
class Journal:
    """What the journal tells: the result of every finished node, and the nodes that only started."""

    finished: Mapping[str, NodeResult] = field(default_factory=dict)
    started: frozenset[str] = frozenset()

    @property
    def unfinished(self) -> frozenset[str]:
        """Nodes that had started, and did not finish."""
        return self.started - self.finished.keys()


_EVENT = msgspec.json.Decoder(_Event)
_NODE_EVENT = msgspec.json.Decoder(_NodeEvent)


def read_journal(file: Path) -> Journal:
    """Read dbt's log file; a missing one is an empty journal."""
    if not file.is_file():
        return Journal()
    with file.open("rb") as lines:
        return read_events(lines)


def read_events(lines: Iterable[bytes]) -> Journal:
    """Read the lines of dbt's log. A torn line, and anything that is not an event, is passed over."""
    finished: dict[str, NodeResult] = {}
    started: set[str] = set()
    for line in lines:
        # Most lines are neither: a look at the bytes spares the decoding of them.
        if b'"NodeStart"' not in line and b'"NodeFinished"' not in line:
            continue
        try:
            event = _EVENT.decode(line)
            if event.info.name not in ("NodeStart", "NodeFinished"):
                continue
            node = _NODE_EVENT.decode(event.data)
        except UNREADABLE:
            continue
        unique_id = node.node_info.unique_id
        if event.info.name == "NodeStart":
            started.add(unique_id)
        elif node.run_result is not None:
            finished[unique_id] = _result(unique_id, node.node_info.node_status, node.run_result)
    return Journal(finished=finished, started=frozenset(started))


def _result(unique_id: str, node_status: str, result: _RunResult) -> NodeResult:
    return NodeResult(
        unique_id=unique_id,
        status=result.status or node_status,
        message=result.message,
        execution_time=result.execution_time,
        thread_id=result.thread,
        failures=result.num_failures,
        timing=result.timing_info,
        adapter_response=result.adapter_response,
    )
