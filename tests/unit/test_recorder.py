"""session.json, as it grows."""

from collections.abc import Callable
from pathlib import Path

from headless_dbt.errors import DbtUnusableError
from headless_dbt.locate import Place
from headless_dbt.recorder import Recorder
from headless_dbt.run_folder import RunFolder

from tests.unit.builders import make_command


def test_the_record_is_written_whenever_it_changes(tmp_path: Path) -> None:
    times = iter([100.0, 100.5, 103.25])
    clock: Callable[[], float] = lambda: next(times)  # noqa: E731

    recorder = Recorder(RunFolder(tmp_path), clock=clock)
    assert RunFolder(tmp_path).read_session().elapsed == 0.5
    recorder.note(finished=True)

    record = RunFolder(tmp_path).read_session()
    assert (record.elapsed, record.finished) == (3.25, True)
    assert record.started_at.endswith("Z")


def test_no_secret_is_on_record_in_the_file_or_in_memory(tmp_path: Path) -> None:
    recorder = Recorder(RunFolder(tmp_path), secrets=frozenset({"hunter2"}))

    recorder.note(commands=(make_command(message="password hunter2 is wrong"),))
    recorder.note_problem(DbtUnusableError("hunter2 was refused"))

    assert recorder.record.problem is not None
    assert recorder.record.problem.message == "***** was refused"
    assert recorder.record.commands[0].message == "password ***** is wrong"
    assert b"hunter2" not in (tmp_path / "session.json").read_bytes()


def test_a_problem_is_on_record_with_its_place_and_what_to_change(tmp_path: Path) -> None:
    recorder = Recorder(RunFolder(tmp_path))

    recorder.note_problem(DbtUnusableError("It does not parse"), Place("dbt/models/a.yml", 3), "Mend it.")

    problem = RunFolder(tmp_path).read_session().problem
    assert problem is not None
    assert (problem.file, problem.line, problem.exit_code) == ("dbt/models/a.yml", 3, 3)
    assert problem.advice == "Mend it."
