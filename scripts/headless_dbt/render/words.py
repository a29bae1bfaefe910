"""Numbers and verdicts as people say them; shared by the renderings."""

from collections.abc import Callable

from headless_dbt.model import Cause, Outcome, Run, Verdict

# How many names a line shows before it counts the rest.
MOST_NAMED = 5

VERDICT_WORDS = {
    Verdict.SUCCESS: "✅ Passed",
    Verdict.WARN: "⚠️ Passed with warnings",
    Verdict.FAILURE: "❌ Failed",
    Verdict.ERROR: "❌ Error",
    Verdict.TIMEOUT: "⏱️ Ended by the time limit",
    Verdict.CANCELLED: "🚫 Cancelled",
}


def headline(run: Run) -> str:
    """The verdict in two or three words."""
    return "⚠️ Nothing selected" if run.status is Verdict.WARN and not run.nodes else VERDICT_WORDS[run.status]


def duration(seconds: float) -> str:
    """A duration: ``0.4 s``, ``42 s``, ``3 min 7 s``, ``2 h 5 min``."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def counted(number: int, noun: str) -> str:
    """A number with its noun: ``1 node``, ``2 nodes``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def blocked(cause: Cause, written: Callable[[str], str]) -> str:
    """What a cause stands in the way of, the exposures first, their names as they are ``written`` here."""
    parts = [written(exposure.name) for exposure in cause.exposures[:MOST_NAMED]]
    if len(cause.exposures) > MOST_NAMED:
        parts.append(f"{len(cause.exposures) - MOST_NAMED} more exposures")
    if cause.blocks:
        parts.append(counted(cause.blocks, "node"))
    if cause.explains:
        parts.append(f"{counted(len(cause.explains), 'failure')} behind it")
    return f"Blocks {', '.join(parts)}." if parts else ""


def counts(run: Run) -> str:
    """How many nodes there were, by outcome."""
    if not run.nodes:
        return "no node ran"
    parts = [f"{len(nodes)} {outcome.value}" for outcome in Outcome if (nodes := run.with_outcome(outcome))]
    return f"{counted(len(run.nodes), 'node')}: {', '.join(parts)}"


def size(count: int) -> str:
    """A number of bytes: ``512 B``, ``1.5 GiB``."""
    left, units = float(count), ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
    while left >= 1024 and len(units) > 1:
        left /= 1024
        del units[0]
    return f"{left:.1f} {units[0]}" if count >= 1024 and left < 99.5 else f"{left:.0f} {units[0]}"


def money(usd: float) -> str:
    """An amount of US dollars."""
    return "less than $0.01" if 0 < usd < 0.01 else f"${usd:,.2f}"
