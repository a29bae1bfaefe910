"""One cause in the failure issue: what, where, since when, by whom, and how to see it oneself. Pure."""

import re
import shlex
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from headless_dbt.incident_state import KnownCause, Suspect
from headless_dbt.model import Cause, Node
from headless_dbt.render.lineage import render_neighbourhood
from headless_dbt.render.markdown import code, fenced, prose
from headless_dbt.render.told import MOST_NAMES, Told, blocks, bullets, cause_line, commit_link
from headless_dbt.render.words import counted

MENTION = re.compile(r"@[A-Za-z0-9][\w-]{0,60}(?:/[A-Za-z0-9][\w.-]{0,60})?", re.ASCII)


def render_cause(told: Told, cause: Cause, mentioned: set[str], most: int) -> str:
    """The richest text of a cause in at most ``most`` characters; where none is so short, the shortest.

    Each owner is mentioned once in an issue: whoever is in ``mentioned`` is named, and not called again.
    """
    for render in (_full, _short):
        before = set(mentioned)
        text = render(told, cause, mentioned)
        if len(text) <= most:
            return text
        # It found no room, so that nobody has been mentioned by it.
        mentioned.intersection_update(before)
    return f"- {cause_line(cause)}"


def _full(told: Told, cause: Cause, mentioned: set[str]) -> str:
    nodes = _nodes(told, cause)
    parts = [
        *_what(told, cause, nodes, 3000),
        _compiled(nodes),
        *_why(told, cause, mentioned),
        _reproduce(told, nodes),
        render_neighbourhood(told.run, cause),
    ]
    return "\n\n".join(part for part in parts if part)


def _short(told: Told, cause: Cause, mentioned: set[str]) -> str:
    parts = [*_what(told, cause, _nodes(told, cause), 600), *_why(told, cause, mentioned)]
    return "\n\n".join(part for part in parts if part)


def _nodes(told: Told, cause: Cause) -> list[Node]:
    return [told.nodes[name] for name in cause.nodes if name in told.nodes]


def _what(told: Told, cause: Cause, nodes: Sequence[Node], most: int) -> Iterator[str]:
    """What is broken, what that blocks, the error, what to change, and its place."""
    yield f"### {_heading(told, cause)}"
    if blocked := blocks(cause):
        yield f"**Blocks** {blocked}"
    if cause.message.strip():
        yield fenced(cause.message, limit=most)
    problem = told.run.problem
    about = problem if not cause.nodes else next(iter(nodes), None)
    if about is not None and about.advice:
        yield f"**Advice** {prose(about.advice)}"
    if not cause.nodes and problem is not None and problem.file:
        yield f"In {_file(told, problem.file, problem.line)}"
    places = [_place(told, node, named=len(nodes) > 1) for node in nodes]
    yield places[0] if len(places) == 1 else bullets(places, MOST_NAMES)
    if cause.explains and cause.nodes:
        yield f"{counted(len(cause.explains), 'more failure')} behind it: {_list(cause.explains)}"
    elif cause.explains:
        yield f"It cut off {_list(cause.explains)}"


def _why(told: Told, cause: Cause, mentioned: set[str]) -> Iterator[str]:
    """Since when, and who may know."""
    known = next((each for each in told.state.causes if each.key == cause.key), None)
    if known is not None:
        yield _since(told, known)
        yield _suspects(told, known)
    yield _owners(told, cause, mentioned)


def _heading(told: Told, cause: Cause) -> str:
    if not cause.nodes:
        return told.run.problem.title if told.run.problem else "The run as a whole"
    others = len(cause.nodes) - 1
    return code(cause.nodes[0]) + (f" and {counted(others, 'more node')}, for the same reason" if others else "")


def _place(told: Told, node: Node, *, named: bool) -> str:
    """A node's status, and its line in the repository."""
    text = f"{code(node.unique_id)}: {code(node.status)}" if named else code(node.status)
    return f"{text} in {_file(told, node.file, node.line)}" if node.file else text


