"""What a run says about the failure issues of its pipeline: what is new, what goes on, what has healed. Pure.

One open issue per pipeline: workflow file, target, project-dir, and the input ``issue-key``. With ``issue-per: owner``
it is one per owner of what broke. The issue is found by a hidden marker, whatever became of its title and labels, and
the marker keeps what is open, so that a run which did not select a node says nothing about it.
"""

import dataclasses
import json
import posixpath
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
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
    no room in the marker. With ``is_new_episode`` nothing of the pipeline was open.
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
    is_new_episode: bool = False


def pipeline_key(request: Request, issue_key: str = "") -> str:
    """What identifies a pipeline: 16 hexadecimal characters."""
    project_dir = posixpath.normpath(request.inputs.get("project-dir") or ".")
    parts = [request.context.workflow_file, request.inputs.get("target"), project_dir]
    return sha256(json.dumps([*parts, issue_key] if issue_key else parts).encode()).hexdigest()[:16]


def assess(  # noqa: PLR0913, PLR0917
    run: Run,
    issues: Iterable[Issue],
    policy: Policy,
    owners: Mapping[str, tuple[str, ...]],
    existing: Collection[str] | None,
    now: datetime,
) -> list[Assessment]:
    """What the run says about each issue of its pipeline, those that are there and those that shall be.

    ``owners`` are those of nodes, ``existing`` all that the project has, both by unique_id; None is unknown.
    """
    if run.status is Verdict.CANCELLED or _slip(run) or _is_trial(run):
        return []
    key = pipeline_key(run.request, policy.key)
    there = [(issue, mark) for issue in issues if (mark := marked(issue.body, key)) and mark.part != DUPLICATE]
    if any(issue.trusted for issue, _ in there):
        # Who may not write here can still copy the marker: such an issue counts only where there is no other.
        there = [(issue, mark) for issue, mark in there if issue.trusted]
    parts: dict[str, list[Cause]] = {mark.part: [] for _, mark in there}
    for part, cause in _parted(causes_of(run, policy), owners if policy.per_owner else None):
        parts.setdefault(part, []).append(cause)
    failing = [cause for causes in parts.values() for cause in causes]
    seen = _Seen(run, failing, existing, warnings_too=policy.warnings_too)
    return [_assess_part(seen, key, part, causes, there, now) for part, causes in parts.items()]


def _parted(causes: Iterable[Cause], owners: Mapping[str, tuple[str, ...]] | None) -> Iterator[tuple[str, Cause]]:
    """Each cause with the part of the pipeline's issues that it belongs to; several owners have a share each."""
    for cause in causes:
        if owners is None:
            yield ALL, cause
            continue
        shares: dict[str, list[str]] = {}
        for name in cause.nodes:
            shares.setdefault(next(iter(owners.get(name, ())), ""), []).append(name)
        for owner, names in (shares or {"": []}).items():
            share = cause if len(shares) < 2 else replace(cause, nodes=tuple(names))
            yield sha256(owner.encode()).hexdigest()[:8], share


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
    failing: Sequence[Cause]
    existing: Collection[str] | None
    warnings_too: bool
    outcomes: Mapping[str, Outcome] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "outcomes", {node.unique_id: node.outcome for node in self.run.nodes})

    def is_well(self, name: str) -> bool:
        """Whether a node ran and is not bad, or the project has it no more."""
        outcome = self.outcomes.get(name)
        if outcome is None:
            return self.existing is not None and name not in self.existing
        return outcome is Outcome.PASSED or (outcome is Outcome.WARNED and not self.warnings_too)

    def is_over(self, known: KnownCause) -> bool:
        """Whether a cause that does not show any more, and none of whose nodes is left, is over."""
        if not known.more and not known.whole and known.nodes:
            return True
        # What is not known by name, and what the run as a whole suffered from, only a run of as much can heal.
        as_much = self.run.whole_project or not known.asked or known.asked == asked(self.run.request)
        if known.more:
            return as_much and self.is_complete
        return as_much and (self.worked or self.run.problem is not None)

    @property
    def is_complete(self) -> bool:
        """Whether all that was selected ran."""
        return self.run.problem is None and Outcome.SKIPPED not in self.outcomes.values()

    @property
    def worked(self) -> bool:
        """Whether the run got to a verdict on nodes."""
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
    ours = sorted((pair for pair in there if pair[1].part == part), key=lambda pair: pair[0].number)
    last = max((pair for pair in ours if not pair[0].is_open), key=lambda pair: _closed_at(pair[0]), default=None)
    nobody = (None, Marked(key, part, State()))
    issue, before = next((pair for pair in ours if pair[0].is_open), nobody)
    recent = last is not None and now - _closed_at(last[0]) <= REOPENED_WITHIN
    if issue is None and failing and last is not None and recent:
        issue, before = last
    found = Assessment(key, part, issue, before, tuple(failing))
    # One that a person closed knows causes still: it is the same incident.
    if issue is not None and (issue.is_open or before.state.causes):
        return _compared(seen, found)
    known = tuple(_known(cause, seen.run.request) for cause in failing)
    new = frozenset(cause.key for cause in failing)
    earlier = last[0].number if last is not None and not recent else None
    return dataclasses.replace(found, known=known, new=new, earlier=earlier, is_new_episode=True)


