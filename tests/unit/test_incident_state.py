"""What the marker keeps, and that nothing around it or in it can harm it."""

import base64
import zlib

import pytest
from headless_dbt.incident_state import (
    ALL,
    END,
    MOST_STATE,
    KnownCause,
    Moment,
    State,
    Suspect,
    marked,
    marker,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.builders import HOSTILE

KEY = "0123456789abcdef"
MOMENT = Moment(run="42", at="2026-01-31T06:00:00Z", sha="a" * 40)


def _body(state: State, *, above: str = "", below: str = "", part: str = ALL) -> str:
    return f"{above}{marker(KEY, part, state)}\nWhat failed.\n\n{END}{below}"


def _cause(number: int, nodes: int = 1) -> KnownCause:
    return KnownCause(
        key=f"{number:016x}",
        title=f"a_model_with_a_long_name_{number}",
        nodes=tuple(f"model.shop.a_model_with_a_long_name_{number}_{each}" for each in range(nodes)),
        since=MOMENT,
        green=f"{number:040x}",
        suspects=(Suspect(sha=f"{number:040x}", subject=f"Change {number}", author="ada"),),
    )


def test_a_state_comes_back_with_what_people_wrote_around_it() -> None:
    state = State(opened=MOMENT, last=MOMENT, causes=(_cause(1, 3), _cause(2)))
    found = marked(_body(state, above="Mine.\n", below="\nAnd mine."), KEY)
    assert found is not None
    assert (found.key, found.part, found.state) == (KEY, ALL, state)
    assert (found.above, found.below) == ("Mine.\n", "\nAnd mine.")


_LETTERS = st.one_of(st.sampled_from("-->!<`@#*|\n\r\t\x00"), st.characters(codec="utf-8"))
_SHARP = [*HOSTILE, "-->", END, f"<!-- headless-dbt:v2:{KEY}:all: -->"]
texts = st.text(_LETTERS, max_size=60) | st.sampled_from(_SHARP)


@given(texts, texts, texts)
def test_no_text_can_end_the_marker_early(name: str, title: str, subject: str) -> None:
    cause = KnownCause(key="k", title=title, nodes=(name,), suspects=(Suspect(sha="s", subject=subject),))
    body = _body(State(causes=(cause,)))
    assert body.count("-->") == 2
    found = marked(body.replace("\n", "\r\n"), KEY)
    assert found is not None
    (back,) = found.state.causes
    assert (back.title, back.nodes) == (title, (name,))


def test_a_marker_that_a_message_holds_is_not_believed() -> None:
    """The first one is ours: it stands before anything of the project."""
    theirs = marker(KEY, ALL, State(causes=(_cause(9),)))
    body = f"{marker(KEY, ALL, State(causes=(_cause(1),)))}\n```\n{theirs}\n{END}\n```\n\n{END}\nA person's words."
    found = marked(body, KEY)
    assert found is not None
    assert [cause.key for cause in found.state.causes] == [f"{1:016x}"]
    assert found.below == "\nA person's words."


def test_the_marker_of_another_pipeline_is_none() -> None:
    assert marked(_body(State()), "f" * 16) is None
    assert marked("No marker at all.", KEY) is None


@pytest.mark.parametrize("damaged", ["", "AAAA", "AAA", "/w==", base64.b64encode(zlib.compress(b"[1]")).decode()])
def test_a_damaged_state_is_still_something_that_is_open(damaged: str) -> None:
    found = marked(f"<!-- headless-dbt:v2:{KEY}:all:{damaged} -->\n{END}", KEY)
    assert found is not None
    assert len(found.state.causes) == 1


def test_a_state_that_unpacks_to_gigabytes_is_damaged() -> None:
    bomb = base64.b64encode(zlib.compress(b" " * 50_000_000)).decode()
    found = marked(f"<!-- headless-dbt:v2:{KEY}:all:{bomb} -->\n{END}", KEY)
    assert found is not None
    assert found.state.causes[0].title == "What this issue knew is lost"


def test_the_marker_of_the_first_version_is_read() -> None:
    content = base64.b64encode(zlib.compress(b'{"broken": ["model.shop.a", "run", "too many to name"]}')).decode()
    found = marked(f"Words.\n<!-- headless-dbt:v1:{KEY}:{content} -->\nbody\n{END}", KEY)
    assert found is not None
    assert found.part == ALL
    assert [(cause.nodes, cause.more) for cause in found.state.causes] == [(("model.shop.a",), 0), ((), 0), ((), 1)]


@pytest.mark.parametrize(("causes", "nodes"), [(1, 5000), (30, 200), (400, 1), (5000, 3)])
def test_a_large_state_is_cut_to_size_and_what_is_left_out_is_counted(causes: int, nodes: int) -> None:
    state = State(opened=MOMENT, last=MOMENT, causes=tuple(_cause(number, nodes) for number in range(causes)))
    text = marker(KEY, ALL, state)
    assert len(text) < MOST_STATE + 100
    found = marked(f"{text}\n{END}", KEY)
    assert found is not None
    back = found.state
    assert len(back.causes) + back.dropped == causes
    for cause, whole in zip(back.causes, state.causes, strict=False):
        assert cause.key == whole.key
        assert len(cause.nodes) + cause.more == nodes
    assert (back.opened, back.last) == (MOMENT, MOMENT)
