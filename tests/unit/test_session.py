"""The session's side of the protocol, with a runner that is not dbt."""

import gc
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import headless_dbt.session as untyped
import pytest

# It runs in dbt's interpreter and is written without types.
session: Any = untyped


class _Runner:
    """What dbtRunner is to the session: made with a manifest, invoked with arguments, answers with a result."""

    calls: ClassVar[list[tuple[Any, list[str]]]] = []
    results: ClassVar[dict[str, Any]] = {}

    def __init__(self, manifest: object = None) -> None:
        self.manifest = manifest

    def invoke(self, argv: list[str], **overrides: object) -> Any:
        self.calls.append((self.manifest, [*argv, *overrides]))
        result = self.results.get(argv[0], SimpleNamespace(success=True, result=None, exception=None))
        if isinstance(result, BaseException):
            raise result
        return result


@pytest.fixture
def runner() -> type[_Runner]:
    _Runner.calls.clear()
    _Runner.results.clear()
    return _Runner


def _result(*, success: bool = True, result: object = None, exception: Exception | None = None) -> SimpleNamespace:
    return SimpleNamespace(success=success, result=result, exception=exception)


def test_what_parse_read_is_kept_for_later_commands_and_not_for_deps(runner: type[_Runner]) -> None:
    manifest = object()
    runner.results["parse"] = _result(result=manifest)
    talk = session.Session(runner, {})

    for argv in (["deps"], ["parse"], ["list", "--x"], ["build"], ["deps"], ["parse"], ["docs", "generate"]):
        assert talk.answer({"argv": argv})["success"] is True

    assert [(kept, argv[0]) for kept, argv in runner.calls] == [
        (None, "deps"),
        (None, "parse"),
        (manifest, "list"),
        (manifest, "build"),
        (None, "deps"),
        (None, "parse"),
        (manifest, "docs"),
    ]


def test_a_parse_is_told_of_a_full_refresh_for_which_it_has_no_option(runner: type[_Runner]) -> None:
    talk = session.Session(runner, {})
    for command in ("parse", "build"):
        talk.answer({"argv": [command, "--full-refresh", "--x"]})
    assert [argv for _, argv in runner.calls] == [["parse", "--x", "full_refresh"], ["build", "--full-refresh", "--x"]]


def test_after_the_parse_python_looks_for_garbage_as_usual(runner: type[_Runner]) -> None:
    """A Python model may make much of it."""
    usual = gc.get_threshold()
    try:
        gc.set_threshold(*session.GARBAGE_THRESHOLDS)
        session.Session(runner, {}).answer({"argv": ["parse"]})
        assert gc.get_threshold() == session.USUAL_THRESHOLDS != session.GARBAGE_THRESHOLDS
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()


def test_a_parse_that_failed_leaves_nothing_to_build_on(runner: type[_Runner]) -> None:
    runner.results["parse"] = _result(success=False, result=object(), exception=ValueError("Compilation Error"))
    talk = session.Session(runner, {})

    reply = talk.answer({"argv": ["parse"]})
    talk.answer({"argv": ["build"]})

    assert reply == {
        "success": False,
        "exception": {"type": "ValueError", "message": "Compilation Error"},
        "lines": [],
    }
    assert runner.calls[-1] == (None, ["build"])


def test_only_list_gives_lines(runner: type[_Runner]) -> None:
    runner.results["list"] = _result(result=["a", "b"])
    runner.results["build"] = _result(result=["x"])
    talk = session.Session(runner, {})

    assert talk.answer({"argv": ["list"]})["lines"] == ["a", "b"]
    assert talk.answer({"argv": ["build"]})["lines"] == []
    runner.results["list"] = _result(success=False, result=None)
    assert talk.answer({"argv": ["list"]})["lines"] == []


def test_a_catalog_with_gaps_says_why(runner: type[_Runner]) -> None:
    catalog = SimpleNamespace(errors=["Not found: a", "Not found: b", "Not found: a"])
    talk = session.Session(runner, {})

    runner.results["docs"] = _result(success=False, result=catalog)
    assert talk.answer({"argv": ["docs"]})["exception"] == {"type": "", "message": "Not found: a\nNot found: b"}
    runner.results["docs"] = _result(success=False, result=catalog, exception=KeyError("x"))
    assert talk.answer({"argv": ["docs"]})["exception"]["type"] == "KeyError"
    runner.results["docs"] = _result(result=catalog)
    assert talk.answer({"argv": ["docs"]})["exception"] is None


