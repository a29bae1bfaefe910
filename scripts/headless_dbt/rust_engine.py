"""dbt 2, the Rust engine: a binary that is run once for each command. Runs inside dbt's own interpreter.

session.py loads it by path, where the environment has dbt 2, and hands it the same requests: the argument lists are
those of dbt-core, and become what the binary takes. It starts in tens of milliseconds and reads the project anew each
time: with ``--partial-parse`` it forgets the freshness of sources, and does not notice a selector that is not there.
With ``--log-format json`` it writes the events of dbt-core, to its log file and to standard output.

Tried with dbt 2.0.0rc196. Source: https://docs.getdbt.com/docs/fusion/supported-features and ``dbt build --help``.
"""

import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

# Flags of dbt-core that the binary refuses, with the number of values that they take.
DROPPED = {
    "--log-file-max-bytes": 1,
    "--use-colors": 0,
    "--no-use-colors": 0,
    "--no-introspect": 0,
    "--no-populate-cache": 0,
    "--no-compile": 0,
    "--static": 0,
    "--log-level": 1,
}
# It has no page of documentation; the catalog comes with this.
CATALOG = "--write-catalog"
NO_PAGE = "dbt 2 makes none; catalog.json is there"
# What a node came to where it came to nothing good.
BAD = ("error", "fail", "runtime error")
# How the supervisor selects what failed before.
AGAIN = "--select=result:error"
NOT_PLAIN = re.compile(r"[^\w.-]")
# A selection of nothing: an option without a value would be refused.
NO_NODE = "fqn:of.no.node"
MANIFEST = "manifest.json"
# How the supervisor asks for a list; the groups of a manifest that it then names; variables that would select, too.
LISTED = ["--output", "json", "--output-keys", "unique_id", "--log-level", "none"]
GROUPS = ("nodes", "sources", "exposures", "unit_tests", "metrics", "semantic_models", "saved_queries", "functions")
# Variables of dbt-core whose values the binary may refuse; the log is to be whole whatever they say.
LOG_LEVELS = ("DBT_LOG_LEVEL", "DBT_LOG_LEVEL_FILE")
SELECTS = re.compile(r"DBT_(SELECT|EXCLUDE|.*RESOURCE_TYPE|INDIRECT_SELECTION|MODELS)").match
CANCELLED = "[OperationCanceled "
NOT_CHECKED = "Not checked: dbt 2 ends at the first source that it cannot check."
# As many lines of what is no event are kept, for the error message.
MOST_LINES = 20
QUERY_LOG = "query_log.sql"


