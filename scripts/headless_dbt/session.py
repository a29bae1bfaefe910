"""The dbt session: runs inside dbt's own interpreter, and is the only module that imports dbt.

It is started by path (``python -P session.py FD OPTIONS``) and needs nothing but the standard library, dbt, and what
lies beside it. It reads one JSON request a line from standard input and writes one JSON reply a line to the file
descriptor FD. dbt's own log goes to standard output. One process serves all commands, because importing dbt costs
seconds. OPTIONS is a JSON object, session_protocol.SessionOptions. Where the environment has dbt 2, which is no Python,
rust_engine.py answers the requests; it makes the catalog while it builds, where there will be docs.

Request: ``{"argv": [...]}``, ``{"check": {"nodes", "sources", "seconds"}}`` or ``{"schedule": {"seconds"}}``. Reply:
``{"success": bool, "exception": {"type", "message"} | null, "lines": [...], "bytes_billed": int, "refused": bool}``,
where ``lines`` is what ``dbt list`` found, what ``dbt compile --inline`` made, or what a check came to, and ``refused``
whether a node was not begun because of ``most_bytes``. The first reply, without a request, is the hello:
``{"installed": {package: version}, "python": version, "exception": ...}``.

Source: dbt's programmatic invocations, https://docs.getdbt.com/reference/programmatic-invocations
"""

import atexit
import gc
import importlib.metadata
import importlib.util
import json
import os
import platform
import signal
import sys
import threading
import time
from pathlib import Path

FULL_REFRESH = "--full-refresh"
POLL_SECONDS = 0.5
# As long as the supervisor would have waited.
GRACE_SECONDS = 7.0
# A parse makes many objects and little garbage: Python would look for it after every 700. It costs a few MB. What runs
# after it, such as Python models, may make much of it.
GARBAGE_THRESHOLDS, USUAL_THRESHOLDS = (20_000, 20, 20), gc.get_threshold()


def installed_versions():
    """The versions of dbt and of every adapter in this interpreter, by package name: dbt 2 is ``dbt`` alone."""
    versions = {}
    for distribution in importlib.metadata.distributions():
        name = (distribution.metadata["Name"] or "").lower().replace("_", "-")
        if name == "dbt" or name.startswith("dbt-"):
            versions[name] = distribution.version
    return dict(sorted(versions.items()))


def describe(exception):
    """An exception as data, or None."""
    if exception is None:
        return None
    return {"type": type(exception).__name__, "message": str(exception) or type(exception).__name__}


def complaint(result):
    """Why a command failed, as data; None where there is nothing to say. A catalog with gaps names them itself."""
    errors = getattr(result.result, "errors", None)
    if result.exception is None and not result.success and errors:
        return {"type": "", "message": "\n".join(dict.fromkeys(map(str, errors)))}
    return describe(result.exception)


def surroundings(manifest):
    """What of the parse is of no single node, as dbt itself takes it for a reason to parse everything anew.

    The connection, without secrets; variables; dbt_project.yml of the project and its packages; dbt's version; and the
    environment variables that the project reads.
    """
    check = getattr(manifest, "state_check", None)
    said = check.to_dict() if hasattr(check, "to_dict") else {}
    return [json.dumps([said, getattr(manifest, "env_vars", None)], sort_keys=True, default=str)]


def forget_injected(manifest):
    """Have nodes compiled anew which dbt has put the SQL of ephemeral models into: the next time it would leave it out.

    It takes a manifest for one command alone: `_recursively_prepend_ctes` in dbt/compilation.py.
    """
    for node in getattr(manifest, "nodes", {}).values():
        if getattr(node, "extra_ctes", None):
            node.compiled = node.extra_ctes_injected = False
            node.compiled_code, node.extra_ctes = None, []


def lines_of(command, result):
    """What the command was to find: the lines of ``dbt list``, the text that ``dbt compile --inline`` made."""
    if command == "list" and isinstance(result, list):
        return result
    if command == "parse":
        return surroundings(result)
    if command == "compile":
        return [each.node.compiled_code or "" for each in getattr(result, "results", ())]
    return []


