"""The data flows one way: a module imports only from its own level or below."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "scripts/headless_dbt"

# From the bottom up. A module that is not here fails the test: say where it belongs.
LEVELS = (
    (
        "archive_parts",
        "changes",
        "codeowners",
        "errors",
        "folder_walk",
        "google_account",
        "kept_files",
        "lineage",
        "locate",
        "model",
        "parse_configuration",
        "session_protocol",
        "transient",
    ),
    ("bigquery_advice", "python_models", "sign_in_advice"),
    ("parsing", "problem_place", "project_files"),
    ("inputs",),
    ("artifact_names", "settings", "workflow_commands"),
    (
        "artifacts",
        "cancellation",
        "console",
        "credentials",
        "code_manifest",
        "environments",
        "kept_bytecode",
        "log_filter",
        "parse_inputs",
        "redaction",
    ),
    ("checks", "job_options", "kept_parse", "node_times"),
    ("blame", "dbt_commands", "journal", "retrying", "resume", "run_folder", "session_process"),
    ("code_record", "recorded_commands", "recorder", "source_freshness"),
    ("merged_results",),
    ("final_artifacts",),
    ("causes", "lines", "origins", "timeline", "warehouse"),
    ("neighbours", "nodes", "outside_dbt"),
    ("assemble", "earlier_runs", "plain_artifacts", "previous_run"),
    ("attempts", "continuation"),
    ("supervisor",),
    ("incident_state", "render", "render.markdown", "render.words"),
    ("render.annotations", "render.checked", "render.compared", "render.lineage", "render.page_data", "render.told"),
    ("render.gantt",),
    ("render.summary",),
    ("render.page",),
    ("render.cause", "render.comments"),
    ("render.issue",),
    ("assessment", "suspects"),
    ("incident",),
    ("git_history", "github"),
    ("github_issues", "github_runs", "production_run", "report"),
    ("fetch_earlier", "investigate", "recall"),
    ("file_issue",),
    ("__main__",),
)
LEVEL = {module: level for level, modules in enumerate(LEVELS) for module in modules}
# They run where nothing is installed, and stand alone.
ALONE = {
    "bigquery_check",
    "bigquery_jobs",
    "bigquery_patience",
    "bootstrap",
    "cache_key",
    "critical_first",
    "lent_bytecode",
    "rust_engine",
    "session",
}
# Values in, values out: what they may not import.
PURE = {
    "artifact_names",
    "assessment",
    "bigquery_advice",
    "model",
    "inputs",
    "code_manifest",
    "causes",
    "checks",
    "changes",
    "codeowners",
    "dbt_commands",
    "google_account",
    "incident",
    "incident_state",
    "job_options",
    "lineage",
    "locate",
    "log_filter",
    "blame",
    "merged_results",
    "neighbours",
    "nodes",
    "origins",
    "outside_dbt",
    "parsing",
    "problem_place",
    "resume",
    "retrying",
    "session_protocol",
    "sign_in_advice",
    "suspects",
    "timeline",
    "transient",
    "warehouse",
    *(module for module in LEVEL if module.startswith("render.")),
}
IMPURE = {"os", "subprocess", "socket", "requests", "github", "tempfile", "time", "random", "signal"}


def modules() -> dict[str, Path]:
    found = {}
    for file in PACKAGE.rglob("*.py"):
        parts = file.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(part for part in parts if part != "__init__")] = file
    return {name: file for name, file in found.items() if name}


def imports(file: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return names


def ours(file: Path) -> set[str]:
    inner = {name.removeprefix("headless_dbt.") for name in imports(file) if name.startswith("headless_dbt.")}
    return {name for name in inner if name in modules()}


def test_every_module_has_its_level() -> None:
    assert modules().keys() - ALONE == LEVEL.keys()


@pytest.mark.parametrize("module", sorted(LEVEL))
def test_a_module_imports_only_from_its_level_or_below(module: str) -> None:
    too_high = {name for name in ours(modules()[module]) if LEVEL[name] > LEVEL[module]}
    assert not too_high


@pytest.mark.parametrize("module", sorted(PURE))
def test_a_pure_module_touches_nothing_outside(module: str) -> None:
    assert not imports(modules()[module]) & IMPURE


@pytest.mark.parametrize("module", sorted(ALONE))
def test_what_runs_in_a_foreign_interpreter_imports_nothing_of_ours(module: str) -> None:
    assert not ours(modules()[module])


def test_only_the_session_imports_dbt() -> None:
    importers = {
        name for name, file in modules().items() if any(found.split(".")[0] == "dbt" for found in imports(file))
    }
    assert importers == {"session"}


def test_only_github_talks_to_the_network() -> None:
    importers = {
        name
        for name, file in modules().items()
        if {found.split(".")[0] for found in imports(file)} & {"github", "requests", "urllib3", "socket", "http"}
    }
    assert importers == {"github", "github_issues", "github_runs"}


def test_only_settings_reads_the_environment() -> None:
    readers = {
        name for name, file in modules().items() if "os.environ" in file.read_text("utf-8") and name not in ALONE
    }
    # __main__ hands it over whole, and reads nothing of it.
    assert readers == {"__main__"}
