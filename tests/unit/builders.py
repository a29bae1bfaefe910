"""Small makers of what the tests need: a Run, a Node, settings, and the files that dbt leaves."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from headless_dbt.causes import find_causes
from headless_dbt.dbt_commands import DbtCommands
from headless_dbt.final_artifacts import write_final_artifacts
from headless_dbt.model import (
    Attempt,
    Command,
    Context,
    Installation,
    Node,
    Outcome,
    Problem,
    Request,
    Run,
    Verdict,
    outcome_of,
)
from headless_dbt.run_folder import RunFolder, SessionRecord
from headless_dbt.settings import Runner, RunSettings

HOSTILE = (
    "quote ' and \" quote",
    "$(touch /tmp/pwned) `id` ${HOME}",
    "line\nbreak",
    "; rm -rf / && echo | cat > x",
    "schön 🦆 \u202egnirts",
    "--target=other",
    "<img src=x onerror=alert(1)>",
    "%0A::error::x",
)


def make_node(unique_id: str = "model.shop.orders", status: str = "success", **changes: Any) -> Node:
    kind, _, rest = unique_id.partition(".")
    values: dict[str, Any] = {
        "name": rest.rpartition(".")[2],
        "resource_type": kind,
        "outcome": outcome_of(status),
        "execution_time": 0.5,
    }
    return Node(unique_id=unique_id, status=status, **{**values, **changes})


def make_request(context: Context | None = None, **inputs: str) -> Request:
    given = {name.replace("_", "-"): value for name, value in inputs.items()}
    return Request(inputs={"project-dir": ".", "target": "prod", **given}, context=context or Context())


def make_context(**changes: str) -> Context:
    values = {
        "repository": "acme/shop",
        "workflow_file": ".github/workflows/dbt.yml",
        "run_id": "42",
        "run_attempt": "1",
        "event": "schedule",
        "sha": "0123456789abcdef0123456789abcdef01234567",
        "ref": "main",
    }
    return Context(**{**values, **changes})


def make_command(name: str = "build", *, success: bool = True, message: str = "") -> Command:
    return Command(
        name=name,
        arguments=(name,),
        started_at="2026-01-31T06:00:00Z",
        elapsed=4.2,
        success=success,
        message=message,
    )


INSTALLATION = Installation(
    requested=("dbt-core==1.12.6", "dbt-duckdb==1.11.1"),
    installed={"dbt-adapters": "1.24.5", "dbt-core": "1.12.6", "dbt-duckdb": "1.11.1"},
    python="3.12.1",
)


def make_run(nodes: Iterable[Node] = (), status: Verdict | None = None, **changes: Any) -> Run:
    nodes = tuple(nodes)
    seen = {node.outcome for node in nodes}
    problem: Problem | None = changes.get("problem")
    if status is None:
        status = Verdict.SUCCESS
        if Outcome.WARNED in seen or not seen:
            status = Verdict.WARN
        if problem is not None:
            status = Verdict.ERROR
        if Outcome.FAILED in seen:
            status = Verdict.FAILURE
    values: dict[str, Any] = {
        "headless_dbt_version": "0.1.0",
        "exit_code": {Verdict.SUCCESS: 0, Verdict.WARN: 0, Verdict.FAILURE: 1}.get(status, 3),
        "problem": None,
        "started_at": "2026-01-31T06:00:00Z",
        "elapsed": 187.4,
        "request": make_request(make_context()),
        "installation": INSTALLATION,
        "commands": (make_command(),),
    }
    graph = {node.unique_id: list(node.depends_on) for node in nodes}
    of = {outcome: [node for node in nodes if node.outcome is outcome] for outcome in Outcome}
    causes = {
        "causes": find_causes(of[Outcome.FAILED], of[Outcome.SKIPPED], problem, graph, {}),
        "warnings": find_causes(of[Outcome.WARNED], (), None, graph, {}),
    }
    return Run(status=status, nodes=nodes, **{**values, **causes, **changes})


def make_problem(
    title: str = "dbt could not work", message: str = "No connection.", exit_code: int = 3, **place: Any
) -> Problem:
    return Problem(title=title, message=message, exit_code=exit_code, **place)


def make_settings(project_dir: Path = Path("/project"), **changes: Any) -> RunSettings:
    values: dict[str, Any] = {
        "project_dir": project_dir,
        "profiles_dir": project_dir,
        "target": "prod",
        "select": "",
        "exclude": "",
        "selector": "",
        "vars": "",
        "full_refresh": False,
        "fail_fast": False,
        "threads": None,
        "dbt_args": (),
        "adapter": "duckdb",
        "dbt_version": "",
        "adapter_version": "",
        "requirements": None,
        "python_version": "",
        "source_freshness": False,
        "docs": False,
        "env": (),
        "dbt_env": (),
        "gcp_credentials": "",
        "workload_identity_provider": "",
        "service_account": "",
        "retries": 0,
        "retry_delay": 0.0,
        "resume_from": "",
        "schedule": "dbt",
        "time_limit": 0.0,
        "cost_limit": 0.0,
        "cost_per_tib": 6.25,
        "check": False,
    }
    return RunSettings(**{**values, **changes})


def make_commands(**changes: Any) -> DbtCommands:
    return DbtCommands(make_settings(**changes), Path("/runs/1"), Path("/runs/1/attempts/1"), colors=False)


def make_runner(
    workspace: Path, variables: Mapping[str, str] | None = None, *, on_github: bool = False, **environment: str
) -> Runner:
    return Runner(
        on_github=on_github,
        workspace=workspace,
        output_file=None,
        summary_file=None,
        environment={**(variables or {}), **environment},
    )


def make_project(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dbt_project.yml").write_text("name: shop\n")
    (folder / "profiles.yml").write_text("shop: {}\n")
    return folder


# What dbt leaves. The shapes are those of dbt-core 1.12, shortened.


def manifest_node(unique_id: str, *parents: str, materialized: str = "view", **more: Any) -> dict[str, Any]:
    kind, _, rest = unique_id.partition(".")
    name = rest.rpartition(".")[2]
    return {
        "unique_id": unique_id,
        "name": name,
        "resource_type": kind,
        "original_file_path": f"models/{name}.sql",
        "relation_name": f'"shop"."main"."{name}"',
        "depends_on": {"macros": [], "nodes": list(parents)},
        "config": {"materialized": materialized, "enabled": True},
        **more,
    }


def manifest(*nodes: Mapping[str, Any]) -> dict[str, Any]:
    groups: dict[str, dict[str, Any]] = {"nodes": {}, "sources": {}, "exposures": {}, "unit_tests": {}}
    place = {"source": "sources", "exposure": "exposures", "unit_test": "unit_tests"}
    for node in nodes:
        groups[place.get(node["resource_type"], "nodes")][node["unique_id"]] = dict(node)
    return {"metadata": _metadata("manifest", 12), **groups}


def result(unique_id: str, status: str = "success", message: str | None = "OK", **more: Any) -> dict[str, Any]:
    return {
        "status": status,
        "timing": [
            {"name": "compile", "started_at": "2026-01-31T06:00:01Z", "completed_at": "2026-01-31T06:00:02Z"},
            {"name": "execute", "started_at": "2026-01-31T06:00:02Z", "completed_at": "2026-01-31T06:00:03Z"},
        ],
        "thread_id": "Thread-1 (worker)",
        "execution_time": 2.0,
        "adapter_response": {"_message": "OK"},
        "message": message,
        "failures": None,
        "unique_id": unique_id,
        "compiled": True,
        "relation_name": None,
        **more,
    }


def run_results(*results: Mapping[str, Any]) -> dict[str, Any]:
    return {"metadata": _metadata("run-results", 6), "results": list(results), "elapsed_time": 3.0, "args": {}}


def sources(*results: Mapping[str, Any]) -> dict[str, Any]:
    return {"metadata": _metadata("sources", 3), "results": list(results), "elapsed_time": 1.0}


def freshness(unique_id: str, status: str = "pass", **more: Any) -> dict[str, Any]:
    return {
        "unique_id": unique_id,
        "status": status,
        "max_loaded_at": "2026-01-30T06:00:00Z",
        "snapshotted_at": "2026-01-31T06:00:00Z",
        "max_loaded_at_time_ago_in_s": 86400.0,
        "criteria": {"warn_after": {"count": 12, "period": "hour"}},
        "adapter_response": {},
        "timing": [],
        "thread_id": "Thread-1 (worker)",
        "execution_time": 0.1,
        **more,
    }


def _metadata(kind: str, version: int) -> dict[str, Any]:
    return {
        "dbt_schema_version": f"https://schemas.getdbt.com/dbt/{kind}/v{version}.json",
        "dbt_version": "1.12.6",
        "invocation_id": "61cce188-3a37-4c2d-ac43-1c846149fa22",
        "env": {},
    }


BUILD = "61cce188-3a37-4c2d-ac43-1c846149fa22"


def command_started(command: str, invocation: str = BUILD) -> bytes:
    """One line of dbt.log: a command began."""
    return _event("MainReportArgs", "A002", {"args": {"invocation_command": command}}, invocation=invocation)


def node_start(unique_id: str, invocation: str = BUILD) -> bytes:
    """One line of dbt.log: a node began."""
    return _event("NodeStart", "Q024", {"node_info": _node_info(unique_id, "started")}, invocation=invocation)


def node_finished(
    unique_id: str, status: str = "success", message: str = "OK", failures: int = 0, invocation: str = BUILD
) -> bytes:
    """One line of dbt.log: a node ended, with its result."""
    run_result = {
        "adapter_response": {"_message": "OK"} if status == "success" else {},
        "execution_time": 0.060250998,
        "message": message,
        "num_failures": failures,
        "status": status,
        "thread": "Thread-1 (worker)",
        "timing_info": [
            {
                "completed_at": "2026-11-22T08:02:41.927055Z",
                "name": "compile",
                "started_at": "2026-11-22T08:02:41.923169Z",
            },
            {
                "completed_at": "2026-11-22T08:02:41.982112Z",
                "name": "execute",
                "started_at": "2026-11-22T08:02:41.927420Z",
            },
        ],
    }
    data = {"node_info": _node_info(unique_id, status), "run_result": run_result}
    return _event("NodeFinished", "Q025", data, invocation=invocation)


def log_line(message: str) -> bytes:
    """One line of dbt.log that is about no node."""
    return _event("Formatting", "Z017", {"msg": message}, message)


def _node_info(unique_id: str, status: str) -> dict[str, Any]:
    kind, _, rest = unique_id.partition(".")
    return {
        "materialized": "view",
        "meta": {},
        "node_finished_at": "" if status == "started" else "2026-11-22T08:02:41.982593",
        "node_name": rest.rpartition(".")[2],
        "node_started_at": "2026-11-22T08:02:41.921441",
        "node_status": status,
        "resource_type": kind,
        "unique_id": unique_id,
    }


def _event(name: str, code: str, data: Mapping[str, Any], message: str = "", invocation: str = BUILD) -> bytes:
    info = {
        "category": "",
        "code": code,
        "extra": {},
        "invocation_id": invocation,
        "level": "debug",
        "msg": message,
        "name": name,
        "pid": 5029,
        "thread": "Thread-1 (worker)",
        "ts": "2026-11-22T08:02:41.984830Z",
    }
    return json.dumps({"data": data, "info": info}, sort_keys=True).encode() + b"\n"


def make_run_folder(  # noqa: PLR0913  Each is a file.
    path: Path,
    *,
    manifest: Mapping[str, Any] | None = None,
    results: Mapping[str, Any] | None = None,
    sources: Mapping[str, Any] | None = None,
    journal: Sequence[bytes] = (),
    request: Request | None = None,
    record: SessionRecord | None = None,
) -> RunFolder:
    """A run folder as `run` leaves it: these files of one attempt, and a request."""
    folder = RunFolder(path)
    folder.attempt(1).mkdir(parents=True)
    folder.write_request(request or make_request(make_context()))
    for name, content in (("manifest.json", manifest), ("run_results.json", results), ("sources.json", sources)):
        if content is not None:
            (folder.attempt(1) / name).write_text(json.dumps(content))
    if journal:
        folder.journal.write_bytes(b"".join(journal))
    if record is not None:
        folder.write_session(record)
        write_final_artifacts(folder)
    return folder


def make_record(*selected: str, **changes: Any) -> SessionRecord:
    """The record of a session that came to its end."""
    values: dict[str, Any] = {
        "started_at": "2026-01-31T06:00:00Z",
        "elapsed": 187.4,
        "finished": True,
        "installation": INSTALLATION,
        "selected": selected,
        "commands": (make_command(),),
        "attempts": (Attempt(number=1),),
    }
    return SessionRecord(**{**values, **changes})
