"""What to do about a failure issue, as a plan: an assessment, and what GitHub knows beside, give it. Pure."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from msgspec.structs import replace

from headless_dbt.assessment import Assessment, Policy, is_late
from headless_dbt.incident_state import END, MOST_STATE, KnownCause, Moment, State, Suspect, marker
from headless_dbt.model import TIME_FORMAT, Cause, Run
from headless_dbt.render.comments import render_closing, render_news
from headless_dbt.render.issue import OUR_TITLE, render_body, render_title
from headless_dbt.render.told import Told, run_link

# GitHub takes 65,536 characters a body.
MOST_BODY = 65_000
# GitHub takes ten: https://docs.github.com/en/rest/issues/assignees
MOST_ASSIGNEES = 10


@dataclass(frozen=True)
class Findings:
    """What GitHub and the checkout know beside the run: owners by node, the rest by the key of a cause.

    ``searched`` are the keys of those for which all commits since the green one were looked at.
    """

    owners: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    assignable: frozenset[str] = frozenset()
    green: Mapping[str, str] = field(default_factory=dict)
    suspects: Mapping[str, tuple[Suspect, ...]] = field(default_factory=dict)
    searched: frozenset[str] = frozenset()

    def owners_of(self, cause: Cause) -> tuple[str, ...]:
        """The owners of a cause's nodes."""
        return tuple(dict.fromkeys(owner for name in cause.nodes for owner in self.owners.get(name, ())))


@dataclass(frozen=True)
class Plan:
    """What to do about one issue: without a ``number`` open one.

    ``title`` and ``comment`` are None where nothing is to be said; ``is_open`` is what the issue shall be. ``news``
    identifies the comment, so that it is written once, however often it has to be tried.
    """

    number: int | None
    key: str
    part: str
    body: str
    title: str | None
    comment: str | None = None
    news: str = ""
    is_open: bool = True
    was_open: bool = True
    labels: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()


def make_plan(  # noqa: PLR0913, PLR0917
    found: Assessment, run: Run, policy: Policy, findings: Findings, artifact_url: str, now: datetime
) -> Plan | None:
    """What to do about one issue; None is nothing."""
    before = found.before.state
    if not found.failing and (found.is_new_episode or (found.known, found.dropped) == (before.causes, before.dropped)):
        return None
    moment = _moment(run, now)
    over = not found.known and not found.dropped
    state = replace(
        State(opened=moment) if found.is_new_episode else before,
        last=before.last if is_late(run, before) else moment,
        dropped=found.dropped,
        causes=tuple(_enriched(cause, findings, moment) if cause.key in found.new else cause for cause in found.known),
    )
    is_open = found.issue is not None and found.issue.is_open
    told = Told(
        run=run,
        state=state,
        failing=found.failing,
        new=found.new,
        healed=found.healed,
        moved=found.moved,
        owners={cause.key: findings.owners_of(cause) for cause in found.failing},
        assignable=findings.assignable,
        artifact_url=artifact_url,
        earlier=found.earlier,
        reopened=found.is_new_episode and found.issue is not None,
        closed_by_hand=found.issue is not None and not is_open and not found.is_new_episode,
        before=before.last,
        sections=found.before.sections,
        now=now,
    )
    title = render_title(told)
    state = replace(state, title=title)
    assignees = _assignees(found, policy, findings) if found.new else ()
    plan = Plan(key=found.key, part=found.part, number=None, body=_body(found, state, told), title=title)
    if found.issue is None:
        return dataclasses.replace(plan, labels=policy.labels, assignees=assignees)
    plan = dataclasses.replace(plan, number=found.issue.number, was_open=is_open, news=_news(found))
    if over or not _is_ours(found.issue.title, before):
        plan = dataclasses.replace(plan, title=None, body=_body(found, replace(state, title=before.title), told))
    if over:
        return dataclasses.replace(plan, is_open=False, comment=render_closing(told))
    comment = render_news(told) if found.new or found.healed or not is_open else None
    return dataclasses.replace(plan, comment=comment, assignees=assignees)


def _is_ours(title: str, before: State) -> bool:
    """Whether a title is still as it was written here: one that a person wrote, or changed, stays."""
    return title == before.title if before.title else title.startswith(OUR_TITLE)


def _news(found: Assessment) -> str:
    before = found.before.state.last
    healed = sorted(cause.key + cause.title for cause in (*found.healed, *found.moved))
    return sha256(repr((before, sorted(found.new), healed)).encode()).hexdigest()[:16]


def _enriched(known: KnownCause, findings: Findings, moment: Moment) -> KnownCause:
    return replace(
        known,
        since=moment,
        green=findings.green.get(known.key, ""),
        suspects=findings.suspects.get(known.key, ()),
        searched=known.key in findings.searched,
    )


def _body(found: Assessment, state: State, told: Told) -> str:
    """The body: the generated part in place of the one before; what people wrote around it stays."""
    before = found.before
    room = MOST_BODY - len(END) - len(before.above) - len(before.below) - 4
    head = marker(found.key, found.part, state, min(MOST_STATE, room // 3))
    text = render_body(told, max(0, room - len(head)))
    if len(text) > room - len(head):  # People wrote so much that there is room for no more than a word.
        text = f"See {run_link(told)}."
    return f"{before.above}{head}\n{text}\n\n{END}{before.below}"


def _assignees(found: Assessment, policy: Policy, findings: Findings) -> tuple[str, ...]:
    """Whom to assign for what is new: nobody again who was assigned for what goes on, and may have left."""
    new = (cause for cause in found.failing if cause.key in found.new)
    owners = (owner.removeprefix("@") for cause in new for owner in findings.owners_of(cause))
    wanted = dict.fromkeys((*(policy.assignees if found.is_new_episode else ()), *owners))
    return tuple(login for login in wanted if login in findings.assignable)[:MOST_ASSIGNEES]


def _moment(run: Run, now: datetime) -> Moment:
    context = run.request.context
    return Moment(run=context.run_id, started=run.started_at, at=now.strftime(TIME_FORMAT), sha=context.sha)
