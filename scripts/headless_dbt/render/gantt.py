"""The critical path as a Mermaid Gantt chart, which GitHub draws. Pure.

Mermaid's Gantt has a line for each task: its name, a colon, and times; so a name can hold neither colon nor mark.
Source: https://mermaid.js.org/syntax/gantt.html
"""

from headless_dbt.model import Node, Outcome, Run
from headless_dbt.render.lineage import label
from headless_dbt.timeline import spans_of

# As many bars as can be read; of a longer path the longest ones.
MOST_BARS = 12
_TAG = {Outcome.FAILED: "crit, ", Outcome.WARNED: "active, "}


def critical_nodes(run: Run) -> list[Node]:
    """The nodes of the critical path, in their order."""
    nodes = {node.unique_id: node for node in run.nodes}
    return [nodes[name] for name in run.critical_path if name in nodes]


def render_gantt(run: Run) -> str:
    """The chart of the critical path, in seconds since the first node began; empty where there is no path."""
    path = critical_nodes(run)
    spans = spans_of(run.nodes)
    longest = sorted(path, key=lambda node: -node.execution_time)[:MOST_BARS]
    kept = spans.keys() & {node.unique_id for node in longest}
    shown = [node for node in path if node.unique_id in kept]
    if len(shown) < 2:
        return ""
    start = min(began for began, _ in spans.values())
    bars = [_bar(node, spans[node.unique_id], start) for node in shown]
    # Whole seconds say nothing of a short run.
    lines = ["gantt", "dateFormat x", f"axisFormat {'%H:%M:%S' if run.elapsed >= 60 else '%S.%L s'}", *bars]
    return "\n".join(("```mermaid", lines[0], *(f"  {line}" for line in lines[1:]), "```"))


def _bar(node: Node, span: tuple[float, float], start: float) -> str:
    began, ended = (round((at - start) * 1000) for at in span)
    return f"{_named(node)} :{_TAG.get(node.outcome, '')}{began}, {max(ended, began + 1)}"


def _named(node: Node) -> str:
    # A word of Mermaid's own at the beginning of a line would be taken for it.
    return f"{node.resource_type.replace('_', ' ') or 'node'} {label(node.name)}"
