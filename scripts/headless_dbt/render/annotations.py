"""Annotations: workflow commands that put failures on files of the caller's repository. Pure.

GitHub shows ten errors and ten warnings a step:
https://docs.github.com/en/actions/reference/limits
"""

from collections.abc import Iterator

from headless_dbt.model import Node, Outcome, Run
from headless_dbt.render.markdown import plain, shorten
from headless_dbt.workflow_commands import command

MOST = 10


def render_annotations(run: Run) -> list[str]:
    """The workflow commands of a run's failures and warnings, those that block most first.

    The problem of the run as a whole is not among them: the step that met it has said it.
    """
    return [
        *_of("error", run.failed),
        *_of("warning", run.with_outcome(Outcome.WARNED)),
    ]


def _of(kind: str, nodes: tuple[Node, ...]) -> Iterator[str]:
    shown = nodes if len(nodes) <= MOST else nodes[: MOST - 1]
    for node in shown:
        message = shorten(plain(node.message).strip(), 2000) or f"dbt says {node.status}."
        line = str(node.line) if node.line else ""
        yield command(kind, message, file=node.file, line=line, title=shorten(f"{node.unique_id}: {node.status}", 200))
    if len(nodes) > len(shown):
        yield command(kind, f"And {len(nodes) - len(shown)} more: see the summary.", title="headless-dbt")
