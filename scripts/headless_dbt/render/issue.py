"""The failure issue: title, body and comments. Pure; the hidden marker that identifies it is incident.py's."""

from headless_dbt.model import Outcome, Run, Verdict
from headless_dbt.render.markdown import code, fenced, plain, shorten
from headless_dbt.render.words import counted, counts, duration

# GitHub takes 65,536 characters a body and 256 a title; the bounds below keep both far from it.
MOST_FAILURES = 15
MOST_OPEN = 50
# How every title of ours begins; another one was written by a person, and stays.
OUR_TITLE = "dbt failed on "


def render_title(run: Run, still_open: tuple[str, ...] = ()) -> str:
    """The title: what is broken, on which target. GitHub shows titles as plain text.

    ``still_open`` are nodes that failed in an earlier run and have not passed since.
    """
    if run.failed:
        others = len(run.failed) - 1
        what = run.failed[0].name + (f" and {others} more" if others else "")
    elif run.problem:
        what = run.problem.title
    elif still_open:
        what = f"{counted(len(still_open), 'node')} not passed yet"
    else:
        what = f"{counted(len(run.with_outcome(Outcome.SKIPPED)), 'node')} skipped"
    target = shorten(run.request.inputs.get("target", ""), 80)
    return shorten(" ".join(plain(f"{OUR_TITLE}{target}: {what}").split()), 200)


def render_body(run: Run, still_open: tuple[str, ...], artifact_url: str) -> str:
    """The body of the issue after a failed run.

    ``still_open`` are nodes that failed in an earlier run and have not passed since.
    """
    inputs = run.request.inputs
    project = f" of {code(inputs['project-dir'])}" if inputs.get("project-dir", ".") != "." else ""
    sections = [f"**dbt on {code(inputs.get('target', ''))}{project}: {counts(run)}, in {duration(run.elapsed)}.**"]
    if run.problem is not None:
        sections.append(f"### {run.problem.title}\n\n{fenced(run.problem.message)}")
    for node in run.failed[:MOST_FAILURES]:
        where = f" in {code(node.file)}" if node.file else ""
        blocks = f", blocks {counted(node.blocks, 'node')}" if node.blocks else ""
        message = f"\n\n{fenced(node.message, limit=1500)}" if node.message else ""
        sections.append(f"### {code(node.unique_id)}\n\n{code(node.status)}{where}{blocks}{message}")
    if len(run.failed) > MOST_FAILURES:
        sections.append(f"And {len(run.failed) - MOST_FAILURES} more: see report.html in the artifact.")
    if still_open:
        lines = "\n".join(f"- {code(unique_id)}" for unique_id in still_open[:MOST_OPEN])
        more = f"\n- and {len(still_open) - MOST_OPEN} more" if len(still_open) > MOST_OPEN else ""
        sections.append(f"### Failed before, and not passed since\n\n{lines}{more}")
    sections.append(_links(run, artifact_url))
    sections.append(
        "This issue is kept by headless-dbt: the next failure updates it, and a green run closes it. "
        "What you write below stays."
    )
    return "\n\n".join(section for section in sections if section)


def render_healed(run: Run) -> str:
    """The comment that closes the issue."""
    how = "the run passed with warnings" if run.status is Verdict.WARN else "the run is green"
    return f"All that this issue was about has passed: {how}.\n\n{_links(run, '')}".rstrip()


def _links(run: Run, artifact_url: str) -> str:
    context = run.request.context
    links = []
    if context.run_url:
        links.append(f"[Workflow run]({context.run_url})")
    if artifact_url:
        links.append(f"[artifact with report.html]({artifact_url})")
    if context.sha:
        links.append(f"commit {code(context.sha[:12])}")
    return ", ".join(links)