class RustEngine:
    """dbt 2, one process a command. ``binary`` is its path; ``docs`` says that there will be docs."""

    def __init__(self, binary: Path, *, docs: bool) -> None:
        """Hold the binary; nothing is started yet."""
        self.binary = binary
        self.docs = docs
        self.catalog = Path()
        self.running = False
        self.interrupted = False
        self.parsed: list[str] = []

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Run one dbt command, and return the reply of session.py."""
        if "schedule" in request:
            raise NotImplementedError("dbt 2 lets nobody else order its nodes")
        if "check" in request:
            return {"success": True, "exception": None, "lines": [json.dumps(self.try_connection())]}
        argv = request["argv"]
        if argv[0] == "parse":
            self.parsed = argv
        if self.lists_everything(argv):
            return {"success": True, "exception": None, "lines": named_in(self.manifest())}
        is_docs = argv[0] == "docs"
        no_page = {"success": True, "exception": {"type": "", "message": NO_PAGE}, "lines": []}
        if is_docs and self.catalog.is_file():
            shutil.copy(self.catalog, Path(value_of(argv, "--target-path")) / self.catalog.name)
            return no_page
        outcome = self.run(argv[0], self.arguments(argv))
        if argv[0] == "build":
            self.catalog = Path(value_of(argv, "--target-path")) / "catalog.json"
        drop_query_log(argv)
        if outcome.return_code != 0:
            mend_artifacts(argv, outcome, interrupted=self.interrupted)
        if is_docs and outcome.return_code == 0:
            return no_page
        lines = outcome.lines
        if argv[0] == "parse" and outcome.return_code == 0:
            lines = surroundings(argv, self.manifest())
        exception = outcome.exception()
        return {"success": outcome.return_code == 0, "exception": exception, "lines": lines}

    def lists_everything(self, argv: list[str]) -> bool:
        """Whether a list is one of all nodes, which the manifest of the parse names: nothing selects, also unasked."""
        if argv != ["list", *self.parsed[1:], *LISTED] or any(map(SELECTS, os.environ)):
            return False
        return not (Path(value_of(argv, "--project-dir")) / "selectors.yml").exists()

    def arguments(self, argv: list[str]) -> list[str]:
        """What the binary is called with."""
        again = failed_before(Path(value_of(argv, "--state")), self.manifest()) if AGAIN in argv else []
        catalog = [CATALOG] if self.docs and argv[0] == "build" else []
        return [*translated(argv), *(["--select", *again] if again else []), *catalog]

    def manifest(self) -> dict[str, Any]:
        """What the parse wrote."""
        content: dict[str, Any] = json.loads((Path(value_of(self.parsed, "--target-path")) / MANIFEST).read_bytes())
        return content

    def try_connection(self) -> dict[str, Any]:
        """Try the warehouse as ``dbt debug`` does; return what came of it, as bigquery_check.py words it."""
        outcome = self.run("debug", translated(["debug", *self.parsed[1:]]))
        message = "\n".join(outcome.errors)
        passed = outcome.return_code == 0
        adapter = self.manifest()["metadata"]["adapter_type"]
        return {"name": "connection", "subject": adapter, "message": message, "passed": passed}

    def run(self, command: str, argv: list[str]) -> "Outcome":
        """Run the binary, show what it says, and return the outcome."""
        # Its own name, not its path, is what it records as the command.
        process = subprocess.Popen(  # noqa: S603  The arguments are the supervisor's.
            ["dbt", *argv, "--log-format", "json"],  # noqa: S607  The next line names the file.
            executable=self.binary,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**{name: os.environ[name] for name in os.environ if name not in LOG_LEVELS}, "RUST_BACKTRACE": "0"},
        )
        self.running = True
        outcome = Outcome(command)
        assert process.stdout is not None  # noqa: S101
        with process.stdout:
            for line in process.stdout:
                outcome.take(line.decode("utf-8", "replace"))
        outcome.return_code = process.wait()
        self.running = False
        return outcome

    def interrupt(self, _number: int, _frame: object) -> None:
        """On SIGINT: wait for the binary, which got it too, as one of the same process group."""
        self.interrupted = True
        if not self.running:
            raise KeyboardInterrupt


class Outcome:
    """What one run of the binary came to, event by event."""

    def __init__(self, command: str) -> None:
        """Begin; what a list or a compilation says is printed only where it is an error."""
        self.command = command
        self.shown = command not in ("list", "compile")
        # Whether dbt's results say of every node that the whole has failed.
        self.broke_off = False
        self.return_code = 0
        self.lines: list[str] = []
        self.errors: list[str] = []
        self.begun = False
        self.bad_nodes: list[str] = []
        self.completed = False
        self.other: list[str] = []

    def take(self, line: str) -> None:
        """Take a line of the binary's output: an event, or what it says outside of its log."""
        try:
            event = json.loads(line)
            info, data = event["info"], event["data"]
            name, level, message = info["name"], info["level"], info["msg"]
        except (ValueError, TypeError, KeyError):
            self.other = [*self.other, line.rstrip()][-MOST_LINES:]
            show(line.rstrip("\n"))
            return
        if name == "PrintEvent":
            # A macro of the project prints by the same event.
            self.lines += [message] if self.command == "list" and is_listed(message) else []
        elif name == "CompiledNode":
            self.lines.append(data.get("compiled", ""))
        elif name == "CommandCompleted":
            self.completed = True
        elif name == "NodeStart":
            self.begun = True
        elif name == "NodeFinished":
            node = data.get("node_info", {})
            self.bad_nodes += [node.get("unique_id", "")] if node.get("node_status") in BAD else []
        elif name == "Generic" and level == "error" and "node_info" not in data:
            self.errors.append(plain(message))
        if level == "error" or (self.shown and level in ("info", "warn")):
            # As dbt-core's own text begins a line: the time of day, in UTC.
            show(f"{info['ts'][11:19]}  {message.rstrip()}")

    def exception(self) -> dict[str, str] | None:
        """Why the command failed, as data; None where its nodes say it."""
        if self.return_code == 0:
            return None
        of_nodes = self.command in ("build", "source") and self.completed and self.bad_nodes
        # As dbt-core does by its results, `fail_fast` tells which node has ended the others.
        if of_nodes and not (self.broke_off and not self.cancelled):
            return None
        said = "\n".join(line for line in self.other if line)
        if not self.completed and said.startswith("error:"):
            return {"type": "DbtUsageException", "message": said.partition("\n")[0].removeprefix("error: ")}
        if self.return_code < 0:
            said = f"dbt was killed by signal {-self.return_code}"
        return {"type": "", "message": "\n".join(dict.fromkeys(self.errors)) or said or "see its log"}

    @property
    def cancelled(self) -> bool:
        """Whether it was broken off: by a signal, or because a node failed, with `fail_fast`."""
        return any(error.startswith(CANCELLED) for error in self.errors)