@pytest.mark.parametrize(
    ("exception", "described"),
    [
        (None, None),
        (KeyError("x"), {"type": "KeyError", "message": "'x'"}),
        (RuntimeError(), {"type": "RuntimeError", "message": "RuntimeError"}),
    ],
)
def test_an_exception_is_described(exception: Exception | None, described: object) -> None:
    assert session.describe(exception) == described


def test_the_versions_of_dbt_and_its_adapters_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder, name in (("dbt_duckdb-1.2.3", "dbt_duckdb"), ("dbt_core-1.1.1", "dbt-core"), ("Jinja2-3", "Jinja2")):
        (tmp_path / f"{folder}.dist-info").mkdir()
        (tmp_path / f"{folder}.dist-info" / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {folder.rpartition('-')[2]}\n"
        )
    monkeypatch.setattr(sys, "path", [str(tmp_path)])

    assert session.installed_versions() == {"dbt-core": "1.1.1", "dbt-duckdb": "1.2.3"}


JOBS = {"labels": {"target": "prod"}, "most_bytes": 0, "ledger": "jobs.jsonl", "refusal": "too dear"}


class _Job:
    project, location, job_id, job_type, state, error_result = "acme", "EU", "1", "query", "RUNNING", None
    total_bytes_billed = 10

    def __init__(self) -> None:
        self.cancelled = threading.Event()

    def cancel(self, **_: Any) -> None:
        self.cancelled.set()


