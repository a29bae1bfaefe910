"""From the files of a run folder to the Run."""

from pathlib import Path

import pytest
from headless_dbt.assemble import assemble_run
from headless_dbt.errors import RunFolderError
from headless_dbt.final_artifacts import write_final_artifacts
from headless_dbt.merged_results import INTERRUPTED, NOT_REACHED
from headless_dbt.model import Check, Outcome, Problem, Run, Verdict

from tests.unit.builders import (
    command_started,
    freshness,
    make_command,
    make_context,
    make_problem,
    make_record,
    make_request,
    make_run_folder,
    manifest,
    manifest_node,
    node_finished,
    node_start,
    result,
    run_results,
    sources,
)

RAW, STAGED, ORDERS, ITEMS = "source.shop.raw.orders", "model.shop.stg_orders", "model.shop.orders", "model.shop.items"
MANIFEST = manifest(
    manifest_node(RAW),
    manifest_node(STAGED, RAW),
    manifest_node(ORDERS, STAGED),
    manifest_node(ITEMS),
)
SELECTED = (STAGED, ORDERS, ITEMS)


def _statuses(run: Run) -> dict[str, str]:
    statuses = {node.unique_id: node.status for node in run.nodes}
    assert len(statuses) == len(run.nodes), "a node is told twice"
    return statuses


CHECKS = (Check(name="run a job", subject="acme", passed=True), Check(name="read", subject="acme.x", passed=True))


@pytest.mark.parametrize(
    ("problem", "verdict", "exit_code"),
    [(None, Verdict.SUCCESS, 0), (make_problem("The check failed"), Verdict.ERROR, 3)],
)
def test_a_check_has_its_checks_and_no_nodes(
    tmp_path: Path, problem: Problem | None, verdict: Verdict, exit_code: int
) -> None:
    folder = make_run_folder(
        tmp_path,
        manifest=MANIFEST,
        request=make_request(make_context(), check="TRUE"),
        record=make_record(*SELECTED, checks=CHECKS, attempts=(), commands=(), problem=problem),
    )

    run = assemble_run(folder)

    assert (run.checks, run.nodes, run.problem) == (CHECKS, (), problem)
    assert (run.status, run.exit_code) == (verdict, exit_code)


def test_a_green_run(tmp_path: Path) -> None:
    folder = make_run_folder(
        tmp_path,
        manifest=MANIFEST,
        results=run_results(*(result(unique_id) for unique_id in SELECTED)),
        record=make_record(*SELECTED),
        request=make_request(make_context(), project_dir="./dbt"),
    )

    run = assemble_run(folder)

    assert (run.status, run.exit_code, run.problem) == (Verdict.SUCCESS, 0, None)
    assert [node.unique_id for node in run.nodes] == list(SELECTED)
    node = run.nodes[1]
    assert (node.name, node.resource_type, node.outcome, node.message) == ("orders", "model", Outcome.PASSED, "OK")
    assert (node.file, node.relation_name) == ("dbt/models/orders.sql", '"shop"."main"."orders"')
    assert (node.started_at, node.completed_at) == ("2026-01-31T06:00:01Z", "2026-01-31T06:00:03Z")
    assert (node.thread, node.execution_time, node.depends_on) == ("Thread-1 (worker)", 2.0, (STAGED,))
    assert (run.started_at, run.elapsed) == ("2026-01-31T06:00:00Z", 187.4)


def test_a_failure_blocks_what_was_skipped(tmp_path: Path) -> None:
    folder = make_run_folder(
        tmp_path,
        manifest=MANIFEST,
        results=run_results(
            result(STAGED, "error", "Binder Error", timing=[]),
            result(ORDERS, "skipped", None, timing=[{"name": "compile", "started_at": None, "completed_at": None}]),
            result(ITEMS),
        ),
        record=make_record(*SELECTED, commands=(make_command(success=False),)),
    )

    run = assemble_run(folder)

    assert (run.status, run.exit_code, run.problem) == (Verdict.FAILURE, 1, None)
    assert _statuses(run) == {STAGED: "error", ORDERS: "skipped", ITEMS: "success"}
    assert {node.unique_id: node.blocks for node in run.nodes} == {STAGED: 1, ORDERS: 0, ITEMS: 0}
    assert (run.nodes[1].message, run.nodes[1].started_at) == ("", "")


