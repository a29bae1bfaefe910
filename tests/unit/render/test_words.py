"""Numbers and verdicts as people say them."""

import pytest
from headless_dbt.model import Verdict
from headless_dbt.render.words import VERDICT_WORDS, counted, counts, duration

from tests.unit.builders import make_node, make_run


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0.0 s"),
        (0.44, "0.4 s"),
        (9.94, "9.9 s"),
        (9.99, "10 s"),
        (10, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (187.4, "3 min 7 s"),
        (3599.7, "1 h 0 min"),
        (7500, "2 h 5 min"),
        (90061, "25 h 1 min"),
    ],
)
def test_a_duration(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(("number", "words"), [(0, "0 nodes"), (1, "1 node"), (2, "2 nodes")])
def test_a_number_with_its_noun(number: int, words: str) -> None:
    assert counted(number, "node") == words


def test_counts_name_only_what_there_was() -> None:
    assert counts(make_run()) == "no node ran"
    assert counts(make_run([make_node("a")])) == "1 node: 1 passed"
    statuses = ("skipped", "warn", "error", "success", "pass")
    assert counts(make_run([make_node(f"m.{status}", status) for status in statuses])) == (
        "5 nodes: 2 passed, 1 warned, 1 failed, 1 skipped"
    )


def test_every_verdict_has_its_words() -> None:
    assert set(VERDICT_WORDS) == set(Verdict)