@pytest.fixture
def bigquery(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Google's library, as dbt has loaded it."""

    class Client:
        jobs: ClassVar[list[_Job]] = []

        def query(self, query: str, job_id: str | None = None, job_config: Any = None) -> _Job:
            self.jobs.append(_Job())
            return self.jobs[-1]

        load_table_from_file = copy_table = get_job = query

    config = type("Config", (), {"labels": None})
    module = SimpleNamespace(Client=Client, QueryJobConfig=config, LoadJobConfig=config, CopyJobConfig=config)
    monkeypatch.setitem(sys.modules, "google.cloud.bigquery", module)
    monkeypatch.setattr(session, "node_at_work", lambda: "model.shop.orders")
    return module


def test_jobs_are_watched_once_dbt_has_loaded_the_client(
    runner: type[_Runner], bigquery: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    talk = session.Session(runner, JOBS)
    assert "bytes_billed" not in talk.answer({"argv": ["deps"]})
    talk.answer({"argv": ["parse"]})
    bigquery.Client().query("select 1").state = "DONE"

    built = talk.answer({"argv": ["build"]})

    assert (built["bytes_billed"], built["refused"]) == (10, False)
    assert json.loads((tmp_path / "jobs.jsonl").read_text())["node"] == "model.shop.orders"


def test_the_service_is_waited_for_with_patience_and_not_for_ever(
    runner: type[_Runner], bigquery: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    transport = SimpleNamespace(AuthorizedSession=type("AuthorizedSession", (), {"request": lambda _: None}))
    bigquery.QueryJob = type("QueryJob", (), {"result": lambda _: None})
    monkeypatch.setitem(sys.modules, "google.auth.transport.requests", transport)

    talk = session.Session(runner, JOBS)
    for command in ("parse", "parse"):
        talk.answer({"argv": [command]})

    for once in (bigquery.QueryJob.result, transport.AuthorizedSession.request):
        assert not hasattr(once.__wrapped__, "__wrapped__")


def test_without_the_client_there_is_nothing_to_watch(runner: type[_Runner], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "google.cloud.bigquery", raising=False)
    talk = session.Session(runner, JOBS)
    talk.answer({"argv": ["parse"]})

    assert talk.jobs is None
    with pytest.raises(KeyboardInterrupt):
        talk.interrupt(2, None)


def test_an_interrupt_stops_dbt_and_cancels_what_runs(runner: type[_Runner], bigquery: Any) -> None:
    talk = session.Session(runner, JOBS)
    talk.answer({"argv": ["parse"]})
    job = bigquery.Client().query("select 1")

    with pytest.raises(KeyboardInterrupt):
        talk.interrupt(2, None)

    assert job.cancelled.wait(5)


FAKE_DBT = """
import sys
class Result:
    success, result, exception = True, None, None
class dbtRunner:
    def __init__(self, manifest=None):
        pass
    def invoke(self, argv):
        print("log of", *argv)
        if argv[0] == "explode":
            raise RuntimeError("boom")
        result = Result()
        if argv[0] == "list":
            result.result = ["schön"]
        return result
"""


# It leaves a pool of threads that nobody has closed, a thread that still works, and something for the end.
LEAVES = (
    FAKE_DBT
    + """
import atexit, threading, time
from concurrent.futures import ThreadPoolExecutor
ThreadPoolExecutor(2).submit(print, "in a pool").result()
threading.Thread(target=lambda: (time.sleep(0.3), print("at work"))).start()
atexit.register(print, "at the end")
"""
)


def test_at_its_end_threads_are_waited_for_and_what_is_registered_is_done(tmp_path: Path) -> None:
    _, log = _talk(tmp_path, LEAVES, '{"argv": ["build"]}')

    assert log == "in a pool\nlog of build\nat work\nat the end\n"


def _talk(tmp_path: Path, dbt: str | None, *requests: str) -> tuple[list[dict[str, Any]], str]:
    """Run the real script with this as dbt; return its replies and its log."""
    package = tmp_path / "fake" / "dbt" / "cli"
    package.mkdir(parents=True)
    if dbt is not None:
        (package / "main.py").write_text(dbt)
    ours, theirs = os.pipe()
    options = {"jobs": JOBS, "docs": False, "bytecode": ""}
    process = subprocess.run(
        [sys.executable, "-P", session.__file__, str(theirs), json.dumps(options)],
        input="".join(f"{request}\n" for request in requests),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=(theirs,),
        env={"PYTHONPATH": str(tmp_path / "fake"), "PYTHONUTF8": "0", "LC_ALL": "C"},
        text=True,
        check=True,
        timeout=60,
    )
    os.close(theirs)
    with os.fdopen(ours, encoding="utf-8") as replies:
        return [json.loads(line) for line in replies], process.stdout


def test_the_first_reply_is_the_hello_and_the_log_is_apart(tmp_path: Path) -> None:
    (hello, built, listed), log = _talk(tmp_path, FAKE_DBT, '{"argv": ["build", "x"]}', '{"argv": ["list"]}')

    assert set(hello) == {"installed", "python", "exception"}
    assert hello["exception"] is None
    assert hello["python"] == ".".join(map(str, sys.version_info[:3]))
    assert built == {"success": True, "exception": None, "lines": []}
    assert listed == {"success": True, "exception": None, "lines": ["schön"]}
    assert log == "log of build x\nlog of list\n"


@pytest.mark.parametrize(
    ("request_line", "kind"),
    [
        ("not JSON", "JSONDecodeError"),
        ("{}", "KeyError"),
        ('{"argv": []}', "IndexError"),
        ("[]", "TypeError"),
        ('{"argv": ["explode"]}', "RuntimeError"),
    ],
)
def test_a_request_that_cannot_be_served_is_answered_and_the_next_one_too(
    tmp_path: Path, request_line: str, kind: str
) -> None:
    (_, refused, served), _ = _talk(tmp_path, FAKE_DBT, request_line, '{"argv": ["build"]}')

    assert (refused["success"], refused["exception"]["type"], refused["lines"]) == (False, kind, [])
    assert served["success"] is True


@pytest.mark.parametrize(
    ("dbt", "kind"),
    [(None, "ModuleNotFoundError"), ("raise RuntimeError('of the adapter')", "RuntimeError")],
)
def test_a_dbt_that_cannot_be_imported_is_described_in_the_hello(tmp_path: Path, dbt: str | None, kind: str) -> None:
    (hello,), log = _talk(tmp_path, dbt, '{"argv": ["build"]}')

    assert hello["exception"]["type"] == kind
    assert log == ""


WAITING = """
import os, signal, sys, threading, time
sys.path.insert(0, sys.argv[1])
from session import wake_main_thread_on

def interrupted(number, frame):
    os.write(1, b"interrupted")
    os._exit(0)

def strike():
    time.sleep(0.3)
    # As the kernel may do with a signal of the process.
    signal.pthread_kill(threading.get_ident(), signal.SIGINT)
    time.sleep(5)
    os._exit(1)

signal.signal(signal.SIGINT, interrupted)
if sys.argv[2] == "woken":
    wake_main_thread_on(signal.SIGINT)
threading.Thread(target=strike, daemon=True).start()
lock = threading.Lock()
lock.acquire()
lock.acquire()
"""


@pytest.mark.parametrize(("how", "said"), [("woken", "interrupted"), ("not woken", "")])
def test_a_signal_that_another_thread_got_reaches_the_main_thread_in_a_lock(how: str, said: str) -> None:
    """Without it, a cancel would be noticed when the next node has ended, or never."""
    folder = str(Path(session.__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", WAITING, folder, how], stdout=subprocess.PIPE, check=False, text=True, timeout=60
    )
    assert done.stdout == said
