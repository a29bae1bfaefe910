"""What a step says to the runner: nothing of a message can become a command of its own."""

import re
from pathlib import Path

import pytest
from headless_dbt.workflow_commands import append_outputs, append_summary, command, escape_property
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.builders import HOSTILE


def _unescape(text: str) -> str:
    replaced = {"%25": "%", "%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ","}
    return re.sub("%(?:25|0D|0A|3A|2C)", lambda match: replaced[match[0]], text)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (command("endgroup"), "::endgroup::"),
        (command("group", "dbt build"), "::group::dbt build"),
        (command("error", "a\nb\r%"), "::error::a%0Ab%0D%25"),
        (command("error", "x", file="models/a,b:c.sql", line=3), "::error file=models/a%2Cb%3Ac.sql,line=3::x"),
        (command("error", "x", file="", title="t"), "::error title=t::x"),
        (command("error", "50%0A"), "::error::50%250A"),
    ],
)
def test_a_command_is_written_as_the_runner_reads_it(line: str, expected: str) -> None:
    assert line == expected


_TEXT = st.text(max_size=80) | st.lists(st.sampled_from(["%", "\n", "\r", ":", ",", "%0A", "::", "error"])).map("".join)


@given(_TEXT, _TEXT)
def test_a_command_is_always_one_line_and_gives_its_message_back(message: str, title: str) -> None:
    line = command("error", message, title=title)

    assert "\n" not in line
    assert "\r" not in line
    properties, _, data = line.removeprefix("::error").removeprefix(" ").partition("::")
    assert _unescape(data) == message
    assert _unescape(properties) == (f"title={title}" if title else "")


@given(_TEXT)
def test_a_property_ends_nowhere_but_at_its_end(text: str) -> None:
    assert not set(escape_property(text)) & set("\r\n:,")


def _outputs(content: str) -> dict[str, str]:
    """Read the file of GITHUB_OUTPUT as the runner does: `name=value` or `name<<delimiter` and lines up to it."""
    outputs: dict[str, str] = {}
    lines = iter(content.split("\n"))
    for line in lines:
        if not line:
            continue
        name, heredoc, delimiter = line.partition("<<")
        assert heredoc, f"the runner would read {line!r} as something else"
        value = []
        for inner in lines:
            if inner == delimiter:
                break
            value.append(inner)
        else:
            pytest.fail(f"{name} does not end")
        outputs[name] = "\n".join(value)
    return outputs


@pytest.mark.parametrize(
    "value",
    ["", "plain", "a=b", "a<<EOF\nb\nEOF", "\n", "x\n\n", "end-0123", "status=success\nissue-number<<x", *HOSTILE],
)
def test_outputs_are_read_back_as_they_were_given(tmp_path: Path, value: str) -> None:
    file = tmp_path / "output"
    file.write_text("before<<x\n1\nx\n")

    append_outputs(file, {"status": value, "report": "/r"})

    assert _outputs(file.read_text()) == {"before": "1", "status": value, "report": "/r"}


def test_a_value_that_knows_an_older_delimiter_cannot_use_it(tmp_path: Path) -> None:
    file = tmp_path / "output"
    append_outputs(file, {"a": "1"})
    delimiter = file.read_text().splitlines()[-1]

    append_outputs(file, {"b": f"x\n{delimiter}\nstatus=success"})

    assert _outputs(file.read_text()) == {"a": "1", "b": f"x\n{delimiter}\nstatus=success"}


def test_the_summary_is_appended(tmp_path: Path) -> None:
    file = tmp_path / "summary"
    file.write_text("of another step\n")

    append_summary(file, "## schön ✅")

    assert file.read_text("utf-8") == "of another step\n## schön ✅\n"
