"""Stale sources, and checks of freshness that failed themselves."""

import json
from pathlib import Path

from headless_dbt.source_freshness import add_failed_checks, stale_sources

from tests.unit.builders import command_started, freshness, node_finished, node_start, sources

OLD, FRESH, BROKEN = "source.shop.raw.old", "source.shop.raw.fresh", "source.shop.raw.broken"


def _files(folder: Path) -> tuple[Path, Path]:
    file, journal = folder / "sources.json", folder / "dbt.log"
    file.write_text(json.dumps(sources(freshness(OLD, "error"), freshness(FRESH, "warn"))))
    finished = (node_finished(BROKEN, "error", invocation="f"), node_finished(OLD, "error", invocation="f"))
    journal.write_bytes(
        command_started("dbt source freshness", "f") + node_start(BROKEN, invocation="f") + b"".join(finished)
    )
    return file, journal


def test_a_check_that_failed_itself_is_on_record_and_says_nothing_of_the_data(tmp_path: Path) -> None:
    file, journal = _files(tmp_path)

    add_failed_checks(file, journal)

    assert [each["unique_id"] for each in json.loads(file.read_bytes())["results"]] == [OLD, FRESH, BROKEN]
    assert stale_sources(file) == (OLD,)


def test_without_files_there_is_nothing_to_say(tmp_path: Path) -> None:
    add_failed_checks(tmp_path / "sources.json", tmp_path / "dbt.log")

    assert list(tmp_path.iterdir()) == []
    assert stale_sources(tmp_path / "sources.json") == ()
