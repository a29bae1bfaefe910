"""What the session answers, as session.py writes it: one JSON object a line. Pure."""

import msgspec


class SessionException(msgspec.Struct, frozen=True):
    """An exception of dbt: its class name, and its message."""

    type: str
    message: str


class Reply(msgspec.Struct, frozen=True):
    """What the session answers to one command."""

    success: bool
    exception: SessionException | None = None
    lines: tuple[str, ...] = ()


class Hello(msgspec.Struct, frozen=True):
    """What the session says first."""

    installed: dict[str, str]
    python: str
    exception: SessionException | None = None