def test_an_unknown_status_shows_and_counts_as_failed(tmp_path: Path) -> None:
    folder = make_run_folder(
        tmp_path, manifest=MANIFEST, results=run_results(result(ITEMS, "splendid")), record=make_record(ITEMS)
    )

    run = assemble_run(folder)

    assert run.status is Verdict.FAILURE
    assert (run.nodes[0].status, run.nodes[0].outcome) == ("splendid", Outcome.FAILED)


def test_a_killed_build_is_told_by_the_journal(tmp_path: Path) -> None:
    folder = make_run_folder(
        tmp_path,
        manifest=MANIFEST,
        journal=[node_start(ITEMS), node_start(STAGED), node_finished(ITEMS), node_finished(STAGED)[:99]],
        record=make_record(*SELECTED, commands=(make_command(success=False),), problem=make_problem()),
    )

    run = assemble_run(folder)

    assert _statuses(run) == {ITEMS: "success", STAGED: "error", ORDERS: "skipped"}
    messages = {node.unique_id: node.message for node in run.nodes}
    assert (messages[STAGED], messages[ORDERS]) == (INTERRUPTED, NOT_REACHED)
    assert (run.status, run.exit_code) == (Verdict.FAILURE, 1)
    assert run.failed[0].blocks == 1


@pytest.mark.parametrize("written", [[], [result(ITEMS)]], ids=["empty", "in part"])
def test_the_results_of_an_interrupted_build_are_completed_by_the_journal(
    tmp_path: Path, written: list[dict[str, object]]
) -> None:
    """On SIGINT dbt writes a run_results.json with no result, or with those that it had: the rest is not told."""
    folder = make_run_folder(
        tmp_path,
        manifest=MANIFEST,
        results=run_results(*written),
        journal=[node_start(ITEMS), node_finished(ITEMS), node_start(STAGED)],
        record=make_record(*SELECTED, problem=make_problem("The run was cancelled", "SIGINT ended it.", 130)),
    )

    run = assemble_run(folder)

    assert _statuses(run) == {ITEMS: "success", STAGED: "error", ORDERS: "skipped"}
    assert run.status is Verdict.CANCELLED


def test_a_cancelled_build_is_cancelled_whatever_its_nodes_came_to(tmp_path: Path) -> None:
    folder = make_run_folder(
        tmp_path,
        manifest=MANIFEST,
        journal=[node_start(STAGED)],
        record=make_record(*SELECTED, problem=make_problem(exit_code=130)),
    )

    run = assemble_run(folder)

    assert (run.status, run.exit_code) == (Verdict.CANCELLED, 130)
    assert _statuses(run) == {STAGED: "error", ORDERS: "skipped", ITEMS: "skipped"}


def test_the_journal_of_the_freshness_check_is_not_taken_for_the_build(tmp_path: Path) -> None:
    """`dbt source freshness` writes NodeStart and NodeFinished too, of sources, into the same log."""
    folder = make_run_folder(
        tmp_path,
        manifest=MANIFEST,
        sources=sources(freshness(RAW)),
        journal=[
            command_started("dbt source freshness", "f"),
            node_start(RAW, "f"),
            node_finished(RAW, "pass", invocation="f"),
            node_start(STAGED),
        ],
        record=make_record(*SELECTED, problem=make_problem()),
    )

    run = assemble_run(folder)

    assert _statuses(run) == {RAW: "pass", STAGED: "error", ORDERS: "skipped", ITEMS: "skipped"}


