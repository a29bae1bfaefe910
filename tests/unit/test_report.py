"""The verb `report`: a run folder, rendered for everybody who looks at it."""

import dataclasses
import io
import json
import re
from pathlib import Path

import pytest
from headless_dbt.artifact_names import request_in
from headless_dbt.console import Console
from headless_dbt.errors import RequestError, RunFolderError
from headless_dbt.locate import Place
from headless_dbt.model import Run
from headless_dbt.report import places_in_macros, report, step_outputs
from headless_dbt.run_folder import RunFolder
from headless_dbt.settings import Places, ReportSettings

from tests.unit.builders import (
    make_context,
    make_node,
    make_record,
    make_request,
    make_run,
    make_run_folder,
    make_runner,
    manifest,
    manifest_node,
    result,
    run_results,
)

SETTINGS = ReportSettings(
    project_dir=Path("/project"), artifact_name="dbt-artifacts", artifact_retention_days=None, cost_per_tib=6.25
)


def _folder(path: Path, status: str = "error") -> RunFolder:
    return make_run_folder(
        path,
        manifest=manifest(manifest_node("model.shop.a")),
        results=run_results(result("model.shop.a", status, "Binder Error")),
        record=make_record("model.shop.a"),
    )


def test_in_a_terminal_the_summary_is_shown_and_the_files_are_named(tmp_path: Path) -> None:
    folder, stream = _folder(tmp_path / "run"), io.BytesIO()

    exit_code = report(
        {}, make_runner(tmp_path), Places(run_folder=str(folder.path)), Console(on_github=False, stream=stream)
    )

    said = stream.getvalue().decode()
    assert exit_code == 0
    assert said.startswith(folder.summary.read_text())
    for name in ("run.json", "summary.md", "report.html", "run_results.json", "manifest.json"):
        assert name in said
        assert (folder.path / name).is_file()
    assert json.loads((folder.path / "run.json").read_text())["status"] == "failure"


def test_on_github_it_writes_annotations_outputs_and_the_step_summary(tmp_path: Path) -> None:
    folder, stream = _folder(tmp_path / "run"), io.BytesIO()
    runner = dataclasses.replace(
        make_runner(tmp_path, on_github=True),
        output_file=tmp_path / "output",
        summary_file=tmp_path / "step-summary",
    )

    report({}, runner, Places(run_folder=str(folder.path)), Console(on_github=True, stream=stream))

    assert stream.getvalue().decode() == ("::error file=models/a.sql,title=model.shop.a%3A error::Binder Error\n")
    assert (tmp_path / "step-summary").read_text() == folder.summary.read_text() + "\n"
    assert re.search(r"^status<<(end-\w+)\nfailure\n\1$", (tmp_path / "output").read_text(), re.MULTILINE)


def test_a_failure_in_a_macro_of_the_project_stands_on_the_macro(tmp_path: Path) -> None:
    (tmp_path / "dbt/macros").mkdir(parents=True)
    (tmp_path / "dbt/dbt_project.yml").write_text("name: shop\n")
    (tmp_path / "dbt/macros/x.sql").write_text("\n{% macro boom() %}{% endmacro %}\n")

    def run(message: str) -> Run:
        return make_run(
            [make_node("model.shop.a", "error", message=message)],
            request=make_request(make_context(), project_dir="dbt"),
        )

    said = (
        "Compilation Error in model a (models/a.sql)\n  bad\n  \n  > in macro {} (macros/x.sql)\n  > called by model a"
    )
    assert places_in_macros(run(said.format("boom")), tmp_path) == {"model.shop.a": Place("dbt/macros/x.sql", 2)}
    assert places_in_macros(run(said.format("gone")), tmp_path) == {}
    assert places_in_macros(run("Binder Error"), tmp_path) == {}
    assert places_in_macros(run(said.format("boom")), tmp_path / "elsewhere") == {}


def test_a_folder_without_a_request_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match=r"request\.json is missing"):
        report(
            {}, make_runner(tmp_path), Places(run_folder=str(tmp_path)), Console(on_github=False, stream=io.BytesIO())
        )


