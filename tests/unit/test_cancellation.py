"""A signal that ends the run, as an error; and nothing of it stays."""

import os
import signal

import pytest
from headless_dbt.cancellation import SIGNALS, cancellable
from headless_dbt.errors import CancelledError


def _send(*numbers: signal.Signals) -> None:
    """Be sent the first of these signals at work, and the others in the clean-up."""
    with cancellable():
        try:
            os.kill(os.getpid(), numbers[0])
            pytest.fail("it went on")
        finally:
            for number in numbers[1:]:
                os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_raises_cancelled_and_the_handlers_come_back(number: signal.Signals) -> None:
    before = [signal.getsignal(each) for each in SIGNALS]

    with pytest.raises(CancelledError, match=rf"^{number.name} ended it; dbt, if it had begun, was told to stop\.$"):
        _send(number)

    assert [signal.getsignal(each) for each in SIGNALS] == before


def test_a_second_signal_does_not_cut_the_grace_short() -> None:
    with pytest.raises(CancelledError, match="SIGINT"):
        _send(signal.SIGINT, signal.SIGTERM, signal.SIGINT)


def test_without_a_signal_nothing_happens_and_the_handlers_come_back_also_after_another_error() -> None:
    before = [signal.getsignal(each) for each in SIGNALS]

    with cancellable():
        pass
    with pytest.raises(KeyError), cancellable():
        raise KeyError

    assert [signal.getsignal(each) for each in SIGNALS] == before