def _file(told: Told, file: str, line: int) -> str:
    """A file, and its line, with a link to it at the run's commit."""
    shown, context = code(f"{file}:{line}" if line else file), told.run.request.context
    if not context.sha or not context.repository:
        return shown
    return f"[{shown}]({told.home}/blob/{quote(context.sha)}/{quote(file)}{f'#L{line}' if line else ''})"


def _compiled(nodes: Sequence[Node]) -> str:
    node = next((each for each in nodes if each.compiled_code.strip()), None)
    if node is None:
        return ""
    what = "Query that returns the failing rows" if node.resource_type == "test" else "Compiled SQL"
    return f"<details><summary>{what}</summary>\n\n{fenced(node.compiled_code, 'sql', 6000)}\n\n</details>"


def _since(told: Told, known: KnownCause) -> str:
    if not known.since.at:
        return ""
    text = f"**Since** {known.since.at.replace('T', ' ').replace('Z', ' UTC')}"
    if known.since.run and told.run.request.context.repository:
        text += f", [run {known.since.run}]({told.home}/actions/runs/{quote(known.since.run)})"
    return text


def _suspects(told: Told, known: KnownCause) -> str:
    if not known.green:
        return ""
    passed = f"since {commit_link(told, known.green)} passed"
    if not known.suspects and not known.searched:
        return f"**Last passed** at {commit_link(told, known.green)}"
    if not known.suspects:
        return f"**Suspect commits** none: nothing that it is made of was touched {passed}. Look at the data."
    return f"**Suspect commits** {passed}:\n\n{bullets([_suspect(told, each) for each in known.suspects], MOST_NAMES)}"


def _suspect(told: Told, suspect: Suspect) -> str:
    by = f" by {code(suspect.author, 40)}" if suspect.author else ""
    return f"{commit_link(told, suspect.sha)} {code(suspect.subject, 80)}{by}"


def _owners(told: Told, cause: Cause, mentioned: set[str]) -> str:
    names = []
    for owner in told.owners.get(cause.key, ()):
        # A bare name is a login only where GitHub knows it in this repository.
        login = f"@{owner}" if owner in told.assignable else owner
        if MENTION.fullmatch(login) and login not in mentioned:
            mentioned.add(login)
            names.append(login)
        else:
            names.append(code(owner, 100))
    return f"**Owners** {', '.join(names)}" if names else ""


def mentions(text: str) -> list[str]:
    """Who is mentioned in the text of a cause: only its line of owners can."""
    lines = re.findall(r"^\*\*Owners\*\* (.*)$", text, re.MULTILINE)
    return [login for line in lines for login in MENTION.findall(re.sub(r"`+[^`]*`+", "", line))]


def _reproduce(told: Told, nodes: Sequence[Node]) -> str:
    inputs = told.run.request.inputs
    sources = [f"source:{node.unique_id.split('.', 2)[-1]}" for node in nodes if node.resource_type == "source"]
    names = [node.name for node in nodes if node.resource_type not in ("source", "operation")]
    command = ["dbt", "build"] if names or not sources else ["dbt", "source", "freshness"]
    if names or sources:
        command += ["--select", *(names or sources)[:MOST_NAMES]]
    else:
        command += [part for name in ("select", "exclude", "selector") for part in _flag(name, inputs.get(name, ""))]
    if inputs.get("project-dir", ".") != ".":
        command += _flag("project-dir", inputs["project-dir"])
    command += [*_flag("target", inputs.get("target", "")), *_flag("vars", inputs.get("vars", ""))]
    return f"**Reproduce**\n\n{fenced(shlex.join(command), 'sh', 2000)}"


def _flag(name: str, value: str) -> list[str]:
    return [f"--{name}", value] if value else []


def _list(unique_ids: Sequence[str]) -> str:
    more = f" and {len(unique_ids) - MOST_NAMES} more" if len(unique_ids) > MOST_NAMES else ""
    return ", ".join(code(name) for name in unique_ids[:MOST_NAMES]) + more
