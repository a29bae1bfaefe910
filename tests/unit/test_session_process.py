"""The session as a child process: its log, its death, and that it leaves nothing behind."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from headless_dbt import session_process
from headless_dbt.errors import CancelledError, DbtUnusableError
from headless_dbt.session_process import SessionEndedError, SessionProcess
from headless_dbt.session_protocol import JobsOptions, SessionOptions

PROTOCOL = """
import json, os, signal, subprocess, sys, time
replies = os.fdopen(int(sys.argv[1]), "w")
def reply(**message):
    replies.write(json.dumps(message) + "\\n")
    replies.flush()
reply(installed={"dbt-core": "1.12.6"}, python="3.12.1")
for line in sys.stdin:
    argv = json.loads(line)["argv"]
"""

Start = Callable[..., SessionProcess]
OPTIONS = SessionOptions(JobsOptions(labels={}, most_bytes=None, ledger="jobs.jsonl"))


class _Log(list[bytes]):
    @property
    def text(self) -> str:
        return b"".join(self).decode()


@pytest.fixture
def log() -> _Log:
    return _Log()


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: _Log) -> Start:
    """Start a session whose script answers each request with these lines of Python."""

    def start(*lines: str, **environment: str) -> SessionProcess:
        script = tmp_path / "session.py"
        script.write_text(PROTOCOL + "".join(f"    {line}\n" for line in lines))
        monkeypatch.setattr(session_process, "SESSION_SCRIPT", script)
        return SessionProcess(
            Path(sys.executable), tmp_path, {"PATH": os.environ["PATH"], **environment}, log.append, OPTIONS
        )

    return start


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def _hold(session: SessionProcess, *commands: str) -> None:
    """Hold a whole conversation."""
    with session:
        session.hello()
        for number, command in enumerate(commands):
            time.sleep(0.3 if number else 0)
            session.invoke([command])


def _gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has waited for counts as ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)


def test_the_log_is_passed_on_before_the_reply(start: Start, log: _Log) -> None:
    with start('print("log of", argv[0], flush=True)', "reply(success=True, lines=argv)") as session:
        hello = session.hello()
        assert (hello.installed, hello.python, hello.exception) == ({"dbt-core": "1.12.6"}, "3.12.1", None)
        for number, hostile in enumerate(["a", "schön\n$(id) '\"", "c"]):
            reply = session.invoke(["build", hostile])
            assert (reply.success, reply.exception, reply.lines) == (True, None, ("build", hostile))
            assert log.text == "log of build\n" * (number + 1)


def test_more_log_and_longer_replies_than_a_pipe_holds_do_not_hang(start: Start, log: _Log) -> None:
    with start(
        'print("x" * 99, file=sys.stderr, flush=True)',
        'for _ in range(9000): print("y" * 99)',
        "sys.stdout.flush()",
        'reply(success=True, lines=["z" * 99] * 9000)',
    ) as session:
        session.hello()
        reply = session.invoke(["build"])
        # What dbt said before it replied is shown before anything that comes of the reply.
        assert len(log.text) == 9001 * 100

    assert len(reply.lines) == 9000


def test_an_exception_of_dbt_comes_with_its_class_and_message(start: Start) -> None:
    with start('reply(success=False, exception={"type": "DbtProfileError", "message": "m"}, lines=[])') as session:
        session.hello()
        reply = session.invoke(["parse"])

    assert reply.exception is not None
    assert (reply.success, reply.exception.type, reply.exception.message) == (False, "DbtProfileError", "m")


def test_a_session_that_is_killed_says_that_memory_is_the_likely_cause(start: Start, log: _Log) -> None:
    session = start('print("last words", flush=True)', "os.kill(os.getpid(), signal.SIGKILL)")

    with pytest.raises(SessionEndedError) as caught:
        _hold(session, "build")

    assert caught.value.return_code == -9
    assert str(caught.value) == (
        "The dbt process was killed by SIGKILL. The likely cause is that the machine ran out of memory."
    )
    assert log.text == "last words\n"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", "The dbt process was killed by SIGSEGV."),
        ("os._exit(7)", "The dbt process ended with exit code 7 in the middle of its work."),
        ("sys.exit(0)", "The dbt process ended with exit code 0 in the middle of its work."),
        # A signal that has no name in Python.
        ("os.kill(os.getpid(), 40)", "The dbt process was killed by signal 40."),
    ],
)
def test_a_session_that_ends_early_says_how(start: Start, line: str, sentence: str) -> None:
    session = start(line)

    with pytest.raises(SessionEndedError) as caught:
        _hold(session, "build")

    assert str(caught.value) == sentence


def test_a_session_that_has_gone_between_two_commands_is_noticed(start: Start) -> None:
    session = start("reply(success=True)", "replies.close()", "os._exit(5)")

    with pytest.raises(SessionEndedError, match="exit code 5"):
        _hold(session, "parse", "build")


def test_a_session_that_ends_before_its_hello_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: _Log
) -> None:
    script = tmp_path / "session.py"
    script.write_text("import sys; sys.exit('no dbt here')")
    monkeypatch.setattr(session_process, "SESSION_SCRIPT", script)

    with (
        pytest.raises(SessionEndedError, match="exit code 1"),
        SessionProcess(Path(sys.executable), tmp_path, {}, log.append, OPTIONS) as session,
    ):
        session.hello()

    assert log.text == "no dbt here\n"


@pytest.mark.parametrize("python", ["nowhere/python", "."])
def test_an_interpreter_that_cannot_be_started_is_named(tmp_path: Path, log: _Log, python: str) -> None:
    before = _open_files()

    with pytest.raises(DbtUnusableError, match=r"^The interpreter .* cannot be started: "):
        SessionProcess(tmp_path / python, tmp_path, {}, log.append, OPTIONS)

    assert _open_files() == before


def test_after_a_good_end_there_is_no_process_and_no_open_file(start: Start) -> None:
    before = _open_files()

    with start("reply(success=True, lines=[str(os.getpid())])") as session:
        session.hello()
        pid = int(session.invoke(["build"]).lines[0])
        assert not _gone(pid)

    assert _gone(pid)
    assert _open_files() == before


GRANDCHILD = 'child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])'


def test_a_grandchild_is_gone_too(start: Start) -> None:
    with start(GRANDCHILD, "reply(success=True, lines=[str(child.pid)])") as session:
        session.hello()
        pid = int(session.invoke(["build"]).lines[0])
        assert not _gone(pid)

    _wait_until(lambda: _gone(pid))


def test_a_grandchild_of_a_session_that_was_killed_is_gone_too(start: Start, tmp_path: Path) -> None:
    session = start(GRANDCHILD, 'open("pid", "w").write(str(child.pid))', "os.kill(os.getpid(), signal.SIGKILL)")

    with pytest.raises(SessionEndedError, match="SIGKILL"):
        _hold(session, "build")

    pid = int((tmp_path / "pid").read_text())
    _wait_until(lambda: _gone(pid))


def test_a_dbt_at_work_is_told_to_stop_so_that_it_can_cancel_its_queries(start: Start, log: _Log) -> None:
    session = start(
        "try:",
        "    print('at work', flush=True); time.sleep(60)",
        "except KeyboardInterrupt:",
        "    print('queries cancelled', flush=True); sys.exit(1)",
    )

    def cancelled_meanwhile(chunk: bytes) -> None:
        log.append(chunk)
        session._show = log.append  # noqa: SLF001
        raise CancelledError

    session._show = cancelled_meanwhile  # noqa: SLF001  A signal raises wherever the code is; here, for one.
    began = time.monotonic()

    with pytest.raises(CancelledError):
        _hold(session, "build")

    assert log.text == "at work\nqueries cancelled\n"
    assert time.monotonic() - began < 5


def test_a_session_that_does_not_want_to_end_is_killed_after_its_grace(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_process, "GRACE_SECONDS", 0.3)
    began = time.monotonic()

    with start(
        "signal.signal(signal.SIGINT, signal.SIG_IGN)",
        "reply(success=True, lines=[str(os.getpid())])",
        "time.sleep(60)",
    ) as session:
        session.hello()
        pid = int(session.invoke(["build"]).lines[0])

    assert _gone(pid)
    assert 0.2 < time.monotonic() - began < 5


def test_the_child_gets_the_environment_and_the_folder_that_it_was_given(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADLESS_DBT_DBT_ENV", "PASSWORD=hunter2")

    with start("reply(success=True, lines=[os.getcwd(), *map(str, os.environ.items())])", A="1") as session:
        session.hello()
        folder, *variables = session.invoke(["build"]).lines

    assert Path(folder) == tmp_path
    assert "('A', '1')" in variables
    assert "hunter2" not in str(variables)


def test_waiting_for_the_end_costs_no_processor_time(start: Start) -> None:
    """dbt takes its time to end after its last reply; a loop that spins meanwhile takes a core from it."""
    with start("reply(success=True)", "replies.close()", "sys.stdin.close(); time.sleep(1.5); os._exit(0)") as session:
        session.hello()
        session.invoke(["build"])
        before = time.process_time()

    assert time.process_time() - before < 0.5
