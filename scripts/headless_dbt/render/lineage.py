"""A small picture of where it hurts: the failing neighbourhood as a Mermaid graph, which GitHub draws. Pure.

A label can only hold letters, digits and a few marks: nothing of a name can become syntax, a link, or markup.
Source: https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/creating-diagrams
"""

import re

from headless_dbt.model import Cause, Outcome, Run
from headless_dbt.render.markdown import plain, shorten

_MOST_FAILED, _MOST_PARENTS, _MOST_CHILDREN, _MOST_EXPOSURES = 5, 6, 8, 5
_STYLE = {
    Outcome.FAILED: "failed",
    Outcome.SKIPPED: "skipped",
    Outcome.WARNED: "warned",
}
_CLASSES = (
    "classDef failed fill:#cf222e,color:#fff,stroke:#82071e",
    "classDef skipped fill:#eaeef2,color:#57606a,stroke:#8c959f,stroke-dasharray:4",
    "classDef warned fill:#bf8700,color:#fff,stroke:#7d4e00",
    "classDef exposure fill:#ddf4ff,color:#0969da,stroke:#54aeff",
)


def render_neighbourhood(run: Run, cause: Cause) -> str:
    """What failed, what it reads, what was skipped for it, and the exposures; empty where it stands alone."""
    nodes = {node.unique_id: node for node in run.nodes}
    failed = [name for name in cause.nodes if name in nodes][:_MOST_FAILED]
    if not failed:
        return ""
    parents = [(parent, name) for name in failed for parent in nodes[name].depends_on][:_MOST_PARENTS]
    # A test is behind what it tests, and what waits for it is what comes after that.
    before = {*failed, *(parent for parent, name in parents if nodes[name].resource_type in ("test", "unit_test"))}
    children = [
        (parent, node.unique_id)
        for node in run.nodes
        if node.outcome is Outcome.SKIPPED
        for parent in node.depends_on
        if parent in before and node.unique_id not in before
    ][:_MOST_CHILDREN]
    ends = {child for _, child in children} or set(failed)
    exposures = cause.exposures[:_MOST_EXPOSURES]
    if not (parents or children or exposures):
        return ""
    edges = dict.fromkeys((*parents, *children))
    names = dict.fromkeys((*(name for edge in edges for name in edge), *failed))
    numbers = {name: f"n{number}" for number, name in enumerate(names)}
    lines = [f'{numbers[name]}["{label(name.split(".", 2)[-1])}"]' for name in names]
    lines += [f"{numbers[parent]} --> {numbers[child]}" for parent, child in edges]
    for position, exposure in enumerate(exposures):
        lines.append(f'e{position}(["{label(exposure.name)}"]):::exposure')
        # The way to it may be long: one dotted line from one of the ends stands for it.
        lines.append(f"{numbers[min(ends)]} -.-> e{position}")
    for name, number in numbers.items():
        if name in nodes and nodes[name].outcome in _STYLE:
            lines.append(f"class {number} {_STYLE[nodes[name].outcome]}")
    return "\n".join(("```mermaid", "graph LR", *(f"  {line}" for line in (*lines, *_CLASSES)), "```"))


def label(text: str) -> str:
    """A name as a label: what could be syntax becomes a blank."""
    return shorten(" ".join(re.sub(r"[^\w .,()+-]", " ", plain(text)).split()), 60) or "unnamed"
