"""What the failure issue remembers: a hidden comment in its body, versioned. Pure.

``<!-- headless-dbt:v2:PIPELINE:PART:STATE -->`` opens the generated part, ``<!-- headless-dbt:end -->`` closes it.
STATE is base64 of compressed JSON, so that nothing in it can end the comment early.
"""

import base64
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product

import msgspec
from msgspec.structs import replace

from headless_dbt.artifacts import UNREADABLE

ALL = "all"
DUPLICATE = "duplicate"
END = "<!-- headless-dbt:end -->"
# How the last line of ours ends.
LAST_LINE = "</sub>"
# GitHub takes 65,536 characters a body; this many are the state's.
MOST_STATE = 12_000
# A state that claims to be larger than this when unpacked was not written here.
_MOST_UNPACKED = 4_000_000
_MARKER = re.compile(
    r"<!-- headless-dbt:(?:v2:(?P<key>[0-9a-f]{16}):(?P<part>all|duplicate|[0-9a-f]{8})"
    r"|v1:(?P<old_key>[0-9a-f]{16})):(?P<state>[A-Za-z0-9+/=]*) -->"
)


_SECTION = re.compile(
    r"<!-- headless-dbt:cause:(?P<key>[0-9a-f]{16}) -->\n(?P<text>.*?)\n<!-- headless-dbt:cause -->", re.DOTALL
)


class Moment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A run: its id on GitHub, when it started and was told of (ISO 8601 in UTC), and its commit."""

    run: str = ""
    started: str = ""
    at: str = ""
    sha: str = ""


class Suspect(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A commit that may be why: since the last green run it touched what the broken node is made of."""

    sha: str
    subject: str = ""
    author: str = ""


class KnownCause(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A cause that is open. ``more`` counts nodes that found no room, ``green`` is the last good commit.

    A ``whole`` one is of a run, and its nodes are what it cut off. ``asked`` identifies the selection of the run that
    saw it first. ``searched`` is whether all commits since the good one were looked at.
    """

    key: str
    title: str = ""
    nodes: tuple[str, ...] = ()
    more: int = 0
    whole: bool = False
    asked: str = ""
    since: Moment = Moment()
    green: str = ""
    suspects: tuple[Suspect, ...] = ()
    searched: bool = False


class State(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is open in one issue. ``dropped`` counts causes that found no room in ``causes``; ``title`` is ours."""

    opened: Moment = Moment()
    last: Moment = Moment()
    causes: tuple[KnownCause, ...] = ()
    dropped: int = 0
    title: str = ""


# Somebody edited the marker: the issue is still this pipeline's, and open until a run of the whole project is green.
_LOST = State(causes=(KnownCause(key="", title="What this issue knew is lost", more=1, asked="all"),))


class _OldState(msgspec.Struct):
    """Version 1: the unique ids of what is broken."""

    broken: list[str] = []


@dataclass(frozen=True)
class Marked:
    """The generated part of a body: whose it is, what it knows, and what people wrote around it.

    ``sections`` is what it says of each cause, by its key.
    """

    key: str
    part: str
    state: State
    above: str = ""
    below: str = ""
    sections: Mapping[str, str] = field(default_factory=dict)


def marked(body: str, key: str) -> Marked | None:
    """The generated part of this pipeline's issue, or None where the body has none."""
    for match in _MARKER.finditer(body):
        if key in (match["key"], match["old_key"]):
            # The last end is ours: an earlier one may stand in a message.
            text, end, below = body[match.end() :].rpartition(END)
            if not end:  # Somebody took it away, and may have written after our last line.
                text, end, below = body[match.end() :].rpartition(LAST_LINE)
            state = _decode(match["state"]) if match["key"] else _decode_old(match["state"])
            below = below if end else ""
            return Marked(key, match["part"] or ALL, state, body[: match.start()], below, _sections(text))
    return None


def marker(key: str, part: str, state: State, most: int = MOST_STATE) -> str:
    """The hidden comment that opens the generated part; what finds no room in it is only counted."""
    encoded = ""
    for encoded in map(_encode, _smaller(state)):
        if len(encoded) <= most:
            break
    return f"<!-- headless-dbt:v2:{key}:{part}:{encoded} -->"


def section(key: str, text: str) -> str:
    """What the body says of a cause, so that it is found again when a later run says nothing of it."""
    return f"<!-- headless-dbt:cause:{key} -->\n{text}\n<!-- headless-dbt:cause -->"


def _sections(text: str) -> dict[str, str]:
    """The sections of a body. No text of the project can hold such a comment: see render/markdown.py."""
    return {match["key"]: match["text"] for match in _SECTION.finditer(text.replace("\r\n", "\n"))}


def _smaller(state: State) -> Iterator[State]:
    """The state, and ever smaller ones: first without suspects and titles, then with fewer nodes, then causes."""
    yield state
    bare = [replace(cause, suspects=(), title="") for cause in state.causes]
    for detailed, nodes in product((10, 0), (20, 3, 0)):
        causes = (*state.causes[:detailed], *bare[detailed:])
        yield replace(state, causes=tuple(_with_nodes(cause, nodes) for cause in causes))
    keys = [replace(_with_nodes(cause, 0), since=Moment(), green="") for cause in bare]
    for most in (600, 300, 100, 10, 0):
        yield replace(state, causes=tuple(keys[:most]), dropped=state.dropped + max(0, len(keys) - most))


def _with_nodes(cause: KnownCause, most: int) -> KnownCause:
    left_out = max(0, len(cause.nodes) - most)
    return replace(cause, nodes=cause.nodes[:most], more=cause.more + left_out)


def _encode(state: State) -> str:
    return base64.b64encode(zlib.compress(msgspec.json.encode(state), 9)).decode()


def _unpacked(text: str) -> bytes:
    engine = zlib.decompressobj()
    content = engine.decompress(base64.b64decode(text, validate=True), _MOST_UNPACKED)
    if engine.unconsumed_tail:
        raise ValueError("larger than any state")
    return content


def _decode(text: str) -> State:
    try:
        return msgspec.json.decode(_unpacked(text), type=State)
    except (ValueError, zlib.error, *UNREADABLE):
        return _LOST


def _decode_old(text: str) -> State:
    try:
        broken = msgspec.json.decode(_unpacked(text), type=_OldState).broken
    except (ValueError, zlib.error, *UNREADABLE):
        return _LOST
    return State(causes=tuple(_known_of_old(broken)))


def _known_of_old(broken: Iterable[str]) -> Iterator[KnownCause]:
    for name in broken:
        if name == "run":
            yield KnownCause(key="", title="The run as a whole")
        elif name == "too many to name":
            yield KnownCause(key="", title="More than had room", more=1)
        else:
            yield KnownCause(key="", title=name, nodes=(name,))
