"""The conversation with dbt: which commands, in which order, and whose fault it is where one fails."""

import io
import json
import math
from pathlib import Path
from typing import Any, Self

import pytest
from headless_dbt import attempts, supervisor
from headless_dbt.blame import BuildEndedError
from headless_dbt.console import Console
from headless_dbt.earlier_runs import EarlierRun
from headless_dbt.errors import (
    CancelledError,
    CheckFailedError,
    CostLimitError,
    DbtUnusableError,
    HeadlessDbtError,
    RequestError,
)
from headless_dbt.recorder import Recorder
from headless_dbt.run_folder import RunFolder
from headless_dbt.session_process import SessionEndedError
from headless_dbt.session_protocol import Hello, Reply, SessionException
from headless_dbt.supervisor import Memory, run_dbt

from tests.unit import builders
from tests.unit.builders import (
    command_started,
    make_project,
    make_request,
    make_settings,
    manifest_node,
    node_finished,
    node_start,
)

RAW, ORDERS = "source.shop.raw.orders", "model.shop.orders"
MANIFEST = builders.manifest(manifest_node(RAW), manifest_node(ORDERS, RAW), manifest_node("model.shop.items"))
HELLO = Hello(installed={"dbt-core": "1.12.6"}, python="3.12.1")


def _listed(*unique_ids: str) -> Reply:
    return Reply(success=True, lines=tuple(json.dumps({"unique_id": unique_id}) for unique_id in unique_ids))


def _failed(message: str = "", kind: str = "DbtRuntimeError") -> Reply:
    return Reply(success=False, exception=SessionException(type=kind, message=message) if message else None)


class _Session:
    pid = 4711

    """A session that answers from a table, and leaves the files that dbt would leave."""

    def __init__(self, folder: RunFolder, replies: dict[str, Any], files: dict[str, Any], journal: bytes) -> None:
        self.hello_reply = replies.pop("hello", HELLO)
        self.replies, self.files, self.journal, self.folder = replies, files, journal, folder
        self.asked: list[list[str]] = []

    def __call__(self, *_: object) -> Self:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def hello(self) -> Hello:
        if isinstance(self.hello_reply, Exception):
            raise self.hello_reply
        assert isinstance(self.hello_reply, Hello)
        return self.hello_reply

    def invoke(self, argv: list[str], timeout: float = math.inf) -> Reply:
        self.asked.append(list(argv))
        for name, content in self.files.get(argv[0], {}).items():
            (self.folder.attempt(1) / name).write_text(json.dumps(content))
        if argv[0] == "build":
            self.folder.journal.write_bytes(self.journal)
        reply = self.replies.get(argv[0], Reply(success=True))
        if isinstance(reply, BaseException):
            raise reply
        assert isinstance(reply, Reply)
        return reply

    def schedule(self, seconds: dict[str, float]) -> Reply:
        return self.invoke(["schedule", *seconds])

    def check(self, nodes: list[str], sources: list[str], seconds: float) -> Reply:
        return self.invoke(["check", *nodes, *sources])

    @property
    def commands(self) -> list[str]:
        return [argv[0] for argv in self.asked]