def _compared(seen: _Seen, found: Assessment) -> Assessment:
    """The assessment of an incident that is open: what its issue knows against what the run shows."""
    state = found.before.state
    here = {cause.key: cause for cause in found.failing}
    cause_of = {name: cause.key for cause in seen.failing for name in cause.nodes}
    late = is_late(seen.run, state)
    kept: dict[str, KnownCause] = {}
    still: list[KnownCause] = []
    healed: list[KnownCause] = []
    moved: list[KnownCause] = []
    for known in state.causes:
        # What version 1 of the marker knew has no key: it is the cause of one of its nodes.
        key = known.key or next((cause_of[name] for name in known.nodes if name in cause_of), "")
        well = tuple(name for name in known.nodes if not late and seen.is_well(name))
        left = tuple(name for name in known.nodes if name not in well and name not in cause_of)
        if key in here:
            kept[key] = replace(known, key=key, nodes=left)
        elif left or late or not seen.is_over(known):
            still.append(replace(known, nodes=left))
        elif well or (not known.nodes and seen.run.problem is None):
            healed.append(_only(known, well))
        elif any(cause_of.get(name) not in here for name in known.nodes):
            moved.append(known)
        # Else its nodes fail for another cause now, which is new: that is all there is to say.
    joined = (
        _joined(kept[cause.key], cause) if cause.key in kept else _known(cause, seen.run.request)
        for cause in found.failing
    )
    complete = seen.is_complete and seen.run.whole_project and not late
    # Where causes found no room in the state nobody can say which are new: better no comment than one a night.
    new = frozenset() if state.dropped else frozenset(here.keys() - kept.keys())
    return dataclasses.replace(
        found,
        known=(*joined, *still),
        new=new,
        healed=tuple(healed),
        moved=tuple(moved),
        dropped=0 if complete else state.dropped,
    )


def is_late(run: Run, state: State) -> bool:
    """Whether a run is told of late: it says what is broken, and nothing of what has healed since."""
    return bool(state.last.started) and run.started_at < state.last.started


def asked(request: Request) -> str:
    """What identifies the selection of a run."""
    given = [request.inputs.get(name, "") for name in ("select", "exclude", "selector")]
    return sha256(json.dumps(given).encode()).hexdigest()[:8]


def _known(cause: Cause, request: Request) -> KnownCause:
    nodes = cause.nodes or cause.explains
    return KnownCause(key=cause.key, title=cause_title(cause), nodes=nodes, whole=not cause.nodes, asked=asked(request))


def _joined(known: KnownCause, cause: Cause) -> KnownCause:
    """A cause that goes on: with its nodes of now, and those of before that nothing is known of."""
    now = cause.nodes or cause.explains
    nodes = (*now, *(name for name in known.nodes if name not in now))
    return replace(known, title=cause_title(cause), nodes=nodes)


def _only(known: KnownCause, names: tuple[str, ...]) -> KnownCause:
    """What has healed of a cause, where the rest of it fails for another reason now."""
    if not names or len(names) == len(known.nodes):
        return known
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return replace(known, title=names[0].split(".", 2)[-1] + more)


def _closed_at(issue: Issue) -> datetime:
    return issue.closed_at or datetime.min.replace(tzinfo=UTC)


def _is_trial(run: Run) -> bool:
    """What a pull request brings is not in production yet, and a build of no rows, or of some, says nothing of it."""
    arguments = run.request.inputs.get("dbt-args", "").split()
    of_some = any(argument.partition("=")[0] in ("--empty", "--sample") for argument in arguments)
    return of_some or run.request.context.event in ("pull_request", "pull_request_target", "merge_group")


def _slip(run: Run) -> bool:
    """Somebody pressed the button with a wrong input: they see it, and no later run could heal it."""
    wrong = run.problem is not None and run.problem.exit_code == RequestError.exit_code
    return wrong and run.request.context.event == "workflow_dispatch"
