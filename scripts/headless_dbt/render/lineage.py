"""A small picture of where it hurts: the failing neighbourhood as a Mermaid graph, which GitHub draws. Pure.

A label can only hold letters, digits and a few marks: nothing of a name can become syntax, a link, or markup.
Source: https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/creating-diagrams
"""

import re
from collections.abc import Iterable, Mapping
from itertools import pairwise

from headless_dbt.model import Cause, Exposure, Neighbour, Node, Outcome, Run
from headless_dbt.render.markdown import plain, shorten

_MOST_FAILED, _MOST_PARENTS, _MOST_CHILDREN, _MOST_EXPOSURES, _MOST_STEPS = 5, 6, 6, 5, 3
_TESTS = ("test", "unit_test")
_STYLE = {Outcome.FAILED: "failed", Outcome.SKIPPED: "skipped", Outcome.WARNED: "warned"}
_CLASSES = (
    "classDef failed fill:#cf222e,color:#fff,stroke:#82071e",
    "classDef skipped fill:#eaeef2,color:#57606a,stroke:#8c959f,stroke-dasharray:4",
    "classDef warned fill:#bf8700,color:#fff,stroke:#7d4e00",
    "classDef exposure fill:#ddf4ff,color:#0969da,stroke:#54aeff",
)
_ARROW, _WAY = "-->", "-.->"


def render_neighbourhood(run: Run, cause: Cause) -> str:
    """What failed, what it reads, what waits for it, and the ways to the exposures; empty where it stands alone.

    A dotted arrow stands for a way over nodes that are left out.
    """
    # dbt has results of exposures too; here they are where the ways end.
    nodes = {node.unique_id: node for node in run.nodes if node.resource_type != "exposure"}
    failed = [nodes[name] for name in cause.nodes if name in nodes][:_MOST_FAILED]
    edges = {(parent, node.unique_id): _ARROW for node in failed for parent in node.depends_on[:_MOST_PARENTS]}
    # What waits for a test is what comes after the node that it tests.
    starts = [
        name for node in failed for name in (node.depends_on if node.resource_type in _TESTS else (node.unique_id,))
    ]
    before = _first_steps(starts, nodes)
    waiting = [name for name, parent in before.items() if parent in starts and nodes[name].outcome is Outcome.SKIPPED]
    edges |= {(before[name], name): _ARROW for name in waiting[:_MOST_CHILDREN]}
    shown = {exposure.unique_id: exposure for exposure in cause.exposures[:_MOST_EXPOSURES]}
    for exposure in shown.values():
        edges |= _way_to(exposure, starts, before)
    edges |= _ways_from_outside(failed, run)
    if not edges:
        return ""
    names = dict.fromkeys(name for edge in edges for name in edge)
    numbers = {name: f"n{number}" for number, name in enumerate(names)}
    steps = {each.unique_id: each for each in run.neighbours if each.resource_type == "step"}
    lines = [_drawn(numbers[name], name, shown.get(name) or steps.get(name)) for name in names]
    lines += [f"{numbers[parent]} {arrow} {numbers[child]}" for (parent, child), arrow in edges.items()]
    styles = [(numbers[name], _STYLE.get(nodes[name].outcome)) for name in names if name in nodes]
    lines += [f"class {number} {style}" for number, style in styles if style]
    return "\n".join(("```mermaid", "graph LR", *(f"  {line}" for line in (*lines, *_CLASSES)), "```"))


def label(text: str) -> str:
    """A name as a label: what could be syntax becomes a blank."""
    return shorten(" ".join(re.sub(r"[^\w .,()+-]", " ", plain(text)).split()), 60) or "unnamed"


def _drawn(number: str, name: str, outside: Exposure | Neighbour | None) -> str:
    if outside is not None:
        return f'{number}(["{label(outside.name)}"]):::exposure'
    return f'{number}["{label(name.split(".", 2)[-1])}"]'


def _first_steps(starts: Iterable[str], nodes: Mapping[str, Node]) -> dict[str, str]:
    """Every node but tests that can be reached from ``starts``, with the node before it on a shortest way."""
    children: dict[str, list[str]] = {}
    for node in nodes.values():
        if node.resource_type not in _TESTS:
            for parent in node.depends_on:
                children.setdefault(parent, []).append(node.unique_id)
    before: dict[str, str] = {}
    first = list(starts)
    reached = [*first]
    for name in reached:  # It grows meanwhile: nearer ones come first.
        for child in children.get(name, ()):
            if child not in before and child not in first:
                before[child] = name
                reached.append(child)
    return before


def _ways_from_outside(failed: Iterable[Node], run: Run) -> dict[tuple[str, str], str]:
    """The edges of the ways on which data comes from a step outside of dbt to what failed; of a long one both ends."""
    parents = {each.unique_id: each.depends_on for each in run.neighbours}
    parents |= {each.unique_id: each.depends_on for each in run.nodes}
    after: dict[str, str] = {}
    reached = [node.unique_id for node in failed]
    ends = {*reached}
    edges: dict[tuple[str, str], str] = {}
    found = 0
    for name in reached:  # It grows meanwhile: nearer ones come first.
        if name.startswith("step.") and found < _MOST_STEPS:
            found += 1
            way = [name]
            while way[-1] not in ends:
                way.append(after[way[-1]])
            pairs = dict.fromkeys(pairwise(way), _ARROW)
            if len(way) > 4:
                pairs = {(way[0], way[1]): _ARROW, (way[1], way[-2]): _WAY, (way[-2], way[-1]): _ARROW}
            edges |= pairs
        for parent in parents.get(name, ()):
            if parent not in after and parent not in ends:
                after[parent] = name
                reached.append(parent)
    return edges


def _way_to(exposure: Exposure, starts: list[str], before: Mapping[str, str]) -> dict[tuple[str, str], str]:
    """The edges of a way from a start to an exposure; of a long one its first step, and its end."""
    end = next((name for name in exposure.depends_on if name in before or name in starts), None)
    if end is None:
        return {}
    way = [end]
    while way[-1] not in starts:
        way.append(before[way[-1]])
    way.reverse()
    steps = list(pairwise(way))
    edges = dict.fromkeys(steps, _ARROW) if len(way) <= 4 else {steps[0]: _ARROW, (way[1], end): _WAY}
    return {**edges, (end, exposure.unique_id): _ARROW}
