"""The dbt session: runs inside dbt's own interpreter, and is the only module that imports dbt.

It is started by path (``python -P session.py FD``) and needs nothing but the standard library and dbt. It
reads one JSON request a line from standard input and writes one JSON reply a line to the file descriptor FD.
dbt's own log goes to standard output. One process serves all commands, because importing dbt costs seconds.

Request: ``{"argv": [...]}``. Reply: ``{"success": bool, "exception": {"type", "message"} | null, "lines":
[...]}``, where ``lines`` is what ``dbt list`` found, or what ``dbt compile --inline`` made. The first reply,
without a request, is the hello: ``{"installed": {package: version}, "python": version, "exception": ...}``.

Source: dbt's programmatic invocations, https://docs.getdbt.com/reference/programmatic-invocations
"""

import importlib.metadata
import json
import os
import platform
import signal
import sys
import threading
import time

POLL_SECONDS = 0.5
# As long as the supervisor would have waited.
GRACE_SECONDS = 7.0


def installed_versions():
    """The versions of dbt-core and of every adapter in this interpreter, by package name."""
    versions = {}
    for distribution in importlib.metadata.distributions():
        name = (distribution.metadata["Name"] or "").lower().replace("_", "-")
        if name.startswith("dbt-"):
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


def lines_of(command, result):
    """What the command was to find: the lines of ``dbt list``, the text that ``dbt compile --inline`` made."""
    if command == "list" and isinstance(result, list):
        return result
    if command == "parse":
        return surroundings(result)
    if command == "compile":
        return [each.node.compiled_code or "" for each in getattr(result, "results", ())]
    return []


class Session:
    """One dbt runner, and the manifest that it parsed, so that no later command parses again."""

    def __init__(self, runner_class):
        """Hold ``runner_class``, which is ``dbt.cli.main.dbtRunner``."""
        self.runner_class = runner_class
        self.manifest = None

    def answer(self, request):
        """Run one dbt command and return the reply."""
        argv = request["argv"]
        # dbt records the command that it was started with, and takes it from here.
        sys.argv = ["dbt", *argv]
        # `dbt deps` changes what there is to parse, and needs no manifest itself.
        manifest = None if argv[0] in ("deps", "parse") else self.manifest
        result = self.runner_class(manifest=manifest).invoke(argv)
        if argv[0] == "parse" and result.success:
            self.manifest = result.result
        sys.stdout.flush()
        lines = lines_of(argv[0], result.result) if result.success else []
        return {"success": bool(result.success), "exception": complaint(result), "lines": lines}


def end_with(supervisor):
    """Wait until the supervisor is gone, then end as it would have ended this process: nobody else is left to."""
    while os.getppid() == supervisor:
        time.sleep(POLL_SECONDS)
    os.kill(os.getpid(), signal.SIGINT)  # dbt cancels its open queries.
    time.sleep(GRACE_SECONDS)
    os.killpg(0, signal.SIGKILL)


def main():
    """Say hello, then answer requests until standard input ends."""
    threading.Thread(target=end_with, args=(os.getppid(),), daemon=True).start()
    with os.fdopen(int(sys.argv[1]), "w", encoding="utf-8") as replies:

        def reply(message):
            replies.write(json.dumps(message) + "\n")
            replies.flush()

        hello = {"installed": installed_versions(), "python": platform.python_version(), "exception": None}
        try:
            from dbt.cli.main import dbtRunner
        except Exception as exception:
            reply({**hello, "exception": describe(exception)})
            return
        reply(hello)
        session = Session(dbtRunner)
        for line in sys.stdin:
            try:
                reply(session.answer(json.loads(line)))
            except Exception as exception:
                reply({"success": False, "exception": describe(exception), "lines": []})


if __name__ == "__main__":
    main()
