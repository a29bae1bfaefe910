import time
from pathlib import Path

import pytest

from benchmarks import side_by_side
from benchmarks.side_by_side import Taken, Way


def _shell(script: str) -> list[list[str]]:
    return [["/bin/sh", "-c", script]]


def test_ways_take_turns_each_on_a_fresh_project_and_the_next_round_begins_with_the_next(tmp_path: Path) -> None:
    log = tmp_path / "log"
    write = _shell(f'test ! -e used && touch used && echo "$NAME" >> {log}')
    ways = [Way(name, write, before=_shell("test -e made"), variables={"NAME": name}) for name in ("a", "b", "c")]

    def make(folder: Path) -> None:
        folder.mkdir()
        (folder / "made").touch()

    measured = side_by_side.take_turns(ways, make, rounds=2)

    assert log.read_text().split() == ["a", "b", "c", "b", "c", "a"]
    assert [(way.name, len(taken)) for way, taken in measured] == [("a", 2), ("b", 2), ("c", 2)]


def test_what_is_before_is_off_the_clock_and_the_time_of_grandchildren_counts(tmp_path: Path) -> None:
    spin = "python3 -c 'import time\nwhile time.process_time() < 0.3: pass'"
    ways = [Way("a", _shell(f"({spin}); true"), before=_shell("sleep 2"))]

    began = time.perf_counter()
    [(_, [taken])] = side_by_side.take_turns(ways, Path.mkdir, rounds=1)
    altogether = time.perf_counter() - began

    # However busy the machine is.
    assert altogether - taken.seconds >= 2
    assert taken.processor >= 0.3


def test_a_command_that_fails_ends_it_with_what_it_said() -> None:
    with pytest.raises(RuntimeError, match=r"ended with 3:\nno table"):
        side_by_side.take_turns([Way("a", _shell("echo no table >&2; exit 3"))], Path.mkdir, rounds=1)


def test_a_result_that_is_not_whole_ends_it() -> None:
    def check(folder: Path) -> None:
        raise RuntimeError(f"nothing in {folder.name}")

    with pytest.raises(RuntimeError, match="nothing in project"):
        side_by_side.take_turns([Way("a", _shell("true"))], Path.mkdir, rounds=1, check=check)


def test_what_would_steer_a_way_is_not_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "/summary")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    script = 'test -z "$GITHUB_STEP_SUMMARY$PYTHONDONTWRITEBYTECODE" && test -d "$HOME_OF_A"'
    side_by_side.take_turns([Way("a", _shell(script), variables={"HOME_OF_A": "{folder}"})], Path.mkdir, rounds=1)


def test_ratios_are_of_the_medians_to_the_first_way() -> None:
    bare = [Taken(1.0, 1.5), Taken(9.0, 1.5), Taken(2.0, 1.5)]
    ours = [Taken(3.0, 4.0), Taken(3.0, 4.0), Taken(2.9, 4.0)]
    measured = [(Way("bare", (), beforehand="deps"), bare), (Way("ours", ()), ours)]
    assert list(side_by_side.rows("shop", measured)) == [
        "| shop | bare | deps | 2.0 s (1.0 to 9.0) | 1.5 s | 1.00 |",
        "| shop | ours | nothing | 3.0 s (2.9 to 3.0) | 4.0 s | 1.50 |",
    ]
