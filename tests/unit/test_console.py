"""What a verb says while it works, on GitHub and in a terminal."""

import io
import re

import pytest
from headless_dbt.console import Console
from headless_dbt.errors import DbtUnusableError
from headless_dbt.locate import Place


class _Terminal(io.BytesIO):
    def isatty(self) -> bool:
        return True


def _console(*, on_github: bool) -> tuple[Console, io.BytesIO]:
    stream = io.BytesIO()
    return Console(on_github=on_github, stream=stream), stream


def test_on_github_a_group_folds_and_takes_no_commands() -> None:
    console, stream = _console(on_github=True)

    with console.group("dbt build"):
        console.show(b"::set-output name=x::y\n")

    first, stop, inner, start, last, end = stream.getvalue().decode().split("\n")
    token = re.fullmatch(r"::stop-commands::([0-9a-f]{32})", stop)
    assert token is not None
    assert (first, inner, start, last, end) == (
        "::group::dbt build",
        "::set-output name=x::y",
        f"::{token[1]}::",
        "::endgroup::",
        "",
    )


def test_each_group_has_a_token_of_its_own() -> None:
    console, stream = _console(on_github=True)

    for _ in range(2):
        with console.group("x"):
            pass

    assert len(set(re.findall(rb"stop-commands::(\w+)", stream.getvalue()))) == 2


def test_commands_are_taken_again_also_after_an_exception_in_the_middle_of_a_line() -> None:
    console, stream = _console(on_github=True)

    def torn() -> None:
        with console.group("dbt build"):
            console.show(b"torn")
            raise KeyError

    with pytest.raises(KeyError):
        torn()

    lines = stream.getvalue().decode().splitlines()
    assert lines[2] == "torn"
    assert lines[3] == f"::{lines[1].rpartition(':')[2]}::"
    assert lines[4] == "::endgroup::"


def test_a_title_cannot_end_its_line() -> None:
    console, stream = _console(on_github=True)

    with console.group("a\n::error::b"):
        pass

    assert stream.getvalue().startswith(b"::group::a%0A::error::b\n::stop-commands::")


def test_elsewhere_a_group_is_a_heading() -> None:
    console, stream = _console(on_github=False)

    with console.group("dbt build"):
        console.show(b"OK\n")

    assert stream.getvalue().decode() == "\n── dbt build\nOK\n"


@pytest.mark.parametrize(
    ("on_github", "expected"),
    [
        (True, "::error file=a%2Cb%3Ac%25d.yml,line=3,title=dbt could not work::No\n"),
        (False, "dbt could not work. No\nIt is in a,b:c%d.yml:3.\n"),
    ],
)
def test_an_error_stands_where_it_is(on_github: bool, expected: str) -> None:
    console, stream = _console(on_github=on_github)

    console.error(DbtUnusableError("No"), Place("a,b:c%d.yml", 3))

    assert stream.getvalue().decode() == expected


@pytest.mark.parametrize(
    ("on_github", "expected"),
    [
        (True, "torn\n::error title=dbt could not work::No%0Aconnection\n"),
        (False, "torn\ndbt could not work. No\nconnection\n"),
    ],
)
def test_an_error_begins_on_a_line_of_its_own(on_github: bool, expected: str) -> None:
    console, stream = _console(on_github=on_github)

    console.show(b"torn")
    console.error(DbtUnusableError("No\nconnection"))

    assert stream.getvalue().decode() == expected


@pytest.mark.parametrize(
    ("on_github", "expected"),
    [
        (True, "::error file=a.yml,line=3,title=dbt could not work::No%0ADo `this`.\n"),
        (False, "dbt could not work. No\nDo `this`.\nIt is in a.yml:3.\n"),
    ],
)
def test_right_under_an_error_stands_what_to_change(on_github: bool, expected: str) -> None:
    console, stream = _console(on_github=on_github)

    console.error(DbtUnusableError("No"), Place("a.yml", 3), "Do `this`.")

    assert stream.getvalue().decode() == expected


@pytest.mark.parametrize(
    ("on_github", "expected"), [(True, "::warning title=headless-dbt::hm%25\n"), (False, "Warning: hm%\n")]
)
def test_a_warning(on_github: bool, expected: str) -> None:
    console, stream = _console(on_github=on_github)

    console.warning("hm%")

    assert stream.getvalue().decode() == expected


def test_values_are_masked_on_github_and_never_printed_elsewhere() -> None:
    on_github, stream = _console(on_github=True)
    elsewhere, silent = _console(on_github=False)

    on_github.mask(iter(["hunter2", "two\nlines"]))
    elsewhere.mask(iter(["hunter2"]))

    assert stream.getvalue() == b"::add-mask::hunter2\n::add-mask::two%0Alines\n"
    assert silent.getvalue() == b""


@pytest.mark.parametrize("on_github", [True, False])
def test_what_is_masked_is_not_shown_again(on_github: bool) -> None:
    stream = io.BytesIO()
    console = Console(on_github=on_github, stream=stream)
    console.mask({"hunter2"})
    before = len(stream.getvalue())

    console.show_log(b"the password is hunter2\n")
    console.say("hunter2")
    console.error(DbtUnusableError("hunter2 was refused"))

    assert b"hunter2" not in stream.getvalue()[before:]
    assert b"the password is *****\n" in stream.getvalue()


def test_bytes_are_shown_as_they_are() -> None:
    console, stream = _console(on_github=False)

    console.show(b"")
    console.show(b"\xff\x1b[31m")

    assert stream.getvalue() == b"\xff\x1b[31m"


def test_a_text_that_cannot_be_encoded_is_shown_all_the_same() -> None:
    """A file name of other bytes than UTF-8 reaches Python as surrogates."""
    console, stream = _console(on_github=False)

    console.say("report \udcff")

    assert stream.getvalue().startswith(b"report ")


def test_colours_are_for_github_and_for_terminals() -> None:
    assert Console(on_github=True, stream=io.BytesIO()).colors
    assert Console(on_github=False, stream=_Terminal()).colors
    assert not Console(on_github=False, stream=io.BytesIO()).colors


def test_what_dbt_says_outside_of_a_group_cannot_give_commands_either() -> None:
    stream = io.BytesIO()
    console = Console(on_github=True, stream=stream)

    console.show_log(b"::error::forged\n")
    with console.group("dbt build"):
        console.show_log(b"::error::forged\n")

    lines = stream.getvalue().decode().splitlines()
    for position in (at for at, line in enumerate(lines) if line == "::error::forged"):
        assert lines[position - 1].startswith("::stop-commands::")
        assert lines[position + 1] == f"::{lines[position - 1].removeprefix('::stop-commands::')}::"
    assert lines.count("::error::forged") == 2