def test_the_outputs_tell_what_there_is(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    nodes = [
        make_node("model.shop.a", "error"),
        make_node('model.shop."\n', "fail", blocks=2),
        make_node("model.shop.c"),
    ]

    outputs = step_outputs(make_run(nodes), folder, dataclasses.replace(SETTINGS, artifact_retention_days=5))

    assert re.fullmatch(r"dbt-artifacts-[0-9a-f]{6}-[0-9a-f]{6}", outputs.pop("artifact-name"))
    assert outputs == {
        "status": "failure",
        "nodes-total": "3",
        "nodes-failed": "2",
        "failed-nodes": '["model.shop.\\"\\n", "model.shop.a"]',
        "run-results": str(tmp_path / "run_results.json"),
        "manifest": str(tmp_path / "manifest.json"),
        "report": "",
        "artifact-retention-days": "5",
    }


def test_a_check_is_uploaded_under_a_name_of_its_own() -> None:
    run = make_run(request=make_request(make_context(), check="true"))

    name = step_outputs(run, RunFolder(Path("/r")), SETTINGS)["artifact-name"]

    assert re.fullmatch(r"dbt-artifacts-check-[0-9a-f]{6}-[0-9a-f]{6}", name)
    assert not request_in(name, "dbt-artifacts")


def test_what_is_not_there_is_an_empty_output(tmp_path: Path) -> None:
    outputs = step_outputs(make_run(), RunFolder(tmp_path), SETTINGS)

    assert (outputs["run-results"], outputs["manifest"], outputs["artifact-retention-days"]) == ("", "", "")
    assert outputs["failed-nodes"] == "[]"


def test_two_uploads_never_share_a_name() -> None:
    run = make_run()

    assert len({step_outputs(run, RunFolder(Path("/r")), SETTINGS)["artifact-name"] for _ in range(20)}) == 20


def _reported(tmp_path: Path, *, on_github: bool = False, **places: str) -> RunFolder:
    """A red run of today, reported beside a green one of yesterday."""
    path = tmp_path / "target/headless_dbt"
    made = RunFolder(path / "20260131T060000Z-x")
    folder = made if made.path.is_dir() else _folder(made.path)
    earlier = path / "20260130T060000Z-x"
    if not earlier.is_dir():
        earlier.mkdir(parents=True)
        RunFolder(earlier).write_request(folder.read_request())
        yesterday = make_run([make_node("model.shop.a")], started_at="2026-01-30T06:00:00Z", request=make_request())
        RunFolder(earlier).write_run(yesterday)
    runner, console = make_runner(tmp_path, on_github=on_github), Console(on_github=on_github, stream=io.BytesIO())
    report({}, runner, Places(run_folder=str(folder.path), **places), console)
    return folder


def _changes(folder: RunFolder) -> tuple[str, list[str]] | None:
    changes = folder.read_run().changes
    return (changes.previous.name, [each.unique_id for each in changes.broken]) if changes else None


def test_outside_github_a_run_is_compared_with_the_one_before(tmp_path: Path) -> None:
    folder = _reported(tmp_path)

    assert _changes(folder) == ("the run of 2026-01-30T06:00:00Z", ["model.shop.a"])

    # Once it is known it stays, whatever becomes of that other folder.
    (tmp_path / "target/headless_dbt/20260130T060000Z-x/run.json").unlink()
    assert _changes(_reported(tmp_path)) == ("the run of 2026-01-30T06:00:00Z", ["model.shop.a"])


def test_on_github_only_what_was_recalled_is_compared(tmp_path: Path) -> None:
    assert _changes(_reported(tmp_path, on_github=True)) is None


def test_a_run_that_is_named_wins_and_stays(tmp_path: Path) -> None:
    _reported(tmp_path)
    named = make_run([make_node("model.shop.a", "error")], request=make_request(make_context(run_id="7")))
    (tmp_path / "named").mkdir()
    RunFolder(tmp_path / "named").write_run(named)

    assert _changes(_reported(tmp_path, previous="named")) == ("run 7", [])
    assert _changes(_reported(tmp_path)) == ("run 7", [])


def test_a_run_that_is_named_and_not_there_is_a_wrong_request(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"--previous: got 'nowhere', but run\.json is not there"):
        _reported(tmp_path, previous="nowhere")
