"""What changed since the previous run, in the summary. Pure."""

import re
from collections.abc import Iterator, Sequence

from headless_dbt.model import Changes, PaceChange, Run
from headless_dbt.render.markdown import code
from headless_dbt.render.words import counted, duration

_MOST = 5


def render_changes(run: Run) -> Iterator[str]:
    """One line for each kind of change; where there is none, that all is as it was."""
    if run.changes is None:
        return
    changes, previous = run.changes, run.changes.previous
    name = code(previous.name)
    # It may come from a file that somebody named.
    earlier = f"[{name}]({previous.url})" if re.fullmatch(r"https?://[\w./:-]+", previous.url) else name
    took = f"it took {duration(run.elapsed)}, {duration(previous.elapsed)} then"
    lines = [*_lines(changes)]
    if lines:
        yield f"**Since {earlier}** ({took}):\n\n" + "\n".join(f"- {line}" for line in lines)
    else:
        yield f"**Since {earlier}** nothing changed; {took}."


def _lines(changes: Changes) -> Iterator[str]:
    for words, names in (
        ("broken", [change.unique_id for change in changes.broken]),
        ("still failing", [change.unique_id for change in changes.still_failing]),
        ("mended", [change.unique_id for change in changes.mended]),
        ("new", changes.added),
        ("gone", changes.removed),
    ):
        if names:
            yield f"{counted(len(names), 'node')} {words}: {_names(names)}"
    for words, paces in (("slower", changes.slower), ("faster", changes.faster)):
        if paces:
            shown = _listed([_pace(pace) for pace in paces[:_MOST]], len(paces))
            yield f"{counted(len(paces), 'node')} {words}: {shown}"


def _pace(pace: PaceChange) -> str:
    return f"{code(pace.unique_id)} ({duration(pace.before)} → {duration(pace.now)})"


def _names(names: Sequence[str]) -> str:
    return _listed([code(name) for name in names[:_MOST]], len(names))


def _listed(shown: Sequence[str], number: int) -> str:
    return ", ".join(shown) + (f" and {number - len(shown)} more" if number > len(shown) else "")
