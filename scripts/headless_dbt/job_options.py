"""What holds for the jobs of a run on BigQuery: by what they are found again, and how much they may bill. Pure."""

from pathlib import Path, PurePosixPath

from headless_dbt.errors import RequestError
from headless_dbt.model import Context
from headless_dbt.session_protocol import JobsOptions

TIB = 1 << 40


def job_options(context: Context, target: str, cost_limit: float, usd_per_tib: float, ledger: Path) -> JobsOptions:
    """The options of a session; ``cost_limit`` is in US dollars, 0 is none. Raises RequestError.

    The labels attribute cost in ``INFORMATION_SCHEMA.JOBS``; what is not known, as on a laptop, is left out.
    """
    if cost_limit and not usd_per_tib:
        raise RequestError(
            "cost-limit",
            given=f"{cost_limit:g} together with cost-per-tib 0",
            allowed="a limit where there is a price",
            advice="Set `cost-per-tib` to what a TiB costs you, or leave out the limit.",
        )
    labels = {
        "repository": context.repository,
        "workflow": PurePosixPath(context.workflow_file).name,
        "run_id": context.run_id,
        "target": target,
    }
    return JobsOptions(
        labels={name: value for name, value in labels.items() if value},
        most_bytes=int(cost_limit / usd_per_tib * TIB) if cost_limit else None,
        ledger=str(ledger),
    )
