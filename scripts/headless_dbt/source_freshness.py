"""What `dbt source freshness` found: which sources are stale, and which checks failed themselves."""

import json
from pathlib import Path

from headless_dbt.artifacts import read_sources
from headless_dbt.journal import read_journal
from headless_dbt.model import Outcome, outcome_of


def stale_sources(file: Path) -> tuple[str, ...]:
    """The unique ids of sources whose data is too old, by sources.json. Raises RunFolderError."""
    results = read_sources(file)
    return tuple(
        result.unique_id
        for result in (results.results if results else ())
        # A check that failed itself says nothing of the data.
        if outcome_of(result.status) is Outcome.FAILED and not result.error
    )


def add_failed_checks(file: Path, journal: Path) -> None:
    """Add the checks that failed themselves to sources.json: dbt leaves them out, and its log has them."""
    checks = read_journal(journal, "dbt source freshness")
    document = json.loads(file.read_bytes()) if file.is_file() else None
    if not checks or document is None:
        return
    known = {result["unique_id"] for result in document["results"]}
    document["results"] += [
        {"unique_id": result.unique_id, "error": result.message, "status": "runtime error"}
        for result in checks[-1].finished.values()
        if result.unique_id not in known and outcome_of(result.status) is Outcome.FAILED
    ]
    file.write_text(json.dumps(document), "utf-8")
