"""The Run: every node's final result, and what the whole of it amounts to. Frozen and pure.

``run.json`` in the run folder is this model as JSON. Its ``schema_version`` changes only when a field
changes its meaning or goes away; new fields may come at any time.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

import msgspec

SCHEMA_VERSION = 1
# How every file of a run, and the state of an issue, has its times, in UTC.
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


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
    """An error of the run as a whole, outside any node.

    ``file`` (relative to the root of the repository) and ``line`` (from 1) are where it is; empty and 0 are unknown.
    ``advice`` is what to change, where that is certain: a sentence or two, with what is code between backticks.
    """

    title: str
    message: str
    exit_code: int
    file: str = ""
    line: int = 0
    advice: str = ""


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

    @property
    def dbt(self) -> str:
        """The version of dbt: dbt 2 is the package ``dbt``."""
        return self.installed.get("dbt") or self.installed.get("dbt-core", "")


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
        return f"{self.repository_url}/actions/runs/{self.run_id}"

    @property
    def repository_url(self) -> str:
        """The page of the repository; only where there is one."""
        return f"{self.server_url}/{self.repository}"


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for: every input that is not a secret, as text, and where."""

    inputs: Mapping[str, str]
    context: Context

    @property
    def is_check(self) -> bool:
        """Whether the warehouse was to be tried, and nothing built."""
        return self.inputs.get("check", "").lower() == "true"


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """What people use of the project: a dashboard, a notebook, an application."""

    unique_id: str
    name: str
    kind: str = ""
    url: str = ""
    owner: str = ""
    depends_on: tuple[str, ...] = ()


class Freshness(msgspec.Struct, frozen=True, kw_only=True):
    """How old the data of a source is: seconds, where known. ``loaded_at`` is ISO 8601.

    From ``warn_after`` and ``error_after`` seconds on it is too old; None where the project sets no such bound.
    """

    loaded_at: str = ""
    age: float | None = None
    warn_after: float | None = None
    error_after: float | None = None


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """One node's final result.

    ``file`` is relative to the root of the repository, and so is ``properties_file``, the YAML file that describes it.
    ``execution_time`` is in seconds, and what is known of its parts too: ``compile_time``, ``execute_time``, and before
    it ``waiting_time``, in which all that it depends on was done and no thread was free. ``started_at`` and
    ``completed_at`` are ISO 8601 in UTC. ``blocks`` counts the nodes that were skipped because of this one, and
    ``tries`` in how many attempts it ran: 0 is taken over from an earlier run.

    ``depends_on`` also names the steps outside of dbt that produce a source or a seed, see Neighbour. ``attached_to``
    is the node that a test tests. ``owners`` are as dbt's files name them. ``rows``, ``bytes_processed``,
    ``bytes_billed`` and ``slot_ms`` are the warehouse's word, None where it says nothing; ``cost`` is in US dollars.

    ``advice`` is of what failed: what to change, where the message makes it certain, see Problem.

    Only what failed or warned has ``line`` (of ``file``, from 1; 0 is unknown) and ``touched_by``: the files that may
    be why, its own, those of what it depends on, and of their macros and properties.
    """

    unique_id: str
    name: str
    resource_type: str
    status: str
    outcome: Outcome
    message: str = ""
    advice: str = ""
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
    line: int = 0
    compiled_code: str = ""
    group: str = ""
    owners: tuple[str, ...] = ()
    touched_by: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    description: str = ""
    materialized: str = ""
    package: str = ""
    properties_file: str = ""
    attached_to: str = ""
    compile_time: float = 0.0
    execute_time: float = 0.0
    waiting_time: float = 0.0
    rows: int | None = None
    bytes_processed: int | None = None
    bytes_billed: int | None = None
    slot_ms: int | None = None
    cost: float | None = None
    freshness: Freshness | None = None


