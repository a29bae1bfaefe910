"""report.html: one self-contained page. Pure.

Every string of the project goes through the template's escaping, and the page's own policy forbids scripts
and the network.
"""

from pathlib import Path

from jinja2 import Environment, StrictUndefined

from headless_dbt.model import Outcome, Run
from headless_dbt.render.markdown import plain
from headless_dbt.render.words import counts, duration, headline

TEMPLATE = Path(__file__).with_name("page.html")
_RANK = (Outcome.FAILED, Outcome.WARNED, Outcome.SKIPPED, Outcome.PASSED)


def render_page(run: Run) -> str:
    """The report page of a run as HTML."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_finalize
    )
    environment.filters["duration"] = duration
    template = environment.from_string(TEMPLATE.read_text("utf-8"))
    return template.render(
        run=run,
        verdict=headline(run),
        counts=counts(run).capitalize(),
        elapsed=duration(run.elapsed),
        nodes=sorted(run.nodes, key=lambda node: (_RANK.index(node.outcome), -node.blocks)),
    )


def _finalize(value: object) -> object:
    """Take control characters out of whatever the template shows."""
    return plain(value) if isinstance(value, str) else value
