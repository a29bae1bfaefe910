"""Every diagram that we write is one for the real Mermaid, and nothing in it comes alive."""

import pytest
from headless_dbt.model import Cause, Exposure
from headless_dbt.render.lineage import label, render_neighbourhood
from headless_dbt.render.summary import render_summary
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.browser.mermaid import Drawing, Mermaid, diagrams
from tests.unit.builders import make_node, make_run
from tests.unit.render import golden
from tests.unit.render.samples import HOSTILE_TEXTS, RUNS, hostile_run

KEPT = {
    f"{file.name} {number}": diagram
    for file in sorted(golden.FOLDER.glob("*.md"))
    for number, diagram in enumerate(diagrams(file.read_text("utf-8")))
}
# Words that mean something in Mermaid.
SYNTAX = (
    "end",
    "graph",
    "subgraph x",
    "class n0 failed",
    "click n0 href x",
    "o--x",
    "%%{init: {}}%%",
    "`**b**`",
    "1. a",
)
# The first drawing loads what it needs, and takes its time.
drawn_often = settings(deadline=None, max_examples=50)


def assert_inert(drawing: Drawing) -> None:
    assert "<svg" in drawing.svg
    assert drawing.alive == []


def test_there_are_diagrams_in_the_golden_files() -> None:
    assert KEPT


@pytest.mark.parametrize("name", KEPT)
def test_a_diagram_of_a_golden_file_is_drawn(mermaid: Mermaid, name: str) -> None:
    assert_inert(mermaid.draw(KEPT[name]))


@pytest.mark.parametrize("name", RUNS)
def test_the_diagrams_of_a_run_are_drawn(mermaid: Mermaid, name: str) -> None:
    run = RUNS[name]
    texts = (render_summary(run), *(render_neighbourhood(run, cause) for cause in run.causes))
    for diagram in (diagram for text in texts for diagram in diagrams(text)):
        assert_inert(mermaid.draw(diagram))


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_the_diagrams_of_a_hostile_run_are_drawn(mermaid: Mermaid, text: str) -> None:
    for diagram in diagrams(render_summary(hostile_run(text))):
        assert_inert(mermaid.draw(diagram))


@drawn_often
@given(st.text(max_size=80) | st.sampled_from((*HOSTILE_TEXTS, *SYNTAX)), st.sampled_from(("A", "B", "C")))
@example("end", "A")
def test_a_name_of_any_kind_is_words_in_the_picture(mermaid: Mermaid, text: str, place: str) -> None:
    """Each of the three shapes that a name stands in: what failed, what it reads, an exposure."""
    hostile = {letter: text if letter == place else "harmless" for letter in "ABC"}
    parent, failed = f"model.{hostile['A']}", f"model.shop.{hostile['B']}"
    exposure = Exposure(
        unique_id="exposure.shop.c", name=hostile["C"], kind="dashboard", url="https://c", depends_on=(failed,)
    )
    run = make_run([make_node(parent), make_node(failed, "error", depends_on=(parent,))])
    [diagram] = diagrams(render_neighbourhood(run, Cause(key="k", nodes=(failed,), exposures=(exposure,))))

    drawing = mermaid.draw(diagram)

    assert_inert(drawing)
    assert drawing.svg.count('class="node ') >= 3


@pytest.mark.parametrize("text", [*HOSTILE_TEXTS, *SYNTAX])
def test_a_label_is_drawn_as_the_words_that_it_is(mermaid: Mermaid, text: str) -> None:
    drawing = mermaid.draw(f'graph LR\n  n0["{label(text)}"]')
    assert_inert(drawing)
    assert label(text).replace(" ", "") in drawing.text.replace(" ", "").replace("\xa0", "")


def test_what_mermaid_does_not_take_fails(mermaid: Mermaid) -> None:
    with pytest.raises(AssertionError, match="Mermaid does not take this"):
        mermaid.draw('graph LR\n  n0["a"b"]')
    assert_inert(mermaid.draw("gantt\n  dateFormat X\n  axisFormat %s\n  section x\n  a : 0, 1"))


@pytest.mark.parametrize(
    "svg",
    [
        "<svg><script>1</script></svg>",
        "<svg><g onclick='x()'></g></svg>",
        "<svg><a href='#x'></a></svg>",
        "<svg><use xlink:href='https://evil/x.svg#y'/></svg>",
        "<svg><g style='fill: url(https://evil/x)'></g></svg>",
        "<svg><style>@import 'x';</style></svg>",
        "<svg><style>g { fill: url('//evil') }</style></svg>",
    ],
)
def test_what_is_alive_in_a_drawing_is_seen(svg: str) -> None:
    assert Drawing(svg).alive


def test_what_mermaid_itself_draws_with_is_not_taken_for_alive() -> None:
    svg = "<svg><style>g { fill: url(#a) }</style><use href='#a'/><path marker-end='url(#b)'/></svg>"
    assert Drawing(svg).alive == []