def is_listed(line: str) -> bool:
    """Whether a line is one of a list of nodes, and not what a macro of the project prints."""
    try:
        found = json.loads(line)
    except ValueError:
        return False
    return isinstance(found, dict) and [*found] == ["unique_id"]


def show(line: str) -> None:
    """Print a line; where nobody reads any more, what the binary comes to is still to be seen to its end."""
    with contextlib.suppress(BrokenPipeError):
        print(line, flush=True)


def plain(message: str) -> str:
    """An error message without the mark of its level, which a title says already."""
    return re.sub(r"^\[error\] ", "", message).strip()


def value_of(argv: list[str], flag: str) -> str:
    """The value of an option, or an empty text."""
    return argv[argv.index(flag) + 1] if flag in argv else ""


def translated(argv: list[str]) -> list[str]:
    """An argument list of dbt-core as the binary takes it."""
    kept = []
    arguments = iter(argv)
    for argument in arguments:
        if argument in DROPPED:
            for _ in range(DROPPED[argument]):
                next(arguments)
        # It reads the project anew when it builds, and knows of a full refresh then.
        elif argument != AGAIN and (argv[0], argument) != ("parse", "--full-refresh"):
            kept.append(argument)
    if argv[:2] == ["docs", "generate"]:
        kept[:2] = ["compile", CATALOG]
    return kept


def failed_before(state: Path, manifest: Mapping[str, Any]) -> list[str]:
    """A selector for each node that has an error in the results in ``state``.

    The binary takes ``result:error`` for a selection of nothing.
    """
    results = json.loads((state / "run_results.json").read_bytes())["results"]
    known = {unique_id: node for group in GROUPS for unique_id, node in manifest.get(group, {}).items()}
    failed = [result["unique_id"] for result in results if result["status"] == "error"]
    return [selector_of(known[unique_id]) for unique_id in failed] or [NO_NODE]


def selector_of(node: Mapping[str, Any]) -> str:
    """A selector of one node: its whole fqn, and its file, because a folder beside it may have its name.

    A space or a comma would end it, and ``?`` is any character. A test that stands in YAML has a file of its own name.
    """
    fqn = "fqn:" + re.sub(NOT_PLAIN, "?", ".".join(node["fqn"]))
    file = re.sub(NOT_PLAIN, "?", Path(node["original_file_path"]).name)
    return fqn if file.endswith((".yml", ".yaml")) else f"{fqn},file:{file}"


def named_in(manifest: dict[str, Any]) -> list[str]:
    """All nodes of a manifest but its hooks, as `list` writes them."""
    names = (name for group in GROUPS for name in manifest.get(group, {}) if not name.startswith("operation."))
    return [json.dumps({"unique_id": name}) for name in names]