def beside(name):
    """A module that lies beside this one; -P keeps their folder off the path, where it would shadow others."""
    spec = importlib.util.spec_from_file_location(f"headless_dbt_{name}", Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def node_at_work():
    """The unique id of the node that this thread works on, or an empty text."""
    from dbt_common.events.contextvars import get_node_info

    return get_node_info().get("unique_id", "")


class Session:
    """One dbt runner, and the manifest that it parsed, so that no later command parses again.

    ``jobs`` are those on BigQuery, once dbt has loaded Google's client.
    """

    def __init__(self, runner_class, jobs_options):
        """Hold ``runner_class``, which is ``dbt.cli.main.dbtRunner``."""
        self.runner_class = runner_class
        self.jobs_options = jobs_options
        self.manifest = None
        self.jobs = None

    def answer(self, request):
        """Run one dbt command, or try the warehouse, and return the reply."""
        if "check" in request:
            try:
                return {"success": True, "exception": None, "lines": self.check(**request["check"])}
            finally:
                if self.jobs is not None:
                    self.jobs.settle()
        if "schedule" in request:
            self.schedule(**request["schedule"])
            return {"success": True, "exception": None, "lines": []}
        argv = request["argv"]
        overrides = {}
        if argv[0] == "parse" and FULL_REFRESH in argv:
            # Keywords stand for parameters, also for those that a command has no option for.
            argv, overrides = [argument for argument in argv if argument != FULL_REFRESH], {"full_refresh": True}
        # dbt records the command that it was started with, and takes it from here.
        sys.argv = ["dbt", *argv]
        # `dbt deps` changes what there is to parse, and needs no manifest itself.
        manifest = None if argv[0] in ("deps", "parse") else self.manifest
        if argv[0] in ("build", "docs") and "--no-compile" not in argv:
            forget_injected(manifest)
        try:
            result = self.runner_class(manifest=manifest).invoke(argv, **overrides)
        finally:
            if self.jobs is not None:
                self.jobs.settle()
        if argv[0] == "parse" and result.success:
            self.manifest = result.result
            gc.freeze()  # It stays as well.
            gc.set_threshold(*USUAL_THRESHOLDS)
            self.watch_jobs()
        sys.stdout.flush()
        lines = lines_of(argv[0], result.result) if result.success else []
        billed = {"bytes_billed": self.jobs.bytes_billed, "refused": self.jobs.refused} if self.jobs else {}
        return {"success": bool(result.success), "exception": complaint(result), "lines": lines, **billed}

    def check(self, nodes, sources, seconds):
        """Try what building these nodes, and reading these sources, needs of the warehouse; one line of JSON a step."""
        from dbt.adapters.factory import get_adapter_by_type

        adapter = get_adapter_by_type(self.manifest.metadata.adapter_type)

        def open_client():
            # Not `connection_named`: what it does at its end hides why a connection could not be opened.
            return adapter.acquire_connection("check").handle, adapter.config.credentials

        def connect():
            with adapter.connection_named("check"):
                adapter.debug_query()

        if adapter.type() != "bigquery":
            steps = [beside("bigquery_check").try_connection(adapter.type(), connect)]
        else:
            relations = [self.manifest.nodes[each] for each in nodes if each in self.manifest.nodes]
            writes = {
                (node.database, node.schema)
                for node in relations
                # Also tests, where their failures are stored.
                if node.is_relational and node.config.materialized != "ephemeral"
            }
            tables = [self.manifest.sources[each] for each in sources if each in self.manifest.sources]
            reads = [(table.database, table.schema, table.identifier) for table in tables]
            steps = beside("bigquery_check").try_bigquery(open_client, sorted(writes), reads, seconds)
        return [json.dumps(step) for step in steps]

    def schedule(self, seconds):
        """Let builds hand out the node with the longest way to the end first."""
        from dbt.adapters.factory import get_adapter_by_type
        from dbt.graph.queue import GraphQueue

        kind = self.manifest.metadata.adapter_type
        # The adapter's configuration is that of the command that runs.
        beside("critical_first").install(GraphQueue, seconds, lambda: get_adapter_by_type(kind).config.threads)

    def watch_jobs(self):
        """Watch the jobs on BigQuery. What a parse has loaded is what the project's target needs."""
        bigquery = sys.modules.get("google.cloud.bigquery")
        if bigquery is not None and self.jobs is None:
            self.jobs = beside("bigquery_jobs").BigQueryJobs(self.jobs_options, node_at_work)
            self.jobs.watch(bigquery)
            transport = sys.modules.get("google.auth.transport.requests")
            if transport is not None:
                patience = beside("bigquery_patience")
                patience.watch(bigquery, transport, patience.Silence())

    def interrupt(self, _number, _frame):
        """On SIGINT: stop dbt, and cancel what runs on BigQuery, while dbt does what it knows to do."""
        if self.jobs is not None:
            threading.Thread(target=self.jobs.close).start()
        raise KeyboardInterrupt


def end_with(supervisor):
    """Wait until the supervisor is gone, then end as it would have ended this process: nobody else is left to."""
    while os.getppid() == supervisor:
        time.sleep(POLL_SECONDS)
    os.killpg(0, signal.SIGINT)  # dbt cancels its open queries.
    time.sleep(GRACE_SECONDS)
    os.killpg(0, signal.SIGKILL)


def wake_main_thread_on(number):
    """Have the main thread notice a signal also where the kernel has handed it to another thread.

    Python runs handlers in the main thread alone, and that one may wait for a lock, which only a signal of its own
    interrupts: https://docs.python.org/3/library/signal.html#execution-of-python-signal-handlers
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.signal(signal.SIGUSR1, lambda _number, _frame: None)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)

    def wake():
        while True:
            if number in os.read(reading, 64):
                signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)

    threading.Thread(target=wake, daemon=True).start()


def leave():
    """End this process without taking apart what is in its memory: a large manifest costs a second and more.

    Threads are waited for, and what is registered for the end is done, such as closing database files: Python itself
    calls these two at any other end, in this order (``Py_FinalizeEx``).
    """
    threading._shutdown()  # noqa: SLF001
    atexit._run_exitfuncs()  # noqa: SLF001
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def engine_of(installed, options):
    """What answers requests: dbt 2's binary, where it is installed, else dbt-core. Raises what importing it raises."""
    if installed.get("dbt", "").partition(".")[0].isdecimal() and int(installed["dbt"].partition(".")[0]) > 1:
        return beside("rust_engine").RustEngine(Path(sys.executable).with_name("dbt"), docs=options["docs"])
    beside("lent_bytecode").lend(options["bytecode"], sys.prefix)
    # What an import makes stays: to look through it for garbage, again and again, is a tenth of the time to the parse.
    gc.disable()
    from dbt.cli.main import dbtRunner

    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    gc.enable()
    return Session(dbtRunner, options["jobs"])


def main():
    """Say hello, then answer requests until standard input ends."""
    threading.Thread(target=end_with, args=(os.getppid(),), daemon=True).start()
    with os.fdopen(int(sys.argv[1]), "w", encoding="utf-8") as replies:

        def reply(message):
            replies.write(json.dumps(message) + "\n")
            replies.flush()

        hello = {"installed": installed_versions(), "python": platform.python_version(), "exception": None}
        try:
            session = engine_of(hello["installed"], json.loads(sys.argv[2]))
        except Exception as exception:
            reply({**hello, "exception": describe(exception)})
            return
        signal.signal(signal.SIGINT, session.interrupt)
        wake_main_thread_on(signal.SIGINT)
        reply(hello)
        for line in sys.stdin:
            try:
                reply(session.answer(json.loads(line)))
            except Exception as exception:
                reply({"success": False, "exception": describe(exception), "lines": []})


if __name__ == "__main__":
    main()
    leave()
