"""The final artifacts at the top of the run folder, out of its attempts, whoever ended them and how."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from headless_dbt.artifacts import UNREADABLE, Manifest, is_whole, read_manifest, read_run_results
from headless_dbt.errors import RunFolderError
from headless_dbt.journal import Journal, read_journal
from headless_dbt.merged_results import Entry, merge_attempts, run_results_document
from headless_dbt.redaction import redact_folder
from headless_dbt.resume import Earlier
from headless_dbt.run_folder import COPIED_ARTIFACTS, RunFolder, SessionRecord
from headless_dbt.session_process import wait_until_gone


def finish_folder(folder: RunFolder, secrets: frozenset[str], *, killed: bool = False) -> None:
    """Make a run folder what everybody else reads: final artifacts, and no secret, whatever fails on the way.

    What serves dbt alone goes. Raises RunFolderError, OSError.
    """
    folder.drop_dbts_own()
    folder.drop_strangers()
    try:
        write_final_artifacts(folder, killed=killed)
    finally:
        redact_folder(folder.path, secrets)


def finish_killed_run(folder: RunFolder) -> None:
    """Write the final artifacts of a run that was killed before it could do so itself."""
    try:
        record = folder.read_session()
        if record.finished:
            folder.forget_secrets()  # All but that may have been done.
            return
        if record.session:
            wait_until_gone(record.session)
        finish_folder(folder, folder.read_secrets(), killed=True)
    except RunFolderError:
        pass  # It did not even begin; assemble_run says so.
    folder.forget_secrets()


def write_final_artifacts(folder: RunFolder, *, killed: bool = False) -> None:
    """Write manifest.json, sources.json and run_results.json to the top of the folder.

    A run that never got to name its nodes has no results, and neither has a check. One that was ``killed`` has no
    problem of its own on record, and is not complete for that. Raises RunFolderError where session.json is missing.
    """
    record = folder.read_session()
    for name in COPIED_ARTIFACTS:
        if whole := [attempt / name for attempt in reversed(folder.attempts()) if is_whole(attempt / name)][:1]:
            folder.keep(whole[0])
    documents = _documents(folder)
    if not documents and (record.selected is None or folder.read_request().is_check):
        return
    entries = merge_folder(folder, record, killed=killed)
    document = run_results_document(
        entries,
        documents[-1] if documents else {},
        dbt_version=record.installation.dbt if record.installation else "",
        generated_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        elapsed=record.elapsed,
    )
    folder.write("run_results.json", json.dumps(document).encode())


def merge_folder(folder: RunFolder, record: SessionRecord, *, killed: bool = False) -> list[Entry]:
    """Every selected node's last result, over the attempts so far."""
    manifest = _manifest(folder)
    # What was taken over from an earlier run stands before the first attempt, and has no journal here.
    taken_over = [Journal()] if folder.attempt(0).is_dir() else []
    return merge_attempts(
        [document["results"] for document in _documents(folder, every=True)],
        [*taken_over, *read_journal(folder.journal)],
        record.selected or (),
        record.stale_sources,
        manifest.every() if manifest else {},
        complete=record.problem is None and bool(record.attempts) and not killed,
    )


def read_earlier(folder: RunFolder) -> Earlier:
    """An earlier run that is to be continued, also one that was killed. Raises RunFolderError."""
    file = folder.artifact("run_results.json")
    if file.is_file():
        results = read_run_results(file)
        entries = msgspec.json.decode(file.read_bytes())["results"] if results else []
    else:
        entries = merge_folder(folder, folder.read_session(), killed=True)
    return Earlier(request=folder.read_request(), entries=tuple(entries), code=folder.read_code())


def _manifest_files(folder: RunFolder) -> list[Path]:
    # The one at the top is there from the parse on: what a build writes may be torn by its end.
    return [*(attempt / "manifest.json" for attempt in reversed(folder.attempts())), folder.artifact("manifest.json")]


def _documents(folder: RunFolder, *, every: bool = False) -> list[dict[str, Any]]:
    """dbt's own run_results.json of each attempt; where it is missing or torn an empty one, if ``every``."""
    found = []
    for attempt in folder.attempts():
        file = attempt / "run_results.json"
        try:
            document = json.loads(file.read_bytes() if file.is_file() else b"")
            document["results"] = [entry for entry in document["results"] if isinstance(entry["unique_id"], str)]
            found.append(document)
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            # A kill in the middle of its writing: the journal has what it would say.
            if every:
                found.append({"results": []})
    return found


def _manifest(folder: RunFolder) -> Manifest | None:
    for file in _manifest_files(folder):
        try:
            if manifest := read_manifest(file):
                return manifest
        except (RunFolderError, *UNREADABLE):
            continue
    return None