def mend_artifacts(argv: list[str], outcome: Outcome, *, interrupted: bool) -> None:
    """Leave of a command that failed what dbt-core would have left.

    Where a build cannot connect, the binary writes results all the same, with the error at a node that it happened
    upon; where it is broken off, with an error at every node, also at those that had succeeded. The log has it right.
    Where a check of freshness fails itself, it writes none at all.
    """
    target_path = Path(value_of(argv, "--target-path"))
    results = target_path / "run_results.json"
    if argv[0] == "build" and (interrupted or not outcome.begun):
        results.unlink(missing_ok=True)
    elif argv[0] == "build" and results.is_file():
        try:
            document = json.loads(results.read_bytes())
        except ValueError:  # Torn, as on a full disk.
            results.unlink()
            return
        # What was built was so by a thread with a number.
        outcome.broke_off = all(result.get("thread_id") == "main" for result in document["results"])
        if outcome.broke_off:
            results.write_text(json.dumps({**document, "results": []}), "utf-8")
    sources = target_path / "sources.json"
    if argv[0] == "source" and outcome.bad_nodes and not sources.exists():
        metadata = {"dbt_schema_version": "https://schemas.getdbt.com/dbt/sources/v3.json"}
        sources.write_text(json.dumps({"metadata": metadata, "results": checks_in(outcome)}), "utf-8")


def checks_in(outcome: Outcome) -> list[dict[str, str]]:
    """Results of the sources whose freshness was not found: the one with the error, as far as it says of which it is.

    The binary ends with the first, and calls all of them bad.
    """
    error = "\n".join(outcome.errors)
    guilty = [name for name in outcome.bad_nodes if f"/{name.rpartition('.')[2]}.sql" in error] or outcome.bad_nodes
    return [
        {"unique_id": name, "status": "runtime error", "error": error}
        if name in guilty
        else {"unique_id": name, "status": "skipped", "error": NOT_CHECKED}
        for name in outcome.bad_nodes
    ]


def drop_query_log(argv: list[str]) -> None:
    """Remove the log of statements: dbt.log has them too, and nobody knows what else is in them."""
    folder = value_of(argv, "--log-path")
    if folder:
        (Path(folder) / QUERY_LOG).unlink(missing_ok=True)


def surroundings(argv: list[str], manifest: Mapping[str, Any]) -> list[str]:
    """What of the parse is of no single node: the files of configuration, and the variables that the project reads.

    Macros, too: the binary does not say which of them a model calls by the name of a package, or by dispatch. As
    digests: what is in them may be private.
    """
    project = Path(value_of(argv, "--project-dir"))
    profiles = Path(value_of(argv, "--profiles-dir"))
    packages = project.glob("dbt_packages/*")
    files = [
        *(folder / name for folder in (project, *packages) for name in ("dbt_project.yml", "package-lock.yml")),
        profiles / "profiles.yml",
    ]
    digest = hashlib.sha256()
    for file in sorted(files):
        if file.is_file():
            digest.update(file.name.encode() + file.read_bytes())
    for name in sorted(variables_read(project, files)):
        digest.update(f"{name}={os.environ.get(name)}\n".encode("utf-8", "surrogateescape"))
    for name, macro in sorted(manifest.get("macros", {}).items()):
        digest.update(f"{name}={macro.get('macro_sql')}\n".encode())
    return [json.dumps([digest.hexdigest(), value_of(argv, "--target"), value_of(argv, "--vars")])]


def variables_read(project: Path, files: Iterable[Path]) -> set[str]:
    """The names of the environment variables that a project's files ask for by ``env_var``."""
    texts = [file for file in project.rglob("*") if file.suffix in (".sql", ".yml", ".yaml", ".py")]
    names: set[str] = set()
    for file in {*texts, *files}:
        if file.is_file():
            names.update(re.findall(r"env_var\(\s*['\"]([^'\"]+)['\"]", file.read_text("utf-8", "replace")))
    return names