def test_the_branch_of_a_stale_source_is_told_as_skipped(tmp_path: Path) -> None:
    folder = make_run_folder(
        tmp_path,
        manifest=MANIFEST,
        sources=sources(freshness(RAW, "error")),
        results=run_results(result(ITEMS)),
        record=make_record(*SELECTED, stale_sources=(RAW,)),
    )

    run = assemble_run(folder)

    assert _statuses(run) == {RAW: "error", ITEMS: "success", STAGED: "skipped", ORDERS: "skipped"}
    messages = {node.unique_id: node.message for node in run.nodes}
    assert RAW in messages[STAGED] or '"shop"."main"."orders"' in messages[STAGED]
    assert (run.status, run.exit_code) == (Verdict.FAILURE, 1)
    assert {node.unique_id: node.blocks for node in run.failed} == {RAW: 2}


def test_the_message_about_a_stale_branch_names_the_source_and_not_the_skipped_node(tmp_path: Path) -> None:
    folder = make_run_folder(
        tmp_path,
        manifest=MANIFEST,
        sources=sources(freshness(RAW, "error")),
        results=run_results(result(ITEMS)),
        record=make_record(*SELECTED, stale_sources=(RAW,)),
    )

    message = next(node.message for node in assemble_run(folder).nodes if node.unique_id == STAGED)

    assert message in (
        'Skipped: the source "shop"."main"."orders" is stale.',
        f"Skipped: the source {RAW} is stale.",
    )
    assert "stg_orders" not in message


def test_a_stale_source_says_how_old_it_is(tmp_path: Path) -> None:
    folder = make_run_folder(
        tmp_path,
        manifest=MANIFEST,
        sources=sources(
            freshness(RAW, "warn"),
            {"unique_id": "source.shop.raw.gone", "status": "runtime error", "error": "No such table"},
        ),
        results=run_results(result(ITEMS)),
        record=make_record(ITEMS),
    )

    first, second, _ = assemble_run(folder).nodes

    assert (first.outcome, first.message) == (Outcome.WARNED, "Last loaded 24.0 h ago, at 2026-01-30T06:00:00Z.")
    assert (second.outcome, second.message, second.name) == (Outcome.FAILED, "No such table", "gone")


def test_ephemeral_models_are_not_missed(tmp_path: Path) -> None:
    content = manifest(manifest_node(ITEMS), manifest_node("model.shop.cte", materialized="ephemeral"))
    folder = make_run_folder(
        tmp_path,
        manifest=content,
        journal=[node_start(ITEMS), node_finished(ITEMS)],
        record=make_record(ITEMS, "model.shop.cte", "metric.shop.revenue", problem=make_problem()),
    )

    assert _statuses(assemble_run(folder)) == {ITEMS: "success"}


def test_a_build_that_calls_itself_done_and_left_no_results_is_no_success(tmp_path: Path) -> None:
    folder = make_run_folder(
        tmp_path,
        manifest=MANIFEST,
        journal=[line for unique_id in SELECTED for line in (node_start(unique_id), node_finished(unique_id))],
        record=make_record(*SELECTED),
    )

    run = assemble_run(folder)

    assert (run.status, run.exit_code) == (Verdict.ERROR, 3)
    assert run.problem is not None
    assert run.problem.title == "dbt left no results"


def test_a_session_that_never_came_to_its_end_is_no_success(tmp_path: Path) -> None:
    folder = make_run_folder(
        tmp_path,
        manifest=MANIFEST,
        results=run_results(result(ITEMS)),
        record=make_record(ITEMS, finished=False),
    )

    run = assemble_run(folder)

    assert (run.status, run.exit_code) == (Verdict.ERROR, 3)
    assert run.problem is not None
    assert run.problem.title == "The run ended early"
    assert _statuses(run) == {ITEMS: "success"}


def test_without_a_session_there_is_no_success(tmp_path: Path) -> None:
    folder = make_run_folder(tmp_path, manifest=MANIFEST, results=run_results(result(ITEMS)))

    run = assemble_run(folder)

    assert (run.status, run.exit_code) == (Verdict.ERROR, 3)
    assert run.problem is not None
    assert "session.json is missing" in run.problem.message


