"""What the session is told, and what it answers, as session.py has it: one JSON object a line. Pure."""

import msgspec

# What the result of a node says that was not begun for it.
OVER_COST_LIMIT = "Not begun: the run had passed `cost-limit`."


class SessionException(msgspec.Struct, frozen=True):
    """An exception of dbt: its class name, and its message."""

    type: str
    message: str


class Reply(msgspec.Struct, frozen=True):
    """What the session answers to one command.

    ``bytes_billed`` is BigQuery's word for the whole session so far; ``refused`` tells whether a node was not begun
    because that was too much.
    """

    success: bool
    exception: SessionException | None = None
    lines: tuple[str, ...] = ()
    bytes_billed: int = 0
    refused: bool = False


class JobsOptions(msgspec.Struct, frozen=True):
    """What holds for jobs on BigQuery.

    ``labels`` go to each of them. With more than ``most_bytes`` billed no further node is begun, and its error is
    ``refusal``. ``ledger`` is the file that lists them.
    """

    labels: dict[str, str]
    most_bytes: int | None
    ledger: str
    refusal: str = OVER_COST_LIMIT


class SessionOptions(msgspec.Struct, frozen=True):
    """What holds for a whole session.

    ``docs`` says that they will be asked for. ``bytecode`` is the archive that dbt is imported with, or empty.
    """

    jobs: JobsOptions
    docs: bool = False
    bytecode: str = ""


class Hello(msgspec.Struct, frozen=True):
    """What the session says first."""

    installed: dict[str, str]
    python: str
    exception: SessionException | None = None
