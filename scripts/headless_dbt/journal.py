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
    invocation_id: str = ""


class _Event(msgspec.Struct):
    info: _Info
    data: msgspec.Raw


class _Arguments(msgspec.Struct):
    invocation_command: str = ""


class _Started(msgspec.Struct):
    args: _Arguments


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
    """What the journal tells of one dbt command: every finished node's result, and which nodes had started."""

    finished: Mapping[str, NodeResult] = field(default_factory=dict)
    started: frozenset[str] = frozenset()

    @property
    def unfinished(self) -> frozenset[str]:
        """Nodes that had started, and did not finish."""
        return self.started - self.finished.keys()


_EVENT = msgspec.json.Decoder(_Event)
_NODE_EVENT = msgspec.json.Decoder(_NodeEvent)
_STARTED = msgspec.json.Decoder(_Started)
_EVENTS = ("MainReportArgs", "NodeStart", "NodeFinished")
_NEEDLES = tuple(f'"{name}"'.encode() for name in _EVENTS)


def read_journal(file: Path, command: str = "dbt build") -> tuple[Journal, ...]:
    """The builds, or the other invocations of a command, in dbt's log file; a missing file has none."""
    if not file.is_file():
        return ()
    with file.open("rb") as lines:
        return read_invocations(lines, command)


def read_invocations(lines: Iterable[bytes], wanted: str = "dbt build") -> tuple[Journal, ...]:
    """The invocations of a command among the lines of dbt's log, in their order.

    One log holds all commands of a run, and `source freshness` and `docs generate` tell of nodes too. A torn line,
    and anything that is not an event, is passed over.
    """
    finished: dict[str, dict[str, NodeResult]] = {}
    started: dict[str, set[str]] = {}
    others: set[str] = set()
    for line in lines:
        # Most lines are something else: a look at the bytes spares the decoding of them.
        if not any(needle in line for needle in _NEEDLES):
            continue
        try:
            event = _EVENT.decode(line)
            invocation = event.info.invocation_id
            if event.info.name == "MainReportArgs":
                command = _STARTED.decode(event.data).args.invocation_command
                if command.startswith(wanted):
                    started[invocation], finished[invocation] = set(), {}
                else:
                    others.add(invocation)
            elif event.info.name in _EVENTS:
                node = _NODE_EVENT.decode(event.data)
                unique_id = node.node_info.unique_id
                started.setdefault(invocation, set())
                finished.setdefault(invocation, {})
                if event.info.name == "NodeStart":
                    started[invocation].add(unique_id)
                elif node.run_result is not None:
                    result = _result(unique_id, node.node_info.node_status, node.run_result)
                    finished[invocation][unique_id] = result
        except UNREADABLE:
            continue
    return tuple(
        Journal(finished=finished[invocation], started=frozenset(started[invocation]))
        for invocation in started
        if invocation not in others
    )


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
