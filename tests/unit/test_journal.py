"""dbt's JSON log, also where it is torn."""

import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from headless_dbt.journal import Journal, read_invocations, read_journal
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.builders import BUILD, command_started, log_line, node_finished, node_start


def read_events(lines: Iterable[bytes]) -> Journal:
    """The only build among the lines."""
    builds = read_invocations(lines)
    return builds[0] if builds else Journal()


A, B, C = "model.shop.a", "model.shop.b", "test.shop.unique_a.0123"
LINES = (
    log_line("Running with dbt=1.12.6"),
    node_start(A),
    node_start(B),
    log_line("\u001b[32mOK\u001b[0m created sql view model main.a"),
    node_finished(A),
    node_finished(B, "error", "Runtime Error in model b (models/b.sql)\n  Binder Error: schön"),
    node_start(C),
    node_finished(C, "fail", "Got 2 results, configured to fail if != 0", failures=2),
)


def test_every_finished_node_is_told_with_its_result() -> None:
    journal = read_events(LINES)

    assert list(journal.finished) == [A, B, C]
    assert journal.unfinished == frozenset()
    failed = journal.finished[B]
    assert (failed.status, failed.message) == (
        "error",
        "Runtime Error in model b (models/b.sql)\n  Binder Error: schön",
    )
    assert journal.finished[C].failures == 2
    assert journal.finished[A].execution_time == pytest.approx(0.060250998)
    assert journal.finished[A].thread_id == "Thread-1 (worker)"
    assert [phase.name for phase in journal.finished[A].timing] == ["compile", "execute"]
    assert journal.finished[A].adapter_response == {"_message": "OK"}


def test_a_node_that_started_and_did_not_finish_is_told_apart() -> None:
    journal = read_events([node_start(A), node_start(B), node_finished(B)])

    assert journal.started == {A, B}
    assert journal.unfinished == {A}


def test_the_last_word_about_a_node_counts() -> None:
    journal = read_events([node_finished(A, "error"), node_finished(A, "success")])

    assert journal.finished[A].status == "success"


def test_a_torn_last_line_is_passed_over() -> None:
    torn = node_finished(B)[:-40]

    journal = read_events([node_start(A), node_start(B), node_finished(A), torn])

    assert list(journal.finished) == [A]
    assert journal.unfinished == {B}


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\n",
        b"08:02:41  Running with dbt\n",
        b'"NodeFinished"\n',
        b'{"info": {"name": "NodeFinished"}}\n',
        b'{"info": {"name": "NodeFinished"}, "data": {}}\n',
        b'{"info": {"name": "NodeFinished"}, "data": {"node_info": {"unique_id": 7}}}\n',
        b'{"info": {"name": "NodeFinished"}, "data": null}\n',
        b'{"info": "NodeFinished", "data": {}}\n',
        b'[{"name": "NodeStart"}]\n',
        b'{"info": {"name": "NodeStart\xff\xfe"}, "data": "NodeStart"}\n',
        b'{"info": {"name": "NodeStart"}, "data": {"node_info": {"unique_id": "\xff\xfe"}}}\n',
        b'{"info": {"name": "NodeStart"}, "data": {"node_info": {"unique_id": "\\ud800"}}}\n',
        b'{"info": {"name": "NodeStart"}, "data": ' + b'{"node_info": ' * 5000 + b'"NodeStart"\n',
        b'{"info": {"name": "NodeStart"}, "data": {"node_info": {"unique_id": "a", "meta": ' + b"[" * 5000 + b"\n",
        node_start(B)[:30] + node_start(B),
    ],
    ids=range(16),
)
def test_garbage_is_passed_over(garbage: bytes) -> None:
    journal = read_events([node_start(A), garbage, node_finished(A)])

    assert (list(journal.finished), journal.unfinished) == ([A], frozenset())


def test_a_line_that_only_speaks_of_the_events_is_no_event() -> None:
    journal = read_events([log_line('select "NodeFinished" as "NodeStart"')])

    assert journal == Journal()


def test_a_result_without_a_status_takes_that_of_the_node() -> None:
    line = node_finished(A, "error").replace(b'"status": "error"', b'"status": ""')

    assert read_events([line]).finished[A].status == "error"


def test_new_fields_are_tolerated() -> None:
    line = node_finished(A).replace(b'{"data": {', b'{"new": {"x": []}, "data": {"newer": null, ')

    assert list(read_events([line]).finished) == [A]


def test_a_missing_log_is_an_empty_journal(tmp_path: Path) -> None:
    assert read_journal(tmp_path / "dbt.log") == ()
    assert read_journal(tmp_path) == ()


def test_a_log_file_is_read_line_by_line(tmp_path: Path) -> None:
    file = tmp_path / "dbt.log"
    file.write_bytes(b"".join(LINES))

    assert read_journal(file) == (read_events(LINES),)


def test_each_build_is_told_by_itself_and_other_commands_are_left_out() -> None:
    lines = [
        command_started("dbt source freshness --select source:a", "f"),
        node_start("source.shop.raw.a", "f"),
        command_started("dbt build --project-dir x", "one"),
        node_start(A, "one"),
        node_finished(A, "error", invocation="one"),
        command_started("dbt build --select=result:error", "two"),
        command_started("dbt docs generate", "d"),
        node_finished(A, "success", invocation="d"),
    ]

    first, second = read_invocations(lines)

    assert [result.status for result in first.finished.values()] == ["error"]
    assert second == Journal()


