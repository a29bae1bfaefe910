"""What a run says about the failure issues of its pipeline: what is new, what goes on, what has healed. Pure.

One open issue per pipeline: workflow file, target, project-dir, and the input ``issue-key``. With ``issue-per: owner``
it is one per owner of what broke. The issue is found by a hidden marker, whatever became of its title and labels, and
the marker keeps what is open, so that a run which did not select a node says nothing about it.
"""

import dataclasses
import json
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from msgspec.structs import replace

from headless_dbt.errors import RequestError
from headless_dbt.incident_state import ALL, DUPLICATE, KnownCause, Marked, State, marked
from headless_dbt.model import Cause, Outcome, Request, Run, Verdict
from headless_dbt.render.told import cause_title

# A failure so soon after is the same incident.
REOPENED_WITHIN = timedelta(days=7)


@dataclass(frozen=True)
class Issue:
    """An issue as GitHub has it. ``trusted`` is whether its author may write here; anybody may open an issue."""

    number: int
    body: str
    title: str = ""
    is_open: bool = True
    closed_at: datetime | None = None
    trusted: bool = True


@dataclass(frozen=True)
class Policy:
    """How the team wants its issues: the inputs of ``incident``."""

    labels: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()
    key: str = ""
    warnings_too: bool = False
    per_owner: bool = False


@dataclass(frozen=True)
class Assessment:
    """What a run says about one issue, which may not be there yet.

    ``known`` are the causes that stay open, those of this run (``failing``) first, in their order; ``new`` are keys
    among them. ``healed`` and ``moved`` (to another owner's issue) were open here and are not any more. ``earlier`` is
    the number of the issue before, where that is too old to be opened again. ``dropped`` counts what is open and found
    no room in the marker.
    """

    key: str
    part: str
    issue: Issue | None
    before: Marked
    failing: tuple[Cause, ...]
    known: tuple[KnownCause, ...] = ()
    new: frozenset[str] = frozenset()
    healed: tuple[KnownCause, ...] = ()
    moved: tuple[KnownCause, ...] = ()
    earlier: int | None = None
    dropped: int = 0

    @property
    def is_new_episode(self) -> bool:
        """Whether nothing of the pipeline is open now: an issue is opened, or opened again."""
        return self.issue is None or not self.issue.is_open


def pipeline_key(request: Request, issue_key: str = "") -> str:
    """What identifies a pipeline: 16 hexadecimal characters."""
    project_dir = posixpath.normpath(request.inputs.get("project-dir") or ".")
    parts = [request.context.workflow_file, request.inputs.get("target"), project_dir]
    return sha256(json.dumps([*parts, issue_key] if issue_key else parts).encode()).hexdigest()[:16]


def assess(
    run: Run, issues: Iterable[Issue], policy: Policy, owners: Mapping[str, tuple[str, ...]], now: datetime
) -> list[Assessment]:
    """What the run says about each issue of its pipeline, those that are there and those that shall be.

    ``owners`` are those of the causes, by their keys.
    """
    if run.status is Verdict.CANCELLED or _slip(run):
        return []
    key = pipeline_key(run.request, policy.key)
    there = [(issue, mark) for issue in issues if (mark := marked(issue.body, key)) and mark.part != DUPLICATE]
    failing = causes_of(run, policy)
    parts: dict[str, list[Cause]] = {mark.part: [] for _, mark in there}
    for cause in failing:
        owner = next(iter(owners.get(cause.key, ())), "")
        part = sha256(owner.encode()).hexdigest()[:8] if policy.per_owner else ALL
        parts.setdefault(part, []).append(cause)
    seen = _Seen(run, failing, warnings_too=policy.warnings_too)
    return [_assess_part(seen, key, part, causes, there, now) for part, causes in parts.items()]


def causes_of(run: Run, policy: Policy) -> tuple[Cause, ...]:
    """What of a run shall be in an issue."""
    warnings = run.warnings if policy.warnings_too else ()
    if run.status not in (Verdict.FAILURE, Verdict.ERROR, Verdict.TIMEOUT):
        return warnings
    if not run.causes:
        skipped = len(run.with_outcome(Outcome.SKIPPED))
        said = f"{skipped} nodes were skipped, although none failed." if skipped else "dbt says that the build failed."
        return (Cause(key=sha256(b"skipped").hexdigest()[:16], message=said), *warnings)
    return (*run.causes, *warnings)


