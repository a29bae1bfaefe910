"""The Run: every node's final result, and what the whole of it amounts to. Frozen and pure.

``run.json`` in the run folder is this model as JSON. Its ``schema_version`` changes only when a field
changes its meaning or goes away; new fields may come at any time.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

import msgspec

SCHEMA_VERSION = 1


class Outcome(StrEnum):
    """What a node's status means for the verdict."""

    PASSED = "passed"
    WARNED = "warned"
    FAILED = "failed"
    SKIPPED = "skipped"


class Verdict(StrEnum):
    """The ``status`` output of a run."""

    SUCCESS = "success"
    WARN = "warn"
    FAILURE = "failure"
    ERROR = "error"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"


# dbt's statuses: dbt-core, core/dbt/artifacts/schemas/results.py. dbt adds new ones now and then, so this
# is an open list: a status that is not in it is shown as it is, and counts as failed.
_OUTCOMES = {
    "success": Outcome.PASSED,
    "pass": Outcome.PASSED,
    "no-op": Outcome.PASSED,
    "reused": Outcome.PASSED,
    "warn": Outcome.WARNED,
    "skipped": Outcome.SKIPPED,
}


_ENDED_BY_FORCE = {124: Verdict.TIMEOUT, 130: Verdict.CANCELLED}


def outcome_of(status: str) -> Outcome:
    """The outcome of a dbt status; an unknown status is never passed."""
    return _OUTCOMES.get(status, Outcome.FAILED)


class Problem(msgspec.Struct, frozen=True):
    """An error of the run as a whole, outside any node."""

    title: str
    message: str
    exit_code: int


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """One dbt command that the session ran. ``elapsed`` is in seconds."""

    name: str
    arguments: tuple[str, ...]
    started_at: str
    elapsed: float
    success: bool
    message: str = ""


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt at the build. ``delay`` is the wait before it, in seconds; ``causes`` are why there was another."""

    number: int
    delay: float = 0.0
    elapsed: float = 0.0
    causes: tuple[str, ...] = ()


class Continued(msgspec.Struct, frozen=True, kw_only=True):
    """The earlier run that a run continues: what it is called, and its page, if it has one.

    ``taken`` counts the nodes that were taken over; where there are none, ``reason`` says why everything was built.
    """

    run: str
    url: str = ""
    taken: int = 0
    reason: str = ""


class Installation(msgspec.Struct, frozen=True, kw_only=True):
    """What dbt was asked for (requirement lines, or what they came from) and what is there."""

    requested: tuple[str, ...]
    installed: Mapping[str, str]
    python: str


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """Where the run took place, as GitHub Actions tells it; empty strings outside of it."""

    repository: str = ""
    server_url: str = "https://github.com"
    workflow_file: str = ""
    run_id: str = ""
    run_attempt: str = ""
    event: str = ""
    sha: str = ""
    ref: str = ""

    @property
    def run_url(self) -> str:
        """The page of this workflow run, or an empty string outside GitHub."""
        if not self.run_id or not self.repository:
            return ""
        return f"{self.server_url}/{self.repository}/actions/runs/{self.run_id}"


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for: every input that is not a secret, as text, and where."""

    inputs: Mapping[str, str]
    context: Context


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """One node's final result.

    ``file`` is relative to the root of the repository. ``execution_time`` is in seconds, ``started_at`` and
    ``completed_at`` are ISO 8601 in UTC. ``blocks`` counts the nodes that were skipped because of this one, and
    ``tries`` in how many attempts it ran: 0 is taken over from an earlier run.
    """

    unique_id: str
    name: str
    resource_type: str
    status: str
    outcome: Outcome
    message: str = ""
    file: str = ""
    execution_time: float = 0.0
    started_at: str = ""
    completed_at: str = ""
    thread: str = ""
    failures: int | None = None
    adapter_response: Mapping[str, Any] = {}
    depends_on: tuple[str, ...] = ()
    relation_name: str = ""
    blocks: int = 0
    tries: int = 1


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One invocation of headless-dbt, complete. ``whole_project`` is whether everything that can be was selected."""

    schema_version: int = SCHEMA_VERSION
    headless_dbt_version: str
    status: Verdict
    exit_code: int
    problem: Problem | None
    started_at: str
    elapsed: float
    request: Request
    installation: Installation | None
    commands: tuple[Command, ...]
    attempts: tuple[Attempt, ...] = ()
    continued: Continued | None = None
    nodes: tuple[Node, ...]
    whole_project: bool = False

    def with_outcome(self, outcome: Outcome) -> tuple[Node, ...]:
        """The nodes of one outcome, in the order of the run."""
        return tuple(node for node in self.nodes if node.outcome is outcome)

    @property
    def failed(self) -> tuple[Node, ...]:
        """The failed nodes, those that block most first."""
        return tuple(sorted(self.with_outcome(Outcome.FAILED), key=lambda node: -node.blocks))


def judge(
    outcomes: Iterable[Outcome], problem: Problem | None, *, build_succeeded: bool, docs_succeeded: bool
) -> tuple[Verdict, int]:
    """The verdict and the exit code of a run.

    A failed node outranks everything but a cancel and the time limit: it is what somebody has to mend. Skipped nodes
    without a failed one, and a build that dbt itself calls failed, are never a success. No node at all is a warning,
    and so are docs that could not be generated.
    """
    seen = set(outcomes)
    if problem is not None and problem.exit_code in _ENDED_BY_FORCE:
        return _ENDED_BY_FORCE[problem.exit_code], problem.exit_code
    if Outcome.FAILED in seen:
        return Verdict.FAILURE, 1
    if problem is not None:
        return Verdict.ERROR, problem.exit_code
    if Outcome.SKIPPED in seen or not build_succeeded:
        return Verdict.FAILURE, 1
    if Outcome.WARNED in seen or not seen or not docs_succeeded:
        return Verdict.WARN, 0
    return Verdict.SUCCESS, 0


def count_blocked(nodes: Iterable[Node], parents: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    """How many skipped nodes each failed node stands in the way of: unique_id to count.

    ``parents`` maps every unique_id of the project to those it depends on, so that a way through a node
    that was not selected counts too. A failed test stands in the way of what comes after all that it tests, and
    a failed unit test in that of the model itself, although neither depends on the test: dbt build orders it so.
    """
    nodes = tuple(nodes)
    failed = {node.unique_id for node in nodes if node.outcome is Outcome.FAILED}
    blocked = dict.fromkeys(failed, 0)
    for node in nodes:
        if node.outcome is Outcome.SKIPPED:
            ancestors = _ancestors(node.unique_id, parents)
            for cause in failed:
                tested = set(parents.get(cause, ())) if cause.startswith(("test.", "unit_test.")) else set()
                before = ancestors | {node.unique_id} if cause.startswith("unit_test.") else ancestors
                blocked[cause] += cause in ancestors or bool(tested and tested <= before)
    return blocked


def _ancestors(unique_id: str, parents: Mapping[str, tuple[str, ...]]) -> set[str]:
    found: set[str] = set()
    waiting = list(parents.get(unique_id, ()))
    while waiting:
        parent = waiting.pop()
        if parent not in found:
            found.add(parent)
            waiting.extend(parents.get(parent, ()))
    return found