_WHOLE = b"".join(LINES)


@given(st.integers(0, len(_WHOLE)))
def test_a_journal_cut_at_any_byte_tells_a_part_of_the_truth(cut: int) -> None:
    whole, part = read_events(LINES), read_events(_WHOLE[:cut].splitlines(keepends=True))

    assert part.finished.keys() <= whole.finished.keys()
    assert all(whole.finished[unique_id] == result for unique_id, result in part.finished.items())
    assert part.started <= whole.started
    assert part.unfinished <= part.started


@given(st.lists(st.binary(max_size=80)), st.integers(0, len(LINES)))
def test_no_bytes_break_the_reading(garbage: list[bytes], where: int) -> None:
    lines = [*LINES[:where], *(line.replace(b"\n", b"") + b' "NodeStart"\n' for line in garbage), *LINES[where:]]

    assert read_events(lines) == read_events(LINES)


def test_an_error_of_dbt_2_belongs_to_its_node_and_outranks_a_success() -> None:
    """It tells errors in events of their own; and of nodes that were cancelled it may say that they succeeded."""

    def told(unique_id: str, level: str) -> bytes:
        data = {"node_info": {"unique_id": unique_id}} if unique_id else {}
        info = {
            "name": "Generic",
            "level": level,
            "msg": "[error] [Cancelled (dbt1404)]: stopped",
            "invocation_id": BUILD,
        }
        return json.dumps({"info": info, "data": data}).encode()

    lines = (
        command_started("dbt build"),
        node_start(A),
        told(A, "error"),
        told(B, "warn"),
        told("", "error"),
        *(node_finished(name) for name in (A, B)),
    )
    found = read_events(lines).finished
    assert (found[A].status, found[A].message) == ("error", "stopped")
    assert found[B].status == "success"


REFUSED = """\
-- created_at: 2026-11-28T17:32:17.704192081+00:00
-- outcome: error
-- error vendor code: -2147483648
-- error message: Internal: Binder Error: no column "x"
LINE 1: select x
-- dialect: duckdb
-- query_id: not available
select x -- dialect: duckdb"""
BROKEN_TEST = (
    "[error]: Error materializing test test.shop.t (run/t.sql)\n  Binder Error: no x. Treating as failing test."
)


def of_dbt_2(name: str, said: str, unique_id: str = "") -> bytes:
    """An event of dbt 2 in which an error stands."""
    level = "error" if name == "Generic" else "debug"
    data = {"node_info": {"unique_id": unique_id}} if unique_id else {}
    return json.dumps(
        {"info": {"name": name, "level": level, "msg": said, "invocation_id": BUILD}, "data": data}
    ).encode()


@pytest.mark.parametrize(
    ("status", "failures", "events", "told"),
    [
        # One that fails by what it found.
        ("fail", 2, (), ("fail", "", 2)),
        (
            "fail",
            1,
            (("Generic", BROKEN_TEST),),
            ("error", "Database Error in test test.shop.t (run/t.sql)\n  Binder Error: no x", None),
        ),
        ("warn", 0, (("SQLQuery", REFUSED),), ("error", 'Binder Error: no column "x"\nLINE 1: select x', None)),
        # A query that was refused on the way to a result is none of its result.
        ("warn", 3, (("SQLQuery", REFUSED),), ("warn", "", 3)),
        ("pass", 0, (("SQLQuery", REFUSED),), ("pass", "", 0)),
        ("warn", 0, (("SQLQuery", "-- outcome: success\nselect '-- outcome: error'"),), ("warn", "", 0)),
    ],
)
def test_a_test_of_dbt_2_that_cannot_run_is_an_error_whatever_its_severity(
    status: str, failures: int, events: tuple[tuple[str, str], ...], told: tuple[str, str, int | None]
) -> None:
    lines = (
        command_started("dbt build"),
        *(of_dbt_2(*event, unique_id="test.shop.t") for event in events),
        node_finished("test.shop.t", status=status, message="", failures=failures),
    )
    found = read_events(lines).finished["test.shop.t"]
    assert (found.status, found.message, found.failures) == told


def test_an_error_without_a_word_has_those_of_no_node() -> None:
    lines = (
        command_started("dbt build"),
        of_dbt_2("Generic", "[error]: Csv error: 2 fields, not 4"),
        node_finished(A, status="error", message=""),
        node_finished(B, status="error", message="of its own"),
    )
    found = read_events(lines).finished
    assert (found[A].message, found[B].message) == ("Csv error: 2 fields, not 4", "of its own")


def test_what_dbt_2_breaks_off_is_known() -> None:
    lines = (
        command_started("dbt build"),
        of_dbt_2("Generic", "[error] [TaskCancelled (dbt1404)]: stopped", A),
        of_dbt_2("Generic", "[error] [DbDriverFailed (dbt1308)]: no", B),
        *(node_finished(name, status="error", message="") for name in (A, B)),
    )
    found = read_events(lines)
    assert found.cancelled == {A}
    assert found.finished[B].message == "no"
