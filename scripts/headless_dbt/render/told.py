"""What the failure issue tells of, and the words that its body and its comments share. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from urllib.parse import quote

from headless_dbt.incident_state import KnownCause, Moment, State
from headless_dbt.model import TIME_FORMAT, Cause, Node, Run
from headless_dbt.render.markdown import code, plain, shorten
from headless_dbt.render.words import counted, duration

# How many names, and how many lines, a list shows before it counts the rest.
MOST_NAMES, MOST_LINES = 10, 50


@dataclass(frozen=True)
class Told:
    """All that an issue tells of: the run, what the issue knew before it, and what GitHub knows beside.

    ``before`` is the last run that wrote it, ``sections`` what it said then of each cause.
    """

    run: Run
    state: State
    now: datetime
    failing: tuple[Cause, ...] = ()
    new: frozenset[str] = frozenset()
    healed: tuple[KnownCause, ...] = ()
    moved: tuple[KnownCause, ...] = ()
    owners: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    assignable: frozenset[str] = frozenset()
    artifact_url: str = ""
    earlier: int | None = None
    reopened: bool = False
    closed_by_hand: bool = False
    before: Moment = field(default_factory=Moment)
    sections: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def nodes(self) -> dict[str, Node]:
        """The nodes of the run by unique_id."""
        return {node.unique_id: node for node in self.run.nodes}

    @cached_property
    def still(self) -> tuple[KnownCause, ...]:
        """What is open from before and did not show in this run."""
        failing = {cause.key for cause in self.failing}
        return tuple(known for known in self.state.causes if known.key not in failing)

    @property
    def home(self) -> str:
        """The address of the repository."""
        return self.run.request.context.repository_url


def cause_title(cause: Cause) -> str:
    """A cause in a few words: its first node, or what the run as a whole suffers from."""
    if not cause.nodes:
        return shorten(" ".join(plain(cause.message).split()), 100) or "The run as a whole"
    name = cause.nodes[0].split(".", 2)[-1]
    return name + (f" and {len(cause.nodes) - 1} more" if len(cause.nodes) > 1 else "")


def cause_line(cause: Cause) -> str:
    """A cause on one line, with what it blocks."""
    blocked = blocks(cause)
    return code(cause_title(cause), 100) + (f", blocks {blocked}" if blocked else "")


def known_line(known: KnownCause) -> str:
    """A cause of which only the issue knows."""
    name = known.title or (known.nodes[0].split(".", 2)[-1] if known.nodes else "")
    return code(name, 100) if name else f"{counted(known.more, 'node')} whose names found no room here"


def blocks(cause: Cause) -> str:
    """What a cause stands in the way of, the exposures first."""
    shown = cause.exposures[:MOST_NAMES]
    parts = [code(each.name) + (f" ({code(each.kind)})" if each.kind else "") for each in shown]
    if len(cause.exposures) > len(shown):
        parts.append(f"{len(cause.exposures) - len(shown)} more exposures")
    if cause.blocks:
        parts.append(counted(cause.blocks, "node"))
    return ", ".join(parts)


def bullets(lines: list[str], most: int) -> str:
    """A list, cut after so many."""
    more = [f"and {len(lines) - most} more"] if len(lines) > most else []
    return "\n".join(f"- {line}" for line in (*lines[:most], *more))


def run_link(told: Told) -> str:
    """The run, by its number."""
    context = told.run.request.context
    return f"[run {context.run_id}]({context.run_url})" if context.run_url else "a run"


def commit_link(told: Told, sha: str) -> str:
    """A commit, by the beginning of its hash."""
    text = code(sha[:7])
    return f"[{text}]({told.home}/commit/{quote(sha)})" if told.run.request.context.repository else text


def lasted(then: str, now: datetime) -> str:
    """How long ago a moment (ISO 8601 in UTC) was: ``3 days``, ``2 h 5 min``."""
    try:
        seconds = (now - datetime.strptime(then, TIME_FORMAT).replace(tzinfo=UTC)).total_seconds()
    except ValueError:
        return "some time"
    return counted(round(seconds / 86400), "day") if seconds >= 2 * 86400 else duration(max(0, seconds))
