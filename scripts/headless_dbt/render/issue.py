"""The failure issue: its title and its body. Pure; the hidden marker that identifies it is incident_state.py's."""

from headless_dbt.incident_state import section
from headless_dbt.model import Cause
from headless_dbt.render.cause import mentions, render_cause
from headless_dbt.render.markdown import code, plain, shorten
from headless_dbt.render.told import MOST_LINES, Told, bullets, cause_title, commit_link, known_line
from headless_dbt.render.words import counted, counts, duration

# How every title of ours begins; another one was written by a person, and stays.
OUR_TITLE = "dbt failed on "
# GitHub takes 256 characters a title.
MOST_TITLE = 200
# The comments around a section, and the blank line after it.
_FRAME = 80
_NOTE = (
    "<sub>Kept by headless-dbt: the next failure updates this text, and a green run closes the issue. "
    "What you write above or below it stays.</sub>"
)


def render_title(told: Told) -> str:
    """The title: what is broken, on which target, and what that blocks. GitHub shows titles as plain text."""
    target = shorten(told.run.request.inputs.get("target", ""), 80)
    return shorten(" ".join(plain(f"{OUR_TITLE}{target}: {_broken(told)}").split()), MOST_TITLE)


def render_body(told: Told, most: int) -> str:
    """The generated part of the body, in at most ``most`` characters: the causes by rank, as richly as they fit."""
    head, tail = _head(told), f"{_links(told)}\n\n{_NOTE}"
    still = _still(told)
    # Kept free for the line that says how much found no room.
    room = most - len(head) - len(tail) - min(len(still), 2000) - 100
    sections: list[str] = []
    # On its way out, an issue keeps what it said, for whoever looks back.
    keys = [known.key for known in told.still] if told.state.causes else [*told.sections]
    kept = {key: told.sections[key] for key in keys if key in told.sections}
    mentioned = {login for text in kept.values() for login in mentions(text)}
    for position, cause in enumerate(told.failing[:MOST_LINES]):
        left = len(told.failing) - position - 1
        # Each of those that come after shall at least be named.
        reserve = min(left * 200, room // 2)
        text = section(cause.key, render_cause(told, cause, mentioned, room - reserve - _FRAME))
        if len(text) + 2 > room:
            break
        sections.append(text)
        room -= len(text) + 2
    if len(sections) < len(told.failing):
        unsaid = counted(len(told.failing) - len(sections), "more cause")
        sections.append(f"And {unsaid}: see report.html in the artifact.")
    if still:
        sections.append(still if len(still) <= room + 2000 else f"And {counted(len(told.still), 'cause')} from before.")
        room -= max(0, len(still) - 2000)
    for key, said in kept.items():
        text = section(key, said)
        if len(text) + 2 <= room:
            sections.append(text)
            room -= len(text) + 2
    return "\n\n".join((head, *sections, tail))


def _broken(told: Told) -> str:
    if not told.failing:
        return f"{counted(len(told.state.causes), 'cause')} not passed yet"
    first, *others = told.failing
    what = _name(told, first)
    if first.exposures:
        what += f", blocks {first.exposures[0].name}"
    elif first.blocks:
        what += f", blocks {counted(first.blocks, 'node')}"
    return what + (f"; {counted(len(others), 'more cause')}" if others else "")


def _name(told: Told, cause: Cause) -> str:
    if not cause.nodes:
        return told.run.problem.title if told.run.problem else cause_title(cause)
    node = told.nodes.get(cause.nodes[0])
    more = f" and {len(cause.nodes) - 1} more" if len(cause.nodes) > 1 else ""
    return node.name + more if node else cause_title(cause)


def _head(told: Told) -> str:
    run, inputs = told.run, told.run.request.inputs
    project = f" of {code(inputs['project-dir'])}" if inputs.get("project-dir", ".") != "." else ""
    causes = counted(len(told.failing), "cause") if told.failing else "nothing new" if told.state.causes else "healed"
    head = f"**dbt on {code(inputs.get('target', ''))}{project}: {causes}.** {counts(run).capitalize()}."
    return head + (f" It failed before: #{told.earlier}." if told.earlier is not None else "")


def _still(told: Told) -> str:
    """What failed before, and this run says nothing about."""
    if not told.still and not told.state.dropped:
        return ""
    lines = [known_line(known) for known in told.still]
    lines += [f"{counted(told.state.dropped, 'cause')} that found no room here"] if told.state.dropped else []
    return f"### Failed before, and not passed since\n\n{bullets(lines, MOST_LINES)}"


def _links(told: Told) -> str:
    context = told.run.request.context
    links = [f"[Workflow run]({context.run_url})"] if context.run_url else []
    if told.artifact_url:
        links.append(f"[artifact with report.html]({told.artifact_url})")
    if context.sha:
        links.append(f"commit {commit_link(told, context.sha)}")
    return ", ".join([*links, f"dbt ran for {duration(told.run.elapsed)}"])
