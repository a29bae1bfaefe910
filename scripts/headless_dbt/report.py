"""The verb ``report``: a run folder, rendered for everybody who looks at it."""

import json
import secrets
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from headless_dbt.artifact_names import unique_artifact_name
from headless_dbt.assemble import assemble_run
from headless_dbt.console import Console
from headless_dbt.credentials import ambient_credentials
from headless_dbt.final_artifacts import finish_killed_run
from headless_dbt.locate import Place
from headless_dbt.model import Run
from headless_dbt.plain_artifacts import adopt
from headless_dbt.previous_run import keep_previous, named_previous, neighbouring_previous, read_previous
from headless_dbt.problem_place import macro_place
from headless_dbt.project_files import project_files
from headless_dbt.redaction import secret_values
from headless_dbt.render.annotations import render_annotations
from headless_dbt.render.page import render_page
from headless_dbt.render.summary import render_summary
from headless_dbt.run_folder import RunFolder, find_run_folder, new_run_folder
from headless_dbt.settings import Flags, Places, ReportSettings, Runner, read_report_settings, read_request
from headless_dbt.workflow_commands import append_outputs, append_summary


def report(flags: Flags, runner: Runner, places: Places, console: Console) -> int:
    """Write run.json and the renderings into the run folder, and tell the runner. Raises HeadlessDbtError."""
    settings = read_report_settings(flags, runner)
    previous = named_previous(places.previous, runner.workspace) if places.previous else None
    if places.artifacts:
        folder = _adopted(places, runner, settings)
    else:
        folder = find_run_folder(places.run_folder, runner.workspace, settings.project_dir)
    finish_killed_run(folder)
    if previous is None and not runner.on_github and read_previous(folder) is None:
        previous = neighbouring_previous(folder, settings.project_dir)
    if previous is not None:
        keep_previous(folder, previous)
    run = assemble_run(folder, runner.workspace, settings.cost_per_tib)
    folder.write_run(run)
    summary = render_summary(run)
    folder.write(folder.summary.name, summary.encode())
    folder.write(folder.page.name, render_page(run).encode())
    if runner.on_github:
        for line in render_annotations(run, places_in_macros(run, runner.workspace)):
            console.say(line)
    else:
        console.say(summary)
        console.say(f"Files in {folder.path}:")
        for file in sorted(path.name for path in folder.path.iterdir() if path.is_file()):
            console.say(f"  {file}")
    if runner.output_file is not None:
        append_outputs(runner.output_file, step_outputs(run, folder, settings))
    if runner.summary_file is not None:
        append_summary(runner.summary_file, summary)
    return 0


def places_in_macros(run: Run, workspace: Path) -> dict[str, Place]:
    """Of nodes that failed in a macro of the project, by unique_id, the place of the macro in the repository."""
    failed = [node for node in run.failed if "in macro " in node.message]
    files = project_files(workspace, run.request.inputs.get("project-dir", ".")) if failed else None
    if files is None:
        return {}
    found = {node.unique_id: macro_place(node.message, files) for node in failed}
    return {name: replace(place, file=files.from_repository(place.file)) for name, place in found.items() if place}


def _adopted(places: Places, runner: Runner, settings: ReportSettings) -> RunFolder:
    """A new run folder, with what dbt left in a folder of its own."""
    given = str(runner.workspace / places.run_folder) if places.run_folder else ""
    folder = new_run_folder(given, settings.project_dir, datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ"))
    environment = runner.environment
    secrets = secret_values((), ambient_credentials(environment), environment)
    adopt((runner.workspace / places.artifacts).resolve(), folder, read_request({}, environment).context, secrets)
    return folder


def step_outputs(run: Run, folder: RunFolder, settings: ReportSettings) -> dict[str, str]:
    """The outputs of the action that a run folder can tell, and the name for its artifact."""

    def path(name: str) -> str:
        file = folder.artifact(name)
        return str(file) if file.is_file() else ""

    days = settings.artifact_retention_days
    return {
        "status": run.status.value,
        "nodes-total": str(len(run.nodes)),
        "nodes-failed": str(len(run.failed)),
        "failed-nodes": json.dumps([node.unique_id for node in run.failed]),
        "run-results": path("run_results.json"),
        "manifest": path("manifest.json"),
        "report": path("report.html"),
        "artifact-name": unique_artifact_name(
            # Nobody who looks for a run to continue, or to compare with, is to find a check.
            f"{settings.artifact_name}-check" if run.request.is_check else settings.artifact_name,
            run.request,
            secrets.token_hex(3),
        ),
        "artifact-retention-days": "" if days is None else str(days),
    }