@dataclass(frozen=True)
class _Seen:
    """What a run shows of single nodes."""

    run: Run
    failing: tuple[Cause, ...]
    warnings_too: bool
    outcomes: Mapping[str, Outcome] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "outcomes", {node.unique_id: node.outcome for node in self.run.nodes})

    def is_well(self, name: str) -> bool:
        """Whether a node ran and is not bad, or the whole project, which ran, has it no more."""
        outcome = self.outcomes.get(name)
        if outcome is None:
            return self.run.whole_project and self.run.problem is None
        return outcome is Outcome.PASSED or (outcome is Outcome.WARNED and not self.warnings_too)

    def is_over(self, known: KnownCause) -> bool:
        """Whether a cause that does not show any more, and none of whose nodes is left, is over."""
        if known.more:  # Its other nodes are not known by name.
            return self.is_complete
        return bool(known.nodes) or self.worked or self.run.problem is not None

    @property
    def is_complete(self) -> bool:
        """Whether the run left out nothing, so that it speaks for everything."""
        complete = self.run.whole_project and self.run.problem is None
        return complete and Outcome.SKIPPED not in self.outcomes.values()

    @property
    def worked(self) -> bool:
        """Whether the run got to a verdict on nodes: it heals what an earlier one as a whole suffered from."""
        ran = any(outcome is not Outcome.SKIPPED for outcome in self.outcomes.values())
        return self.run.problem is None and ran


def _assess_part(  # noqa: PLR0913, PLR0917
    seen: _Seen,
    key: str,
    part: str,
    failing: Sequence[Cause],
    there: Sequence[tuple[Issue, Marked]],
    now: datetime,
) -> Assessment:
    # Who may not write here can still copy the marker: such an issue counts only where there is no other.
    ours = [pair for pair in there if pair[1].part == part]
    ours.sort(key=lambda pair: (not pair[0].trusted, pair[0].number))
    last = max((pair for pair in ours if not pair[0].is_open), key=lambda pair: _closed_at(pair[0]), default=None)
    nobody = (None, Marked(key, part, State()))
    issue, before = next((pair for pair in ours if pair[0].is_open), nobody)
    if issue is not None:
        return _compared(seen, Assessment(key, part, issue, before, tuple(failing)))
    recent = last is not None and now - _closed_at(last[0]) <= REOPENED_WITHIN
    issue, before = last if last is not None and recent else nobody
    return Assessment(
        key,
        part,
        issue,
        before,
        tuple(failing),
        known=tuple(map(_known, failing)),
        new=frozenset(cause.key for cause in failing),
        earlier=last[0].number if last is not None and not recent else None,
    )


def _compared(seen: _Seen, found: Assessment) -> Assessment:
    """The assessment of an issue that is open: what it knows against what the run shows."""
    here = {cause.key: cause for cause in found.failing}
    cause_of = {name: cause.key for cause in seen.failing for name in cause.nodes}
    kept: dict[str, KnownCause] = {}
    still: list[KnownCause] = []
    healed: list[KnownCause] = []
    moved: list[KnownCause] = []
    for known in found.before.state.causes:
        # What version 1 of the marker knew has no key: it is the cause of one of its nodes.
        key = known.key or next((cause_of[name] for name in known.nodes if name in cause_of), "")
        left = tuple(name for name in known.nodes if not seen.is_well(name) and name not in cause_of)
        if key in here:
            kept[key] = replace(known, key=key, nodes=left)
        elif key in {cause.key for cause in seen.failing}:
            moved.append(known)
        elif left or not seen.is_over(known):
            still.append(replace(known, nodes=left))
        elif any(map(seen.is_well, known.nodes)) or (not known.nodes and seen.run.problem is None):
            healed.append(known)
        # Else its nodes fail for another cause now, which is new: that is all there is to say.
    joined = (_joined(kept[cause.key], cause) if cause.key in kept else _known(cause) for cause in found.failing)
    dropped = 0 if seen.is_complete else found.before.state.dropped
    # Where causes found no room in the state nobody can say which are new: better no comment than one a night.
    new = frozenset() if found.before.state.dropped else frozenset(here.keys() - kept.keys())
    stay_open = (*joined, *still)
    return dataclasses.replace(
        found, known=stay_open, new=new, healed=tuple(healed), moved=tuple(moved), dropped=dropped
    )


def _known(cause: Cause) -> KnownCause:
    return KnownCause(key=cause.key, title=cause_title(cause), nodes=cause.nodes)


def _joined(known: KnownCause, cause: Cause) -> KnownCause:
    """A cause that goes on: with its nodes of now, and those of before that nothing is known of."""
    nodes = (*cause.nodes, *(name for name in known.nodes if name not in cause.nodes))
    return replace(known, title=cause_title(cause), nodes=nodes)


def _closed_at(issue: Issue) -> datetime:
    return issue.closed_at or datetime.min.replace(tzinfo=UTC)


def _slip(run: Run) -> bool:
    """Somebody pressed the button with a wrong input: they see it, and no later run could heal it."""
    wrong = run.problem is not None and run.problem.exit_code == RequestError.exit_code
    return wrong and run.request.context.event == "workflow_dispatch"
