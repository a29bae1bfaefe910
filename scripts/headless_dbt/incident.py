"""What to do about a failure issue, as a plan: an assessment, and what GitHub knows beside, give it. Pure."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from msgspec.structs import replace

from headless_dbt.assessment import Assessment, Policy
from headless_dbt.incident_state import END, KnownCause, Moment, State, Suspect, marker
from headless_dbt.model import Run
from headless_dbt.render.comments import render_closing, render_news
from headless_dbt.render.issue import OUR_TITLE, render_body, render_title
from headless_dbt.render.told import Told

# GitHub takes 65,536 characters a body.
MOST_BODY = 65_000
# GitHub takes ten: https://docs.github.com/en/rest/issues/assignees
MOST_ASSIGNEES = 10


@dataclass(frozen=True)
class Findings:
    """What GitHub and the checkout know beside the run, by the key of a cause."""

    owners: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    assignable: frozenset[str] = frozenset()
    green: Mapping[str, str] = field(default_factory=dict)
    suspects: Mapping[str, tuple[Suspect, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """What to do about one issue: without a ``number`` open one.

    ``title`` and ``comment`` are None where nothing is to be said; ``is_open`` is what the issue shall be.
    """

    number: int | None
    key: str
    part: str
    body: str
    title: str | None
    comment: str | None = None
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
        last=moment,
        dropped=found.dropped,
        causes=tuple(_enriched(cause, findings, moment) if cause.key in found.new else cause for cause in found.known),
    )
    told = Told(
        run=run,
        state=state,
        failing=found.failing,
        new=found.new,
        healed=found.healed,
        moved=found.moved,
        owners=findings.owners,
        assignable=findings.assignable,
        artifact_url=artifact_url,
        earlier=found.earlier,
        reopened=found.is_new_episode and found.issue is not None,
        before=before.last,
        sections=found.before.sections,
        now=now,
    )
    plan = Plan(key=found.key, part=found.part, number=None, body=_body(found, state, told), title=render_title(told))
    assignees = _assignees(found, policy, findings) if found.new else ()
    if found.issue is None:
        return dataclasses.replace(plan, labels=policy.labels, assignees=assignees)
    plan = dataclasses.replace(plan, number=found.issue.number, was_open=found.issue.is_open)
    if over or not found.issue.title.startswith(OUR_TITLE):  # A title that a person wrote stays.
        plan = dataclasses.replace(plan, title=None)
    if over:
        return dataclasses.replace(plan, is_open=False, comment=render_closing(told))
    comment = render_news(told) if found.new or found.healed else None
    return dataclasses.replace(plan, comment=comment, assignees=assignees)


def _enriched(known: KnownCause, findings: Findings, moment: Moment) -> KnownCause:
    return replace(
        known,
        since=moment,
        green=findings.green.get(known.key, ""),
        suspects=findings.suspects.get(known.key, ()),
    )


def _body(found: Assessment, state: State, told: Told) -> str:
    """The body: the generated part in place of the one before; what people wrote around it stays."""
    head = marker(found.key, found.part, state)
    around = len(head) + len(END) + len(found.before.above) + len(found.before.below) + 4
    text = render_body(told, max(0, MOST_BODY - around))
    return f"{found.before.above}{head}\n{text}\n\n{END}{found.before.below}"


def _assignees(found: Assessment, policy: Policy, findings: Findings) -> tuple[str, ...]:
    owners = (owner.removeprefix("@") for cause in found.failing for owner in findings.owners.get(cause.key, ()))
    wanted = dict.fromkeys((*policy.assignees, *owners))
    return tuple(login for login in wanted if login in findings.assignable)[:MOST_ASSIGNEES]


def _moment(run: Run, now: datetime) -> Moment:
    context = run.request.context
    return Moment(run=context.run_id, at=now.strftime("%Y-%m-%dT%H:%M:%SZ"), sha=context.sha)
