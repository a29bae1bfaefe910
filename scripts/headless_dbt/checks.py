"""What a check found: the session's answers as Checks, with what to change, and the verdict on them. Pure."""

from collections.abc import Iterable, Sequence

import msgspec

from headless_dbt.bigquery_advice import bigquery_advice
from headless_dbt.errors import CheckFailedError
from headless_dbt.model import Check

MOST_NAMED = 3


class _Step(msgspec.Struct):
    name: str
    subject: str
    message: str
    passed: bool | None = None


def read_checks(lines: Iterable[str], adapter: str) -> tuple[Check, ...]:
    """The checks in the session's answer, one JSON object a line, each with what to change, where that is known."""
    return tuple(_check(msgspec.json.decode(line, type=_Step), adapter) for line in lines)


def _check(step: _Step, adapter: str) -> Check:
    advice = bigquery_advice(step.message) if adapter == "bigquery" and step.passed is False else ""
    return Check(name=step.name, subject=step.subject, passed=step.passed, message=step.message, advice=advice)


def line_of(check: Check) -> str:
    """A check as a line on a terminal."""
    mark = {True: "✓", False: "✗", None: "-"}[check.passed]
    told = " ".join(check.message.split())
    return f"  {mark} {check.name}: {check.subject}" + "".join(f". {each}" for each in (told, check.advice) if each)


def check_error(checks: Sequence[Check]) -> CheckFailedError | None:
    """The error of a run whose checks did not all pass; what was not tried has not."""
    bad = [check for check in checks if not check.passed]
    if not bad:
        return None
    failed = [check for check in bad if check.passed is False] or bad
    named = "; ".join(f"{check.name}, {check.subject}" for check in failed[:MOST_NAMED])
    more = f", and {len(failed) - MOST_NAMED} more" if len(failed) > MOST_NAMED else ""
    return CheckFailedError(f"{len(bad)} of {len(checks)} checks did not pass: {named}{more}.")