def test_a_build_that_never_ran_is_no_success(tmp_path: Path) -> None:
    folder = make_run_folder(
        tmp_path, manifest=MANIFEST, results=run_results(result(ITEMS)), record=make_record(ITEMS, commands=())
    )

    assert assemble_run(folder).status is Verdict.FAILURE


def test_docs_that_failed_leave_a_warning(tmp_path: Path) -> None:
    folder = make_run_folder(
        tmp_path,
        manifest=MANIFEST,
        results=run_results(result(ITEMS)),
        record=make_record(ITEMS, commands=(make_command(), make_command("docs generate", success=False))),
    )

    assert (assemble_run(folder).status, assemble_run(folder).exit_code) == (Verdict.WARN, 0)


def test_nothing_selected_is_a_warning(tmp_path: Path) -> None:
    folder = make_run_folder(tmp_path, manifest=MANIFEST, results=run_results(), record=make_record())

    assert assemble_run(folder).status is Verdict.WARN


@pytest.mark.parametrize("name", ["manifest.json", "run_results.json", "sources.json", "session.json"])
@pytest.mark.parametrize("content", [b"{", b'{"metadata": {}}', b"\xff", b""])
def test_an_unreadable_file_is_an_error_of_the_run_and_no_exception(tmp_path: Path, name: str, content: bytes) -> None:
    folder = make_run_folder(tmp_path, manifest=MANIFEST, results=run_results(result(ITEMS)), record=make_record(ITEMS))
    (tmp_path / name).write_bytes(content)

    run = assemble_run(folder)

    assert (run.status, run.exit_code) == (Verdict.ERROR, 3)
    assert run.problem is not None
    assert name in run.problem.message


@pytest.mark.parametrize("name", ["manifest.json", "run_results.json"])
def test_an_unreadable_artifact_does_not_hide_why_the_run_ended(tmp_path: Path, name: str) -> None:
    """A process that is killed while it writes an artifact leaves it torn: the kill is the story."""
    folder = make_run_folder(
        tmp_path,
        manifest=MANIFEST,
        journal=[node_start(ITEMS), node_finished(ITEMS)],
        record=make_record(*SELECTED, problem=make_problem("The run was cancelled", "SIGINT ended it.", 130)),
    )
    (tmp_path / name).write_bytes(b'{"metadata": {"dbt_sch')

    run = assemble_run(folder)

    assert (run.status, run.exit_code) == (Verdict.CANCELLED, 130)
    assert run.problem is not None
    assert "SIGINT ended it." in run.problem.message
    assert run.started_at == "2026-01-31T06:00:00Z"


def test_torn_results_leave_the_journal_to_tell(tmp_path: Path) -> None:
    folder = make_run_folder(
        tmp_path,
        manifest=MANIFEST,
        journal=[node_start(ITEMS), node_finished(ITEMS, "error", "Binder Error")],
        record=make_record(ITEMS, problem=make_problem()),
    )
    (folder.attempt(1) / "run_results.json").write_bytes(b'{"metadata": {"dbt_sch')
    write_final_artifacts(folder)

    run = assemble_run(folder)

    assert _statuses(run) == {ITEMS: "error"}
    assert run.status is Verdict.FAILURE


def test_without_a_request_there_is_no_run(tmp_path: Path) -> None:
    folder = make_run_folder(tmp_path)
    (tmp_path / "request.json").unlink()

    with pytest.raises(RunFolderError, match=r"request\.json is missing"):
        assemble_run(folder)


def test_a_node_that_the_manifest_does_not_know_is_shown_by_what_its_id_says(tmp_path: Path) -> None:
    folder = make_run_folder(
        tmp_path,
        manifest=MANIFEST,
        results=run_results(result("operation.shop.shop-on-run-end-0")),
        record=make_record(),
    )

    [node] = assemble_run(folder).nodes

    assert (node.name, node.resource_type, node.file) == ("shop-on-run-end-0", "operation", "")
