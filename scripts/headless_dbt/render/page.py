"""report.html: one self-contained page, out of the files in ``report_page/``. Pure.

Every string of the project is data: in the markup it goes through the template's escaping, and in the script's data it
cannot end its element. The page's own policy allows the one script and the one style in it, by their hashes, and no
network at all.
"""

import base64
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from headless_dbt.model import Outcome, Run
from headless_dbt.render.gantt import critical_nodes
from headless_dbt.render.markdown import plain, shorten
from headless_dbt.render.page_data import as_json, packed_sql, page_data, ranked
from headless_dbt.render.words import blocked, counted, counts, duration, headline, money, size
from headless_dbt.warehouse import total

FOLDER = Path(__file__).with_name("report_page")
# In their order: later ones use what earlier ones define.
SCRIPTS = ("project", "words", "table", "lineage", "timeline", "panel", "main")
STYLES = ("page", "panel")
MOST_CAUSES = 20


def render_page(run: Run) -> str:
    """The report page of a run as HTML."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_finalize
    )
    environment.filters.update(duration=duration, shorten=shorten)
    template = environment.from_string(_file("page.html"))
    style, script = "\n" + "\n".join(_file(f"{name}.css") for name in STYLES), f"\n{page_script()}"
    data = as_json(page_data(run))
    context = run.request.context
    advice = {node.unique_id: node.advice for node in run.nodes}
    return template.render(
        run=run,
        verdict=headline(run),
        counts=counts(run).capitalize(),
        elapsed=duration(run.elapsed),
        commit_url=f"{context.repository_url}/commit/{quote(context.sha)}"
        if context.sha and context.repository
        else "",
        tiles=list(_tiles(run)),
        broken=[cause for cause in run.causes if cause.nodes],
        warned=run.warnings,
        blocked=lambda cause: blocked(cause, plain),
        changed=[(words, names) for words, names in _changed(run) if names],
        most_causes=MOST_CAUSES,
        advice_on=lambda cause: next((advice[name] for name in cause.nodes if name in advice), ""),
        data=Markup(data),  # noqa: S704  It cannot end its element, see as_json.
        sql=Markup(packed_sql(ranked(run), len(data))),  # noqa: S704  Base64.
        style=Markup(style),  # noqa: S704  Ours.
        style_hash=_hash(style),
        script=Markup(script),  # noqa: S704  Ours.
        script_hash=_hash(script),
    )


def page_script() -> str:
    """The script of the page: its files as one, with nothing left over for anybody else to see."""
    parts = "\n".join(_file(f"{name}.js") for name in SCRIPTS)
    return f'(() => {{\n"use strict";\n{parts}\n}})();\n'


def _tiles(run: Run) -> Iterable[tuple[str, str]]:
    """The numbers of the run as a whole; only those that are known."""
    yield "Nodes", f"{len(run.nodes):,}"
    for name, outcome in (("Failed", Outcome.FAILED), ("Warned", Outcome.WARNED), ("Skipped", Outcome.SKIPPED)):
        if found := len(run.with_outcome(outcome)):
            yield name, f"{found:,}"
    yield "Time", duration(run.elapsed)
    if path := critical_nodes(run):
        yield "Critical path", f"{duration(sum(node.execution_time for node in path))}, {counted(len(path), 'node')}"
    if (rows := total(node.rows for node in run.nodes)) is not None:
        yield "Rows", f"{rows:,}"
    if (processed := total(node.bytes_processed for node in run.nodes)) is not None:
        yield "Bytes processed", size(processed)
    if run.cost is not None:
        yield "Cost on demand", f"{money(run.cost.usd)} at ${run.cost.usd_per_tib:g} per TiB"
    if len(run.attempts) > 1:
        yield "Attempts", str(len(run.attempts))


def _changed(run: Run) -> Iterable[tuple[str, Sequence[str]]]:
    """What differs from the previous run, by kind."""
    if run.changes is None:
        return
    yield "Broken", [change.unique_id for change in run.changes.broken]
    yield "Still failing", [change.unique_id for change in run.changes.still_failing]
    yield "Mended", [change.unique_id for change in run.changes.mended]
    yield "New", run.changes.added
    yield "Gone", run.changes.removed
    yield "Slower", [change.unique_id for change in run.changes.slower]
    yield "Faster", [change.unique_id for change in run.changes.faster]


def _file(name: str) -> str:
    return (FOLDER / name).read_text("utf-8")


def _hash(text: str) -> str:
    """What a Content-Security-Policy names a script or a style by."""
    return f"sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}"


def _finalize(value: object) -> object:
    """Take control characters out of whatever the template shows."""
    return value if isinstance(value, Markup) or not isinstance(value, str) else plain(value)
