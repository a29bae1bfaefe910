"""The session as a child process: start it, ask it, pass its log on, end it. The only starter of dbt."""

import contextlib
import json
import math
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from headless_dbt.errors import DbtUnusableError, TimeLimitError
from headless_dbt.log_filter import LogFilter
from headless_dbt.session_protocol import Hello, Reply, SessionOptions

SESSION_SCRIPT = Path(__file__).with_name("session.py")
# GitHub kills the tree ten seconds after the first signal of a cancel: dbt gets the larger part of them.
GRACE_SECONDS = 7.0


class SessionEndedError(Exception):
    """The session went away before it answered."""

    def __init__(self, return_code: int) -> None:
        """Keep the return code of ``subprocess``: a negative one is the number of a signal."""
        super().__init__(return_code)
        self.return_code = return_code

    def __str__(self) -> str:
        """Say how it ended."""
        if self.return_code >= 0:
            return f"The dbt process ended with exit code {self.return_code} in the middle of its work."
        number = -self.return_code
        name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
        cause = " The likely cause is that the machine ran out of memory." if name == "SIGKILL" else ""
        return f"The dbt process was killed by {name}.{cause}"


def wait_until_gone(pid: int, seconds: float = GRACE_SECONDS + 3) -> None:
    """Wait for a session whose supervisor was killed: it notices, and ends by itself."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and _is_session(pid):
        time.sleep(0.1)


def _is_session(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return SESSION_SCRIPT.name.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:  # No Linux: all that is known is that there is such a process.
        return True
    except OSError:
        return False


class SessionProcess:
    """A running session. As a context manager, it leaves no process behind."""

    def __init__(  # noqa: PLR0913, PLR0917
        self,
        python: Path,
        folder: Path,
        environment: Mapping[str, str],
        show: Callable[[bytes], None],
        options: SessionOptions,
        deadline: float = math.inf,
    ) -> None:
        """Start the session in ``folder`` with dbt's interpreter; ``show`` gets dbt's log as it comes.

        ``deadline`` is when the time limit ends, on the clock of ``time.monotonic``.
        """
        self._deadline = deadline
        replies, replies_of_child = os.pipe()
        try:
            # A session of its own: the terminal's Ctrl-C then reaches dbt once, through `interrupt`.
            self._process = subprocess.Popen(  # noqa: S603  Our own script, by dbt's interpreter.
                [str(python), "-P", str(SESSION_SCRIPT), str(replies_of_child), msgspec.json.encode(options).decode()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(replies_of_child,),
                cwd=folder,
                env=dict(environment),
                start_new_session=True,
            )
        except OSError as error:
            os.close(replies)
            raise DbtUnusableError(f"The interpreter {python} cannot be started: {error}.") from None
        finally:
            os.close(replies_of_child)
        assert self._process.stdin is not None  # noqa: S101
        assert self._process.stdout is not None  # noqa: S101
        self._requests = self._process.stdin
        self._log = self._process.stdout.fileno()
        self._replies = replies
        self._pending = b""
        self._busy = True
        self._show = show
        self._filter = LogFilter()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._log, selectors.EVENT_READ)
        self._selector.register(self._replies, selectors.EVENT_READ)

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def hello(self) -> Hello:
        """Wait for the hello. Raises SessionEndedError."""
        return msgspec.json.decode(self._receive(), type=Hello)

    def invoke(self, argv: Sequence[str], timeout: float = math.inf) -> Reply:
        """Run one dbt command. Raises SessionEndedError, TimeLimitError, and TimeoutError after ``timeout`` seconds."""
        return self._ask({"argv": list(argv)}, timeout)

    def check(self, nodes: Sequence[str], sources: Sequence[str], seconds: float) -> Reply:
        """Try for so many seconds what these nodes and sources (unique ids) need of the warehouse. Raises as above."""
        return self._ask({"check": {"nodes": nodes, "sources": sources, "seconds": seconds}}, math.inf)

    def schedule(self, seconds: Mapping[str, float]) -> Reply:
        """Let builds hand out by the way to the end, by these times of nodes (unique ids). Raises as above."""
        return self._ask({"schedule": {"seconds": seconds}}, math.inf)

    def _ask(self, request: Mapping[str, object], timeout: float) -> Reply:
        self._busy = True
        try:
            self._requests.write(json.dumps(request).encode() + b"\n")
            self._requests.flush()
        except BrokenPipeError:
            raise SessionEndedError(self._process.wait()) from None
        return msgspec.json.decode(self._receive(time.monotonic() + timeout), type=Reply)

    def __enter__(self) -> Self:
        """Return the session itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the session, and whatever it started: nothing writes to the warehouse after this.

        A dbt at work is told to stop first: on SIGINT it cancels its open queries, on SIGTERM it would leave them
        running.
        """
        with contextlib.suppress(BrokenPipeError):
            self._requests.close()  # The session ends after the answer that it owes.
        if self._busy:
            self._signal(signal.SIGINT)
        self._selector.unregister(self._replies)
        deadline = time.monotonic() + GRACE_SECONDS
        while self._process.poll() is None and time.monotonic() < deadline:
            self._drain(timeout=0.05)  # A full pipe would keep dbt from ending.
        self._signal(signal.SIGKILL)
        self._process.wait()
        self._drain()
        self._selector.close()
        os.close(self._replies)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def _receive(self, until: float = math.inf) -> bytes:
        """Wait for one line of the replies, and show the log meanwhile."""
        while b"\n" not in self._pending:
            now = time.monotonic()
            if now >= self._deadline:
                raise TimeLimitError("`time-limit` is over; dbt was told to stop. Raise it, or build less at a time.")
            if now >= until:
                raise TimeoutError
            # An hour at a time: select takes no endless number.
            for key, _ in self._selector.select(min(self._deadline - now, until - now, 3600)):
                if key.fd == self._log:
                    self._pass_on()
                    continue
                chunk = os.read(self._replies, 65536)
                if not chunk:
                    self._drain()
                    raise SessionEndedError(self._process.wait())
                self._pending += chunk
        # The session flushes its log before it replies: what belongs before the reply is in the pipe by now.
        self._drain()
        self._busy = False
        line, _, self._pending = self._pending.partition(b"\n")
        return line

    def _drain(self, timeout: float = 0) -> None:
        while any(key.fd == self._log for key, _ in self._selector.select(timeout)):
            if not self._pass_on():
                break

    def _pass_on(self) -> bool:
        chunk = os.read(self._log, 65536)
        if chunk:
            self._show(self._filter.feed(chunk))
        else:
            self._show(self._filter.flush())
            self._selector.unregister(self._log)
        return bool(chunk)
