"""The step summary and summary.md: the verdict first, then causes, then what took long. Pure."""

from collections.abc import Iterator, Sequence

from headless_dbt.model import Cause, Node, Outcome, Problem, Run
from headless_dbt.render.checked import checks_counted, render_checks
from headless_dbt.render.compared import render_changes
from headless_dbt.render.gantt import critical_nodes, render_gantt
from headless_dbt.render.lineage import render_neighbourhood
from headless_dbt.render.markdown import cell, code, fenced, prose, shorten
from headless_dbt.render.words import MOST_NAMED, blocked, counted, counts, duration, headline, money, size
from headless_dbt.warehouse import total

# GitHub takes 1 MiB a step; these bounds keep the whole far below it.
MOST_FAILURES = 20
MOST_WARNINGS = 20
MOST_SLOW = 5
MOST_PICTURES = 3


def render_summary(run: Run) -> str:
    """The summary of a run as GitHub-flavoured Markdown."""
    sections = [
        _headline(run),
        *_problem(run),
        *render_checks(run),
        *_continued(run),
        *_failures(run),
        *render_changes(run),
        *_retries(run),
        *_warnings(run),
        *_totals(run),
        *_slowest(run),
        *_freshness(run),
        *_critical_path(run),
        _footer(run),
    ]
    return "\n\n".join(sections) + "\n"


def _headline(run: Run) -> str:
    # dbt 2 does not keep in its artifacts which target it was.
    target, project = run.request.inputs.get("target", ""), run.request.inputs.get("project-dir", ".")
    where = f" on target {code(target)}" if target else ""
    if project != ".":
        where += f" of {code(project)}"
    came_to = checks_counted(run) if run.checks else counts(run)
    return f"## {headline(run)}: dbt{where}, {came_to}, in {duration(run.elapsed)}"


def _problem(run: Run) -> Iterator[str]:
    if run.problem is not None:
        yield f"### {run.problem.title}{_place(run.problem)}\n\n{fenced(run.problem.message)}"
        if run.problem.advice:
            yield f"**Advice** {prose(run.problem.advice)}"
        cut_off = [name for cause in run.causes if not cause.nodes for name in cause.explains]
        if cut_off:
            more = f" and {len(cut_off) - MOST_NAMED} more" if len(cut_off) > MOST_NAMED else ""
            yield f"It cut off {', '.join(map(code, cut_off[:MOST_NAMED]))}{more}."
    elif not run.nodes and not run.checks:
        chosen = ", ".join(
            f"{name} {code(run.request.inputs[name])}"
            for name in ("select", "exclude", "selector")
            if run.request.inputs.get(name)
        )
        yield f"**Nothing was selected.** {chosen or 'The project'} matches no node to build."
    for command in run.commands:
        if command.name == "docs generate" and not command.success:
            yield f"**The docs could not be generated.**\n\n{fenced(command.message)}"


def _continued(run: Run) -> Iterator[str]:
    """Which earlier run this one continues, or why it does not."""
    if run.continued is None:
        return
    name = code(run.continued.run)
    earlier = f"[{name}]({run.continued.url})" if run.continued.url else name
    if run.continued.taken:
        yield f"Continues {earlier}. Not built again: {counted(run.continued.taken, 'node')} that passed then."
    else:
        reason = code(run.continued.reason, limit=500)
        yield f"Everything was built, and nothing taken over from {earlier}, because {reason}."


def _failures(run: Run) -> Iterator[str]:
    """The causes, those that block most first; a failure under a failure is folded under it."""
    causes = [cause for cause in run.causes if cause.nodes]
    if not causes:
        return
    nodes = {node.unique_id: node for node in run.nodes}
    yield f"### {counted(len(run.failed), 'failure')}, {counted(len(causes), 'cause')}"
    for position, cause in enumerate(causes[:MOST_FAILURES]):
        yield _cause(cause, [nodes[name] for name in cause.nodes if name in nodes])
        if position < MOST_PICTURES and (picture := render_neighbourhood(run, cause)):
            yield picture
    yield from _more(len(causes) - MOST_FAILURES, "cause")


def _cause(cause: Cause, nodes: Sequence[Node]) -> str:
    shown = [f"**{code(node.unique_id)}**{_place(node)}: {code(node.status)}" for node in nodes[:MOST_NAMED]]
    if len(nodes) > MOST_NAMED:
        shown.append(f"{counted(len(nodes) - MOST_NAMED, 'more node')} for the same reason")
    parts = [
        "; ".join(shown),
        blocked(cause, code),
        fenced(cause.message, limit=2000) if cause.message.strip() else "",
        f"**Advice** {prose(nodes[0].advice)}" if nodes and nodes[0].advice else "",
    ]
    return "\n\n".join(part for part in parts if part)


def _place(of: Node | Problem) -> str:
    return f" in {code(f'{of.file}:{of.line}' if of.line else of.file)}" if of.file else ""


def _retries(run: Run) -> Iterator[str]:
    """What was tried again, why, and what it cost."""
    if len(run.attempts) < 2:
        return
    causes = dict.fromkeys(cause for attempt in run.attempts for cause in attempt.causes)
    cost = sum(attempt.delay + attempt.elapsed for attempt in run.attempts[1:])
    yield (
        f"### {counted(len(run.attempts), 'attempt')}\n\n"
        f"Tried again because of {', '.join(code(cause) for cause in causes)}; it took {duration(cost)} more."
    )
    healed = [node for node in run.with_outcome(Outcome.PASSED) if node.tries > 1]
    if healed:
        lines = [f"- {code(node.unique_id)} passed at try {node.tries}" for node in healed[:MOST_WARNINGS]]
        yield "\n".join(lines)
        yield from _more(len(healed) - MOST_WARNINGS, "healed node")


