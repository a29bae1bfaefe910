"""dbt's log on its way to the user: whole lines, no tracebacks, nothing else lost."""

from itertools import pairwise

import pytest
from headless_dbt.log_filter import LogFilter
from hypothesis import given
from hypothesis import strategies as st

TRACEBACK = b"""08:02:41  Encountered an error:
08:02:42  Traceback (most recent call last):
  File "a.py", line 1, in f
    raise KeyError(x)
KeyError: 'x'

\x1b[0m08:02:43  Done.
"""


def _shown(*chunks: bytes) -> bytes:
    log = LogFilter()
    return b"".join(log.feed(chunk) for chunk in chunks) + log.flush()


def test_ordinary_lines_go_through_as_they_are() -> None:
    text = b"08:02:41  Running with dbt=1.12.6\n\n  Runtime Error\n    a\n\xff\x1b[31mred\x1b[0m\n"

    assert _shown(text) == text


def test_a_traceback_becomes_one_line() -> None:
    assert _shown(TRACEBACK) == (
        b"08:02:41  Encountered an error:\n08:02:42  (a Python traceback is left out here)\nKeyError: 'x'\n"
        b"\n\x1b[0m08:02:43  Done.\n"
    )


def test_what_a_model_in_python_lacks_is_shown() -> None:
    text = b"""08:02:41    Runtime Error in model scores (models/scores.py)
  Python model failed:
  Traceback (most recent call last):
    File "a.py", line 1, in f
      import pandas

  ModuleNotFoundError: No module named 'pandas'
  > in model scores
"""
    assert (
        _shown(text)
        == b"""08:02:41    Runtime Error in model scores (models/scores.py)
  Python model failed:
  (a Python traceback is left out here)
  ModuleNotFoundError: No module named 'pandas'
  > in model scores
"""
    )


def test_a_line_is_shown_when_it_is_whole() -> None:
    log = LogFilter()

    assert log.feed(b"08:02:41  Run") == b""
    assert log.feed(b"ning\n08") == b"08:02:41  Running\n"
    assert log.flush() == b"08"
    assert log.flush() == b""


def test_a_log_that_is_json_goes_on_after_a_traceback() -> None:
    """With `dbt-args: --log-format json` a traceback stands inside one line, and no line begins with a time."""
    torn = b'{"info": {"msg": "Traceback (most recent call last):\\n  File \\"a.py\\""}}\n'
    after = b'{"info": {"msg": "Done."}}\n'

    assert _shown(torn + after).endswith(after)


@pytest.mark.parametrize("text", [b"", b"\n", b"no end", b"a\nb"])
def test_nothing_is_added_and_nothing_lost(text: bytes) -> None:
    assert _shown(text) == text


@given(st.lists(st.integers(0, len(TRACEBACK)), max_size=6))
def test_it_does_not_matter_where_the_chunks_are_cut(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(TRACEBACK)]
    chunks = [TRACEBACK[start:end] for start, end in pairwise(places)]

    assert _shown(*chunks) == _shown(TRACEBACK)
