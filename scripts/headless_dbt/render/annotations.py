"""Annotations: workflow commands that put failures on files of the caller's repository. Pure.

GitHub shows ten errors and ten warnings a step:
https://docs.github.com/en/actions/reference/limits
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, zip_longest

from headless_dbt.locate import Place
from headless_dbt.model import Cause, Check, Node, Outcome, Run
from headless_dbt.render.markdown import plain, shorten
from headless_dbt.render.words import counted
from headless_dbt.workflow_commands import command

MOST = 10
# So many nodes stand for a cause, where more failed for the same reason.
MOST_OF_A_CAUSE = 3


def render_annotations(run: Run, places: Mapping[str, Place] | None = None) -> list[str]:
    """The workflow commands of a run's failures and warnings, root causes first, in the order of the run's causes.

    ``places`` are, by unique_id, those of errors that are elsewhere than in the node's own file. The problem of the run
    as a whole is not among the failures: the step that met it has said it.
    """
    return [
        *_checks(run.checks),
        *_of("error", run.causes, run.failed, places or {}),
        *_of("warning", run.warnings, run.with_outcome(Outcome.WARNED), places or {}),
    ]


def _checks(checks: Sequence[Check]) -> Iterator[str]:
    """What did not pass, without what was not tried for that."""
    failed = [check for check in checks if check.passed is False]
    shown = failed if len(failed) <= MOST else failed[: MOST - 1]
    for check in shown:
        message = shorten(plain(check.message).strip(), 2000)
        told = f"{message}\n\n{check.advice}" if check.advice else message
        yield command("error", told, title=shorten(f"{check.name}: {check.subject}", 200))
    if len(shown) < len(failed):
        yield command("error", f"And {len(failed) - len(shown)} more: see the summary.", title="headless-dbt")


def _of(kind: str, causes: Sequence[Cause], nodes: Sequence[Node], places: Mapping[str, Place]) -> Iterator[str]:
    known = {node.unique_id: node for node in nodes}
    groups = [group for cause in causes if (group := [name for name in cause.nodes if name in known])]
    in_groups = set(chain.from_iterable(groups))
    # What failed under a failure takes no place from a cause.
    explained = dict.fromkeys(name for cause in causes for name in cause.explains if name in known)
    behind = [name for name in (*explained, *(known.keys() - explained.keys())) if name not in in_groups]
    turns = zip_longest(*(group[:MOST_OF_A_CAUSE] for group in groups))
    ranked = [*(name for turn in turns for name in turn if name is not None), *behind]
    shown = set(ranked if len(ranked) <= MOST else ranked[: MOST - 1])
    told = 0
    for group in groups:
        of_group = [name for name in group if name in shown]
        for name in of_group:
            others = len(group) - len(of_group) if name == of_group[0] else 0
            yield _annotation(kind, known[name], places, others)
        told += len(group) if of_group else 0
    for name in behind:
        if name in shown:
            told += 1
            yield _annotation(kind, known[name], places, 0)
    if told < len(known):
        yield command(kind, f"And {len(known) - told} more: see the summary.", title="headless-dbt")


def _annotation(kind: str, node: Node, places: Mapping[str, Place], others: int) -> str:
    message = shorten(plain(node.message).strip(), 2000) or f"dbt says {node.status}."
    if node.advice:
        message += f"\n\n{shorten(plain(node.advice), 1000)}"
    if others:
        message += f"\n\nFor the same reason: {counted(others, 'more node')}, see the summary."
    place = places.get(node.unique_id) or Place(node.file, node.line)
    title = shorten(f"{node.unique_id}: {node.status}", 200)
    return command(kind, message, file=place.file, line=place.line, title=title)