class _Stage:
    def __init__(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.project = make_project(tmp_path / "project")
        (tmp_path / "run").mkdir()
        self.folder = RunFolder(tmp_path / "run")
        self.folder.write_request(make_request())
        self.stream = io.BytesIO()
        self._monkeypatch = monkeypatch

    def play(
        self,
        replies: dict[str, Any] | None = None,
        files: dict[str, Any] | None = None,
        journal: bytes = b"",
        earlier: EarlierRun | None = None,
        times: dict[str, float] | None = None,
        **settings: Any,
    ) -> _Session:
        given = {"list": _listed(ORDERS, "model.shop.items"), **(replies or {})}
        session = _Session(self.folder, given, {"parse": {"manifest.json": MANIFEST}, **(files or {})}, journal)
        self._monkeypatch.setattr(supervisor, "SessionProcess", session)
        recorder = Recorder(self.folder)
        try:
            run_dbt(
                Path("/python"),
                make_settings(self.project, **settings),
                {},
                ("dbt-core==1.12.6",),
                Memory(earlier=earlier, times=times),
                recorder=recorder,
                console=Console(on_github=False, stream=self.stream),
            )
        except HeadlessDbtError as error:
            recorder.note_problem(error)
            self.session = session
            raise
        return session

    @property
    def said(self) -> str:
        return self.stream.getvalue().decode()


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> _Stage:
    return _Stage(tmp_path, monkeypatch)


def test_a_plain_run_parses_lists_and_builds_and_records_it_all(stage: _Stage) -> None:
    results = builders.run_results(builders.result(ORDERS))

    session = stage.play(files={"parse": {"manifest.json": MANIFEST}, "build": {"run_results.json": results}})

    assert session.commands == ["parse", "list", "build"]
    record = stage.folder.read_session()
    assert record.selected == (ORDERS, "model.shop.items")
    assert record.installation is not None
    assert (record.installation.requested, record.installation.installed) == (
        ("dbt-core==1.12.6",),
        {"dbt-core": "1.12.6"},
    )
    assert [(command.name, command.success) for command in record.commands] == [
        ("parse", True),
        ("list", True),
        ("build", True),
    ]
    assert "Asked for: dbt-core==1.12.6\nInstalled: dbt-core 1.12.6; Python 3.12.1\n" in stage.said
    assert "── dbt build" in stage.said


@pytest.mark.parametrize(("wanted", "allowed", "used"), [(8, "4", "4"), (2, "4", "2"), (8, "many", "8")])
def test_there_are_no_more_threads_than_the_profile_allows(stage: _Stage, wanted: int, allowed: str, used: str) -> None:
    session = stage.play({"compile": Reply(success=True, lines=(allowed,))}, threads=wanted)

    assert session.commands == ["parse", "compile", "list", "build"]
    assert "{{ target.threads }}" in session.asked[1]
    build = session.asked[-1]
    assert build[build.index("--threads") + 1] == used
    assert ("`threads` is 8, and the profile allows 4: 4 are used." in stage.said) == (used == "4")


def test_a_run_that_costs_too_much_ends_and_is_not_tried_again(stage: _Stage) -> None:
    results = builders.run_results(builders.result(ORDERS, "error", "503 Service Unavailable"))

    with pytest.raises(CostLimitError, match=r"^Queries for \$6\.25 at .* `cost-limit` is \$5\."):
        stage.play(
            {"build": Reply(success=False, bytes_billed=1 << 40, refused=True)},
            {"build": {"run_results.json": results}},
            cost_limit=5.0,
            retries=2,
            docs=True,
        )

    assert stage.session.commands == ["parse", "list", "build"]


def test_a_cost_limit_that_nobody_can_hold_is_told(stage: _Stage) -> None:
    stage.play(cost_limit=5.0)

    assert "`cost-limit` is without effect: only BigQuery says what a query costs." in stage.said


def test_a_run_with_times_of_an_earlier_one_is_ordered_by_them(stage: _Stage) -> None:
    session = stage.play(times={ORDERS: 1.5})

    assert session.commands == ["parse", "list", "schedule", "build"]
    assert session.asked[2] == ["schedule", ORDERS]


def test_without_times_or_a_seam_dbts_order_stays(stage: _Stage) -> None:
    assert stage.play(times={}).commands == ["parse", "list", "build"]
    assert "needs the times of an earlier run" in stage.said


def test_a_dbt_that_cannot_be_ordered_builds_all_the_same(stage: _Stage) -> None:
    session = stage.play({"schedule": _failed("GraphQueue.get", "NoSeamError")}, times={ORDERS: 1.5})

    assert session.commands[-1] == "build"
    assert "cannot be had from this dbt (NoSeamError: GraphQueue.get): its order stays." in stage.said


def _tried(**passed: bool | None) -> Reply:
    steps = ({"name": name, "subject": "shop", "passed": each, "message": "said"} for name, each in passed.items())
    return Reply(success=True, lines=tuple(map(json.dumps, steps)))


def test_a_check_tries_the_warehouse_and_builds_nothing(stage: _Stage) -> None:
    session = stage.play({"check": _tried(read=True, write=True)}, check=True, source_freshness=True, docs=True)

    assert session.commands == ["parse", "list", "check"]
    assert session.asked[-1] == ["check", ORDERS, "model.shop.items", RAW]
    assert [check.name for check in stage.folder.read_session().checks] == ["read", "write"]
    assert "  ✓ read: shop. said\n" in stage.said


def test_a_check_that_does_not_pass_is_an_error(stage: _Stage) -> None:
    with pytest.raises(CheckFailedError, match=r"^2 of 3 checks did not pass: write, shop\.$"):
        stage.play({"check": _tried(read=True, write=False, drop=None)}, check=True)

    assert len(stage.folder.read_session().checks) == 3


def test_a_check_that_cannot_be_made_is_dbts_doing(stage: _Stage) -> None:
    with pytest.raises(DbtUnusableError, match="could not be tried: no adapter"):
        stage.play({"check": _failed("no adapter")}, check=True)


@pytest.mark.parametrize("file", ["packages.yml", "dependencies.yml"])
def test_packages_are_installed_first_where_the_project_names_any(stage: _Stage, file: str) -> None:
    (stage.project / file).write_text("packages: []\n")

    assert stage.play().commands == ["deps", "parse", "list", "build"]


@pytest.mark.parametrize(
    ("replies", "kind", "sentence", "last"),
    [
        (
            {"hello": Hello({}, "3.12.1", SessionException("ModuleNotFoundError", "No module named 'dbt'"))},
            DbtUnusableError,
            "dbt cannot be imported by its interpreter: No module named 'dbt'. ",
            None,
        ),
        ({"deps": _failed("no hub")}, DbtUnusableError, "dbt deps failed: no hub", "deps"),
        ({"deps": _failed()}, DbtUnusableError, "dbt deps failed: dbt deps failed; see its log", "deps"),
        (
            {"parse": _failed("Compilation Error")},
            DbtUnusableError,
            "The project cannot be parsed: Compilation",
            "parse",
        ),
        (
            {
                "parse": _failed(
                    "The profile 'shop' does not have a target named 'prod'. The valid target names for this "
                    "profile are:\n - dev\n - ci",
                    "DbtProfileError",
                )
            },
            RequestError,
            "target: got 'prod', which is not in profiles.yml; allowed: dev, ci. Correct the input `target`",
            "parse",
        ),
        (
            {"parse": _failed("Could not find profile", "DbtProfileError")},
            DbtUnusableError,
            "The project cannot",
            "parse",
        ),
        (
            {"list": _failed("Runtime Error\n  'tagg:x' is not a valid method")},
            RequestError,
            "select: got select 'tagg:x', and dbt says: 'tagg:x' is not a valid method; allowed: a node selection",
            "list",
        ),
        ({"list": _failed()}, RequestError, "select: got select 'tagg:x', and dbt says: dbt list failed", "list"),
        (
            {"build": _failed("No such option: --emptyy", "DbtUsageException")},
            RequestError,
            "dbt-args: got '', and dbt says: No such option: --emptyy; allowed: arguments of dbt build.",
            "build",
        ),
        ({"build": _failed("no connection")}, DbtUnusableError, "dbt build could not begin: no connection", "build"),
        (
            {"build": SessionEndedError(-9)},
            DbtUnusableError,
            "The dbt process was killed by SIGKILL. The likely cause is that the machine ran out of memory.",
            "build",
        ),
        ({"hello": SessionEndedError(2)}, DbtUnusableError, "The dbt process ended with exit code 2", None),
    ],
)
def test_the_phase_says_whose_fault_it_is(
    stage: _Stage, replies: dict[str, Any], kind: type[HeadlessDbtError], sentence: str, last: str | None
) -> None:
    (stage.project / "packages.yml").write_text("packages: []\n")

    with pytest.raises(HeadlessDbtError) as caught:
        stage.play(replies, select="tagg:x")

    assert type(caught.value) is kind
    assert str(caught.value).startswith(sentence)
    assert stage.session.commands[-1:] == ([last] if last else [])
    assert [command.name for command in stage.folder.read_session().commands][-1:] == ([last] if last else [])


def test_a_build_that_breaks_off_after_some_nodes_is_told_apart(stage: _Stage) -> None:
    with pytest.raises(BuildEndedError, match="dbt build ended early: lost") as caught:
        stage.play({"build": _failed("lost")}, journal=node_start(ORDERS))

    assert caught.value.exit_code == 1


def test_the_nodes_of_the_freshness_check_do_not_count_as_nodes_of_the_build(stage: _Stage) -> None:
    """They stand in the same journal. A build that never began is exit code 3, also after a freshness check."""
    with pytest.raises(DbtUnusableError, match="dbt build could not begin: no connection"):
        stage.play(
            {"build": _failed("no connection")},
            files={"source": {"sources.json": builders.sources(builders.freshness(RAW))}},
            journal=command_started("dbt source freshness", "f")
            + node_start(RAW, "f")
            + node_finished(RAW, "pass", invocation="f"),
            source_freshness=True,
        )


def test_failed_nodes_are_no_error_of_the_conversation(stage: _Stage) -> None:
    session = stage.play({"build": _failed()})

    assert session.commands == ["parse", "list", "build"]
    assert [command.success for command in stage.folder.read_session().commands] == [True, True, False]


def test_the_branch_of_a_stale_source_is_left_out_of_the_build(stage: _Stage) -> None:
    stale = builders.sources(builders.freshness(RAW, "error"), builders.freshness("source.shop.raw.items", "warn"))

    session = stage.play(
        {"source": _failed()}, files={"source": {"sources.json": stale}}, source_freshness=True, exclude="x"
    )

    assert session.commands == ["parse", "list", "source", "build"]
    assert session.asked[2][-2:] == ["--select", "source:shop.raw.orders"]
    assert "--exclude=x source:shop.raw.orders+" in session.asked[3]
    assert stage.folder.read_session().stale_sources == (RAW,)


def test_only_sources_that_the_selection_reads_are_checked(stage: _Stage) -> None:
    session = stage.play({"list": _listed("model.shop.items")}, source_freshness=True)

    assert session.commands == ["parse", "list", "build"]


@pytest.mark.parametrize("selector", ["nightly", ""])
def test_a_stale_branch_is_left_out_beside_a_selector_too(
    stage: _Stage, monkeypatch: pytest.MonkeyPatch, selector: str
) -> None:
    """dbt takes no --exclude beside one, and with one it forgets that of selectors.yml which is the default."""
    written: list[set[str]] = []
    monkeypatch.setattr(attempts, "write_results", lambda _, entries: written.append({e["unique_id"] for e in entries}))
    (stage.project / "selectors.yml").write_text("selectors: []\n")
    stale = builders.sources(builders.freshness(RAW, "error"))
    files = {"source": {"sources.json": stale}}

    session = stage.play({"list": _listed(ORDERS, "model.shop.items")}, files, source_freshness=True, selector=selector)

    assert not [argument for argument in session.asked[-1] if argument.startswith("--exclude")]
    assert "--select=result:error" in session.asked[-1]
    assert written == [{"model.shop.items"}]
    assert stage.folder.read_session().stale_sources == (RAW,)


def test_nothing_selected_is_said_in_the_words_of_the_request(stage: _Stage) -> None:
    stage.play({"list": _listed("source.shop.raw.orders", "metric.shop.m")}, select="tag:nightly", exclude="b")

    assert "Warning: Nothing is selected: select 'tag:nightly', exclude 'b' matches no node to build." in stage.said
    assert stage.folder.read_session().selected == ()


@pytest.mark.parametrize(("reply", "said"), [(_failed("no catalog"), "no catalog"), (_failed(), "see the log")])
def test_docs_that_fail_are_a_warning(stage: _Stage, reply: Reply, said: str) -> None:
    stage.play({"docs": reply}, docs=True)

    assert f"Warning: The docs could not be generated: {said}" in stage.said
    assert stage.folder.read_session().commands[-1].name == "docs generate"
    assert stage.folder.read_session().commands[-1].success is False


@pytest.mark.parametrize("when", ["parse", "build"])
def test_a_cancel_in_the_middle_is_recorded_and_the_artifacts_are_kept(stage: _Stage, when: str) -> None:
    with pytest.raises(CancelledError):
        stage.play({when: CancelledError("SIGINT ended it.")})

    record = stage.folder.read_session()
    assert record.commands[-1].name == when
    assert (record.commands[-1].success, record.commands[-1].message) == (False, "ended before it answered")
    assert record.problem is not None
    assert record.problem.exit_code == 130


def _target_paths(session: _Session) -> list[str]:
    builds = [argv for argv in session.asked if argv[0] == "build"]
    return [Path(argv[argv.index("--target-path") + 1]).name for argv in builds]


def test_each_attempt_writes_into_a_folder_of_its_own_also_when_no_node_had_begun(stage: _Stage) -> None:
    with pytest.raises(DbtUnusableError):
        stage.play({"build": _failed("Connection refused")}, retries=2)

    assert _target_paths(stage.session) == ["1", "2", "3"]
    assert [attempt.causes for attempt in stage.folder.read_session().attempts][:2] == [("connection refused",)] * 2


def test_the_branch_of_a_stale_source_is_not_built_by_another_attempt(
    stage: _Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[dict[str, str]] = []

    def note(_: Path, entries: Any) -> None:
        written.append({entry["unique_id"]: entry["status"] for entry in entries})

    monkeypatch.setattr(attempts, "write_results", note)
    items = builders.result("model.shop.items", "error", "Connection reset by peer")
    stale = builders.sources(builders.freshness(RAW, "error"))

    session = stage.play(
        {"source": _failed(), "build": _failed()},
        files={"source": {"sources.json": stale}, "build": {"run_results.json": builders.run_results(items)}},
        source_freshness=True,
        retries=1,
    )

    assert written == [{"model.shop.items": "error", ORDERS: "success"}]
    assert _target_paths(session) == ["1", "2"]


@pytest.mark.parametrize(("listed", "again"), [((ORDERS, "model.shop.items"), False), ((ORDERS,), True)])
def test_docs_compile_only_what_the_build_has_not(stage: _Stage, listed: tuple[str, ...], again: bool) -> None:
    files = {"build": {"manifest.json": {**MANIFEST, "built": True}}}

    session = stage.play({"list": _listed(*listed)}, files, docs=True)

    assert ("--no-compile" not in session.asked[-1]) is again
    # It is gone with the rest of dbt's folder; what is kept is the page and the catalog.
    assert not (stage.folder.path / "docs").exists()