def _warnings(run: Run) -> Iterator[str]:
    warned = run.with_outcome(Outcome.WARNED)
    if warned:
        lines = [f"- {code(node.unique_id)}: {code(node.message)}" for node in warned[:MOST_WARNINGS]]
        yield f"### {counted(len(warned), 'warning')}\n\n" + "\n".join(lines)
        yield from _more(len(warned) - MOST_WARNINGS, "warning")


def _totals(run: Run) -> Iterator[str]:
    """What the warehouse told of the run as a whole."""
    parts = []
    if (rows := total(node.rows for node in run.nodes)) is not None:
        parts.append(f"{rows:,} row{'' if rows == 1 else 's'}")
    if (processed := total(node.bytes_processed for node in run.nodes)) is not None:
        parts.append(f"{size(processed)} processed")
    if (billed := total(node.bytes_billed for node in run.nodes)) is not None:
        parts.append(f"{size(billed)} billed")
    if run.cost is not None:
        parts.append(f"{money(run.cost.usd)} on demand at ${run.cost.usd_per_tib:g} per TiB")
    if parts:
        yield f"**Warehouse:** {', '.join(parts)}."


def _slowest(run: Run) -> Iterator[str]:
    ran = sorted((node for node in run.nodes if node.execution_time > 0), key=lambda node: -node.execution_time)
    if ran:
        yield "### Slowest nodes\n\n" + _table(ran[:MOST_SLOW], sum(node.execution_time for node in ran))


def _table(nodes: Sequence[Node], total: float) -> str:
    """The nodes with their share of the time of all, and what the warehouse tells of them."""
    known = [
        (name, words)
        for name, words in (("rows", _rows), ("billed", _billed), ("cost", _cost))
        if any(words(node) for node in nodes)
    ]
    lines = [
        "| node | status | time | share |" + "".join(f" {name} |" for name, _ in known),
        "| --- | --- | ---: | ---: |" + " ---: |" * len(known),
    ]
    for node in nodes:
        share = f"{node.execution_time / total:.0%}"
        cells = (cell(node.unique_id), cell(node.status), duration(node.execution_time), share)
        lines.append(f"| {' | '.join((*cells, *(words(node) for _, words in known)))} |")
    return "\n".join(lines)


def _rows(node: Node) -> str:
    return f"{node.rows:,}" if node.rows is not None else ""


def _billed(node: Node) -> str:
    return size(node.bytes_billed) if node.bytes_billed is not None else ""


def _cost(node: Node) -> str:
    return money(node.cost) if node.cost is not None else ""


def _freshness(run: Run) -> Iterator[str]:
    """How old the data of each source is, the oldest against its bound first. Those that are stale are causes above."""
    checked = [node for node in run.nodes if node.freshness is not None]
    if not checked:
        return
    checked.sort(key=lambda node: (node.outcome is Outcome.PASSED, -((node.freshness and node.freshness.age) or 0.0)))
    lines = [
        f"- {code(node.unique_id)}: {code(node.status)}"
        + (f", {duration(node.freshness.age)} old" if node.freshness and node.freshness.age is not None else "")
        for node in checked[:MOST_WARNINGS]
    ]
    lines += [*_more(len(checked) - MOST_WARNINGS, "source")]
    fresh = sum(node.outcome is Outcome.PASSED for node in checked)
    yield _folded(f"Source freshness: {fresh} of {counted(len(checked), 'source')} fresh", "\n".join(lines))


def _critical_path(run: Run) -> Iterator[str]:
    path = critical_nodes(run)
    if chart := render_gantt(run):
        took = duration(sum(node.execution_time for node in path))
        what = f"Critical path: {counted(len(path), 'node')}, {took}"
        yield _folded(what, f"No number of threads makes the run shorter than this chain.\n\n{chart}")


def _folded(title: str, text: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{text}\n\n</details>"


def _more(number: int, noun: str) -> Iterator[str]:
    if number > 0:
        yield f"And {counted(number, 'more ' + noun)}: see report.html in the artifact."


def _footer(run: Run) -> str:
    if run.installation is None:
        return f"headless-dbt {run.headless_dbt_version}"
    packages = ", ".join(f"{code(name)} {code(version)}" for name, version in _versions(run)) or "no dbt"
    parts = [
        f"Installed: {packages}" + (f", Python {code(run.installation.python)}." if run.installation.python else ".")
    ]
    if run.installation.requested:
        parts.append(f"Asked for: {code(shorten(', '.join(run.installation.requested), 200))}.")
    return " ".join(parts)


def _versions(run: Run) -> list[tuple[str, str]]:
    """dbt-core and the adapters; dbt's inner parts are in run.json."""
    inner = ("dbt-adapters", "dbt-common", "dbt-extractor", "dbt-protos", "dbt-semantic-interfaces")
    installed = run.installation.installed if run.installation else {}
    return [(name, version) for name, version in installed.items() if name not in inner]
