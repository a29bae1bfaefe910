"""What a check found, as a part of the summary: what did not pass first, with what to change. Pure."""

from collections.abc import Iterator

from headless_dbt.model import Check, Run
from headless_dbt.render.markdown import cell, code, fenced, prose
from headless_dbt.render.words import counted

MOST_FAILED, MOST_ROWS = 20, 200
_MARKS = {True: "✅", False: "❌", None: "not tried"}


def render_checks(run: Run) -> Iterator[str]:
    """The checks that failed, then a table of all."""
    if not run.checks:
        return
    failed = [check for check in run.checks if check.passed is False]
    for check in failed[:MOST_FAILED]:
        yield _failed(check)
    if len(failed) > MOST_FAILED:
        yield f"And {counted(len(failed) - MOST_FAILED, 'more failed check')}: see run.json in the artifact."
    rows = [
        f"| {_MARKS[check.passed]} | {cell(check.name)} | {cell(check.subject)} | {_said(check)} |"
        for check in run.checks[:MOST_ROWS]
    ]
    table = "\n".join(["| | check | on | |", "| --- | --- | --- | --- |", *rows])
    more = f"\n\nAnd {len(run.checks) - MOST_ROWS} more." if len(run.checks) > MOST_ROWS else ""
    yield f"### What was tried\n\n{table}{more}"


def checks_counted(run: Run) -> str:
    """How many checks passed."""
    return f"{sum(bool(check.passed) for check in run.checks)} of {counted(len(run.checks), 'check')} passed"


def _said(check: Check) -> str:
    """What there is to say; the message of what failed stands above."""
    return "" if check.passed is False else cell(check.message)


def _failed(check: Check) -> str:
    text = f"**{code(check.name)}** on {code(check.subject)}\n\n{fenced(check.message, limit=2000)}"
    return f"{text}\n\n{prose(check.advice)}" if check.advice else text
