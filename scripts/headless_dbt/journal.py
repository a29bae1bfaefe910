"""The journal: dbt's own JSON log, read line by line. It also tells of a run that was killed.

dbt writes and flushes one JSON object a line; NodeStart and NodeFinished frame each node, and NodeFinished
holds its whole result. dbt 2 leaves the message of a failed node out of it, and tells it in an event of its own. That
outranks a success: of nodes that SIGINT ended, its NodeFinished may say that they succeeded. A test that cannot run is
to it one that fails, or warns, as its severity is; the error is in such an event, or in that of its query.
Source: https://docs.getdbt.com/reference/events-logging, and dbt-core's core/dbt/events/core_types.proto.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from headless_dbt.artifacts import UNREADABLE, NodeResult, Timing
from headless_dbt.model import Outcome, outcome_of


class _Info(msgspec.Struct):
    name: str = ""
    invocation_id: str = ""
    level: str = ""
    msg: str = ""


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
    node_started_at: str = ""
    node_finished_at: str = ""


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


class _NoNode(msgspec.Struct):
    """An event of dbt 2 that may, or may not, be of a node."""

    node_info: _NodeInfo | None = None


@dataclass(frozen=True)
class Journal:
    """What the journal tells of one dbt command: every finished node's result, and which nodes had started."""

    finished: Mapping[str, NodeResult] = field(default_factory=dict)
    started: frozenset[str] = frozenset()
    # Those that dbt 2 broke off itself, at a signal or because another one failed.
    cancelled: frozenset[str] = frozenset()

    @property
    def unfinished(self) -> frozenset[str]:
        """Nodes that had started, and did not finish."""
        return self.started - self.finished.keys()


_EVENT = msgspec.json.Decoder(_Event)
_NODE_EVENT = msgspec.json.Decoder(_NodeEvent)
_STARTED = msgspec.json.Decoder(_Started)
_MAYBE_OF_A_NODE = msgspec.json.Decoder(_NoNode)
_EVENTS = ("MainReportArgs", "NodeStart", "NodeFinished", "Generic")
# A query of dbt 2 that was refused: lines that say so, and then its text.
_REFUSED = re.compile(
    r"(?:-- [^\n]*\n)*?-- outcome: error\n(?:-- [^\n]*\n)*?-- error message: (?:\w+: )?(.*?)\n-- dialect: ", re.DOTALL
)
_NEEDLES = (*(f'"{name}"'.encode() for name in _EVENTS), b"-- outcome: error")
# What dbt 2 puts around an error of a node.
_MARK = re.compile(r"^\[error\]:? ?(?:\[(\w+) [^\]]*\]: )?")
_OF_A_TEST = re.compile(r"^Error materializing (test \S+ \(.*)\. Treating as failing test\.$", re.DOTALL)
_CANCELLED = "TaskCancelled"
TESTS = ("test.", "unit_test.")


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
    invocations: dict[str, _Invocation] = {}
    for line in lines:
        # Most lines are something else: a look at the bytes spares the decoding of them.
        if not any(needle in line for needle in _NEEDLES):
            continue
        try:
            event = _EVENT.decode(line)
            invocations.setdefault(event.info.invocation_id, _Invocation()).take(event)
        except UNREADABLE:
            continue
    return tuple(each.journal() for each in invocations.values() if each.is_of(wanted))


@dataclass
class _Invocation:
    """What the events of one invocation have told so far. Without its first one, its command is not known."""

    command: str = ""
    nodes: bool = False
    finished: dict[str, NodeResult] = field(default_factory=dict)
    started: set[str] = field(default_factory=set)
    errors: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    of_no_node: list[str] = field(default_factory=list)
    cancelled: set[str] = field(default_factory=set)

    def take(self, event: _Event) -> None:
        """Take one event. Raises one of UNREADABLE."""
        match event.info.name:
            case "MainReportArgs":
                self.command = _STARTED.decode(event.data).args.invocation_command
            case "Generic" if event.info.level == "error":
                self.take_error(_MAYBE_OF_A_NODE.decode(event.data).node_info, event.info.msg)
            case "SQLQuery":
                about, refused = _MAYBE_OF_A_NODE.decode(event.data).node_info, _REFUSED.match(event.info.msg)
                if about is not None and refused:
                    self.refused[about.unique_id] = refused[1]
            case "NodeStart" | "NodeFinished" as name:
                node = _NODE_EVENT.decode(event.data)
                unique_id, self.nodes = node.node_info.unique_id, True
                if name == "NodeStart":
                    self.started.add(unique_id)
                elif node.run_result is not None:
                    self.finished[unique_id] = _result(node.node_info, node.run_result)

    def take_error(self, about: _NodeInfo | None, said: str) -> None:
        """Take an error that dbt 2 tells in an event of its own."""
        mark = _MARK.match(said)
        message = _OF_A_TEST.sub(r"Database Error in \1", said[mark.end() :] if mark else said)
        if about is None:
            self.of_no_node.append(message)
            return
        self.errors[about.unique_id] = message
        if mark and mark[1] == _CANCELLED:
            self.cancelled.add(about.unique_id)

    def is_of(self, wanted: str) -> bool:
        """Whether it is one of this command, as far as is known."""
        return self.command.startswith(wanted) if self.command else self.nodes

    def journal(self) -> Journal:
        """What it comes to."""
        finished = {unique_id: self.with_error(result) for unique_id, result in self.finished.items()}
        return Journal(finished, frozenset(self.started), frozenset(self.cancelled))

    def with_error(self, result: NodeResult) -> NodeResult:
        """A result with the error that dbt 2 tells apart from it."""
        said = self.errors.get(result.unique_id)
        is_test = result.unique_id.startswith(TESTS)
        is_empty_warning = outcome_of(result.status) is Outcome.WARNED and not result.failures
        if said is None and is_test and is_empty_warning:
            said = self.refused.get(result.unique_id)
        if said is not None:
            could_not_run = is_test or outcome_of(result.status) is Outcome.PASSED
            return msgspec.structs.replace(
                result,
                status="error" if could_not_run else result.status,
                message=said,
                failures=None if is_test else result.failures,
            )
        if result.status == "error" and not result.message:
            # Such as that of a seed whose file cannot be read.
            return msgspec.structs.replace(result, message="\n".join(self.of_no_node))
        return result


def _result(node: _NodeInfo, result: _RunResult) -> NodeResult:
    whole = [Timing(name="execute", started_at=node.node_started_at, completed_at=node.node_finished_at)]
    return NodeResult(
        unique_id=node.unique_id,
        status=result.status or node.node_status,
        message=result.message,
        execution_time=result.execution_time,
        thread_id=result.thread,
        failures=result.num_failures,
        timing=result.timing_info or (whole if node.node_finished_at else []),
        adapter_response=result.adapter_response,
    )