class Neighbour(msgspec.Struct, frozen=True, kw_only=True):
    """What lies up or down of the nodes of a run, and has no result in it.

    A source, an exposure, a node that was not selected; or a ``step`` outside of dbt, which the project names in
    ``meta.produced_by`` of what the step produces.
    """

    unique_id: str
    name: str
    resource_type: str
    depends_on: tuple[str, ...] = ()
    file: str = ""
    description: str = ""
    kind: str = ""
    url: str = ""
    group: str = ""
    owners: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What the queries of a run cost: the bytes billed, over all attempts, at a price on demand.

    A run that has no list of its jobs, such as a plain dbt's, knows the last statement of each node alone.

    ``usd`` is in US dollars, ``usd_per_tib`` the price of 2**40 bytes. A project that pays for capacity instead sets
    the price to 0, and there is no cost.
    """

    usd: float
    usd_per_tib: float
    bytes_billed: int


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a run needs of the warehouse, tried without building anything.

    ``passed`` is None where it was not tried. ``advice`` says what to change, where that is known.
    """

    name: str
    subject: str
    passed: bool | None
    message: str = ""
    advice: str = ""


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is broken. ``key`` identifies it over runs.

    ``nodes`` are the unique ids of what failed by itself, those that block most first; none is a problem of the run as
    a whole. ``explains`` are failed nodes that depend on them, ``blocks`` counts the skipped ones, and ``exposures``
    are those that show old or wrong data for it.
    """

    key: str
    nodes: tuple[str, ...] = ()
    explains: tuple[str, ...] = ()
    blocks: int = 0
    exposures: tuple[Exposure, ...] = ()
    message: str = ""


class Previous(msgspec.Struct, frozen=True, kw_only=True):
    """The run before this one: what it is called, and its page, if it has one. ``nodes`` counts its results."""

    name: str
    url: str = ""
    started_at: str = ""
    elapsed: float = 0.0
    sha: str = ""
    status: str
    nodes: int = 0


class StatusChange(msgspec.Struct, frozen=True, kw_only=True):
    """A node's dbt status then and now; ``before`` is empty where it had no result then."""

    unique_id: str
    before: str
    now: str


class PaceChange(msgspec.Struct, frozen=True, kw_only=True):
    """A node's execution time then and now, in seconds."""

    unique_id: str
    before: float
    now: float


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What differs from the previous run of the same request.

    ``broken`` are those that failed now and not then, also where they were skipped or not there then; they and
    ``still_failing`` stand in the order of the causes. ``mended`` passed or only warned now, and failed or were skipped
    then. What was skipped now is in none of the three.

    ``added`` have a result now and had none then, ``removed`` the other way round; both are empty where a run that
    ended early has no say. ``slower`` and ``faster`` passed and ran in both runs, and took at least 1.5 times as long
    and 5 seconds longer in one of them; the largest difference comes first.
    """

    previous: Previous
    broken: tuple[StatusChange, ...] = ()
    still_failing: tuple[StatusChange, ...] = ()
    mended: tuple[StatusChange, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    slower: tuple[PaceChange, ...] = ()
    faster: tuple[PaceChange, ...] = ()


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One invocation of headless-dbt, complete. ``whole_project`` is whether everything that can be was selected.

    ``causes`` are of what failed, ``warnings`` of what warned. ``critical_path`` are the unique ids of the nodes, from
    the first to the last, that no number of threads would have made faster. ``adapter`` is dbt's name of the
    warehouse's kind, ``cost`` None where it is not known.
    """

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
    checks: tuple[Check, ...] = ()
    nodes: tuple[Node, ...]
    causes: tuple[Cause, ...] = ()
    warnings: tuple[Cause, ...] = ()
    whole_project: bool = False
    adapter: str = ""
    neighbours: tuple[Neighbour, ...] = ()
    critical_path: tuple[str, ...] = ()
    cost: Cost | None = None
    changes: Changes | None = None

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
        return Verdict.FAILURE if problem.exit_code == 1 else Verdict.ERROR, problem.exit_code
    if Outcome.SKIPPED in seen or not build_succeeded:
        return Verdict.FAILURE, 1
    if Outcome.WARNED in seen or not seen or not docs_succeeded:
        return Verdict.WARN, 0
    return Verdict.SUCCESS, 0
