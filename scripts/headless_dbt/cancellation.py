"""A signal that ends the run, as an error that the rest of the code can meet."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from headless_dbt.errors import CancelledError

# The runner sends SIGINT for a cancel, then SIGTERM: https://github.com/actions/runner, ProcessInvoker.cs.
SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let no SIGINT or SIGTERM end what has to be done to the end."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def cancellable() -> Iterator[None]:
    """Raise CancelledError, wherever the code is, at the first SIGINT or SIGTERM."""

    def cancel(number: int, _: FrameType | None) -> None:
        # A second signal shall not cut the grace short that dbt needs to cancel its queries.
        for other in SIGNALS:
            signal.signal(other, signal.SIG_IGN)
        raise CancelledError(f"{signal.Signals(number).name} ended it; dbt, if it had begun, was told to stop.")

    before = {number: signal.signal(number, cancel) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
