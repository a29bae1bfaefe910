"""Root causes: what is really broken, when much is red. Pure.

A failed node that depends on a failed node is folded under it, and nodes that failed for the same reason are one cause.
Two errors are the same where they read the same without what differs from time to time: digits, ids, times, and the
name of the node itself. A data test that failed says no reason, so that each is a cause of its own.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256

from headless_dbt.lineage import Graph, reachable, turned
from headless_dbt.merged_results import INTERRUPTED
from headless_dbt.model import Cause, Exposure, Node, Outcome, Problem

_TESTS = ("test", "unit_test")
_VOLATILE = re.compile(
    # Who asks for a job, a query, a request by its id, and its address.
    r"https?://\S+"
    r"|\b(?:job|query|request|trace|invocation|session|transaction|correlation)[ _-]?id\b[\s:=\"'`]*[\w.:~-]+"
    r"|\b(?:job|bquxjob|script_job|query)_[\w-]{6,}"
    # UUIDs, times, hexadecimal numbers, and long words that no person has written.
    r"|\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"
    r"|\b\d{4}-\d\d-\d\d(?:[t ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?: ?(?:z|utc|[+-]\d\d:?\d\d))?)?"
    r"|\b0x[0-9a-f]+\b|\b(?=[0-9a-f]*\d)[0-9a-f]{8,}\b"
    # Names of people's tables and columns have underscores.
    r"|\b(?=[a-z0-9-]*\d)(?=[a-z0-9-]*[a-z])[a-z0-9-]{20,}\b"
    # A value of the data.
    r"|\b(?:string|value|literal)[ :]+'[^'\n]*'"
    r"|\d+(?:[.,:]\d+)*"
)
# What comes later in a message tells no cause from another.
_MOST_MESSAGE = 4000
# What stands beside an error: where the code lies, a line of it, and what the database would have liked better.
_ASIDE = re.compile(
    r"^\s*compiled code at \S.*$|^\s*line \d+:.*(?:\n[ \t]*\^+.*)?$|^\s*candidate bindings:.*$|did you mean .*$",
    re.IGNORECASE | re.MULTILINE,
)
_INTERRUPTED = re.compile(
    rf"{re.escape(INTERRUPTED)}|INTERRUPT Error|KeyboardInterrupt|query was cancelled", re.IGNORECASE
)


def find_causes(
    bad: Iterable[Node],
    skipped: Iterable[Node],
    problem: Problem | None,
    graph: Graph,
    exposures: Mapping[str, Exposure],
) -> tuple[Cause, ...]:
    """The causes of what is ``bad``, those first that block exposures, then those that block most.

    ``graph`` is of the whole project, so that a way through what was not selected counts too. A ``problem`` of the run
    as a whole is a cause without nodes; what was cut off by it is folded under it.
    """
    nodes = {node.unique_id: node for node in bad}
    cut_off = {name for name, node in nodes.items() if problem is not None and _INTERRUPTED.search(node.message)}
    explained = _explained(nodes.keys() - cut_off, graph)
    roots: dict[str, list[Node]] = {}
    for unique_id, node in nodes.items():
        if unique_id not in cut_off and unique_id not in explained:
            roots.setdefault(cause_key(node), []).append(node)
    children = turned(graph)
    not_run = {node.unique_id for node in skipped if node.resource_type not in (*_TESTS, "exposure")}
    reached = {unique_id: _reached(nodes[unique_id], graph, children) for unique_id in nodes}
    causes = [_cause(key, members, explained, reached, not_run, exposures) for key, members in roots.items()]
    causes.sort(key=lambda cause: (-len(cause.exposures), -cause.blocks, -len(cause.nodes), cause.nodes))
    if problem is not None:
        text = f"{problem.title}: {problem.message}"
        whole = Cause(key=_hashed(f"run {normalised(text)}"), message=problem.message, explains=tuple(sorted(cut_off)))
        causes.insert(0, whole)
    return tuple(causes)


def blocked_by(nodes: Sequence[Node], graph: Graph) -> dict[str, int]:
    """How many skipped nodes each failed node stands in the way of: unique_id to count."""
    not_run = {node.unique_id for node in nodes if node.outcome is Outcome.SKIPPED}
    children = turned(graph)
    failed = [node for node in nodes if node.outcome is Outcome.FAILED]
    return {node.unique_id: len(_reached(node, graph, children) & not_run) if not_run else 0 for node in failed}


def cause_key(node: Node) -> str:
    """What identifies the cause of a failure, over nodes and over runs: 16 hexadecimal characters."""
    # A test that failed, and data that is old, say no reason; one that could not be tested does.
    could_not = {"test": "error", "unit_test": "error", "source": "runtime error"}
    says_why = node.status == could_not.get(node.resource_type, node.status)
    reason = normalised(node.message, node) if says_why else ""
    # Too little to tell one reason from another.
    text = reason if len(re.findall("[a-z]", reason)) > 5 else f"node {node.unique_id}"
    return _hashed(f"warning {text}" if node.outcome is Outcome.WARNED else text)


def normalised(message: str, node: Node | None = None) -> str:
    """A message without what differs from node to node and from run to run."""
    text = _ASIDE.sub("", message[:_MOST_MESSAGE]).lower()
    if node is not None:
        own = {node.file, node.unique_id, node.relation_name, node.relation_name.replace('"', "").replace("`", "")}
        for name in sorted((part.lower() for part in own if part), key=len, reverse=True):
            text = text.replace(name, "~")
        text = re.sub(rf"(?<!\w){re.escape(node.name.lower())}(?:__dbt_\w+)?(?!\w)", "~", text)
        # dbt names the node and its file: `Database Error in model orders (models/orders.sql)`.
        text = re.sub(r"\b(error in [a-z_ ]+) ~ \([^)]*\)", r"\1 ~", text)
    return " ".join(_VOLATILE.sub("#", text).split())


def _explained(failed: Iterable[str], graph: Graph) -> dict[str, set[str]]:
    """The failed nodes that depend on failed ones: unique_id to those of them that have no such excuse themselves."""
    names = set(failed)
    above = {unique_id: reachable(graph, [unique_id]) & names - {unique_id} for unique_id in names}
    # Of two that depend on each other, which no project has, the first stays.
    roots = {unique_id for unique_id, parents in above.items() if not parents}
    return {unique_id: parents & roots for unique_id, parents in above.items() if parents & roots}


def _reached(node: Node, graph: Graph, children: Mapping[str, Sequence[str]]) -> set[str]:
    """All that cannot be built, or trusted, because of a node.

    What comes after all that a data test tests waits for the test, and so does the model itself for its unit tests,
    although neither depends on the test: dbt build orders it so.
    """
    if node.resource_type not in _TESTS or not graph.get(node.unique_id):
        return reachable(children, [node.unique_id])
    after = [reachable(children, [tested]) for tested in graph[node.unique_id]]
    if node.resource_type == "unit_test":
        after = [behind | {tested} for behind, tested in zip(after, graph[node.unique_id], strict=True)]
    return set.intersection(*after) - {node.unique_id}


def _cause(  # noqa: PLR0913, PLR0917
    key: str,
    members: Sequence[Node],
    explained: Mapping[str, set[str]],
    reached: Mapping[str, set[str]],
    not_run: set[str],
    exposures: Mapping[str, Exposure],
) -> Cause:
    members = sorted(members, key=lambda node: (-len(reached[node.unique_id] & not_run), node.unique_id))
    names = {node.unique_id for node in members}
    behind = set().union(*(reached[name] for name in names))
    return Cause(
        key=key,
        nodes=tuple(node.unique_id for node in members),
        explains=tuple(sorted(name for name, roots in explained.items() if roots & names)),
        blocks=len(behind & not_run),
        exposures=tuple(exposures[name] for name in sorted(behind & exposures.keys())),
        message=members[0].message,
    )


def _hashed(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
