"""``headless-dbt VERB``: the verbs, and how an error becomes an annotation and an exit code."""

import argparse
import gc
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import headless_dbt
from headless_dbt.console import Console
from headless_dbt.errors import RequestError, told_as
from headless_dbt.inputs import CRITICAL_PATH, Input
from headless_dbt.settings import Flags, Places, Runner, inputs_of, read_fetch_settings, read_places, read_runner

_VERBS = {
    "fetch": "Fetch an earlier run from GitHub, so that `run` can continue it.",
    "run": "Build the project with dbt, and keep what it leaves in the run folder.",
    "check": "Try the project, the credentials and the warehouse, as `run` would use them, and build nothing.",
    "recall": "Look on GitHub for the previous run of the same request, so that `report` can tell what changed.",
    "report": "Turn a run folder into run.json, a summary, a page, annotations and step outputs.",
    "incident": "Open, update or close the failure issue on GitHub, after a run folder.",
}


def main(arguments: Sequence[str] | None = None, environment: Mapping[str, str] | None = None) -> int:
    """Run one verb; return its exit code."""
    runner = read_runner(os.environ if environment is None else environment, Path.cwd())
    console = Console(on_github=runner.on_github)
    try:
        return _dispatch(arguments, runner, console)
    except BrokenPipeError:
        # Whoever read our output has left. What is not written yet would fail again at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001  A sentence for the user, the traceback of a bug for its report.
        told = told_as(error)
        console.error(told)
        return told.exit_code


def _dispatch(arguments: Sequence[str] | None, runner: Runner, console: Console) -> int:
    flags = vars(_parser().parse_args(arguments))
    places = read_places(flags, runner.environment)
    return _VERB[flags["verb"]](flags, runner, places, console)


# Each verb imports what it uses and no more: `report` needs no GitHub client, `--help` nothing at all.


def _fetch(flags: Flags, runner: Runner, places: Places, console: Console) -> int:
    settings = read_fetch_settings(flags, runner)
    ordered = settings.schedule == CRITICAL_PATH
    if not settings.wanted and not ordered:
        console.say("Nothing to fetch: this is a first attempt, and `resume-from` names no run on GitHub.")
        return 0
    if not places.earlier:
        raise RequestError("--earlier", given="nothing", allowed="a new or an empty folder", advice="Name one.")
    folder = runner.workspace / places.earlier
    if ordered:
        from headless_dbt.recall import recall_times

        recall_times(settings, folder, console)
    if not settings.wanted:
        return 0
    from headless_dbt.fetch_earlier import fetch

    return fetch(settings, folder, console)


def _run(flags: Flags, runner: Runner, places: Places, console: Console) -> int:
    from headless_dbt.production_run import run

    return run(flags, runner, places, console)


def _check(flags: Flags, runner: Runner, places: Places, console: Console) -> int:
    return _run({**flags, "check": "true"}, runner, places, console)


def _recall(flags: Flags, runner: Runner, places: Places, console: Console) -> int:
    from headless_dbt.recall import recall

    return recall(flags, runner, places, console)


def _report(flags: Flags, runner: Runner, places: Places, console: Console) -> int:
    from headless_dbt.report import report

    # All that it makes lives to its end: looking for garbage costs a fifth of its time at 15,000 nodes.
    gc.disable()
    try:
        return report(flags, runner, places, console)
    finally:
        gc.enable()


def _incident(flags: Flags, runner: Runner, places: Places, console: Console) -> int:
    from headless_dbt.file_issue import file_issue

    return file_issue(flags, runner, places.run_folder, console)


_VERB = {"fetch": _fetch, "run": _run, "check": _check, "recall": _recall, "report": _report, "incident": _incident}
_EARLIER_HELP = {
    "fetch": "A new or empty folder for the earlier run. [HEADLESS_DBT_EARLIER]",
    "run": "The folder that `headless-dbt fetch` filled. [HEADLESS_DBT_EARLIER]",
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise RequestError(
            "The command line",
            given=message,
            allowed=f"what `{self.prog} --help` shows",
            advice="A value that begins with '-' needs an equals sign: --dbt-args=--empty.",
        )


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="headless-dbt",
        description="dbt in production, with no orchestrator to operate.",
        epilog="Exit codes of run: 0 passed or warned, 1 a node failed, 2 the request is wrong, "
        "3 dbt could not work, 124 the time limit ended it, 130 cancelled.",
    )
    parser.add_argument("--version", action="version", version=f"headless-dbt {headless_dbt.__version__}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb, meaning in _VERBS.items():
        inputs = [each for each in inputs_of("run" if verb == "check" else verb) if each.name != verb]
        secrets = ", ".join(declared.variable for declared in inputs if declared.secret)
        epilog = f"Secrets are read from the environment alone: {secrets}." if secrets else None
        of_verb = verbs.add_parser(verb, help=meaning, description=meaning, epilog=epilog, allow_abbrev=False)
        if verb in ("fetch", "run"):
            of_verb.add_argument("--earlier", metavar="FOLDER", help=_EARLIER_HELP[verb])
        if verb != "fetch":
            of_verb.add_argument("--run-folder", metavar="FOLDER", help=_run_folder_help(verb))
        if verb == "report":
            of_verb.add_argument(
                "--artifacts",
                metavar="FOLDER",
                help="dbt's own target folder, made by whatever ran dbt: report on it, in a new or empty --run-folder.",
            )
            of_verb.add_argument(
                "--previous",
                metavar="FILE_OR_FOLDER",
                help="The run to compare with: a run.json, or a folder that holds one. Default: what `recall` found; "
                "outside GitHub the newest earlier run of the same request under the project's target/headless_dbt/.",
            )
        if verb in ("run", "check"):
            of_verb.add_argument(
                "--dbt-python",
                metavar="PYTHON",
                help="Interpreter that has dbt. Default: this one if it has, else one that uv builds.",
            )
        for declared in inputs:
            if not declared.secret:
                of_verb.add_argument(f"--{declared.name}", metavar="TEXT", help=_help(declared))
    return parser


def _run_folder_help(verb: str) -> str:
    if verb in ("run", "check"):
        return "A new or empty folder. Default: a fresh one under the project's target/headless_dbt/."
    return "The folder of a run. Default: the newest one under the project's target/headless_dbt/."


def _help(declared: Input) -> str:
    default = f" Default: {declared.default}." if declared.default else ""
    # argparse takes % for a format.
    return f"{declared.meaning}{default} [{declared.variable}]".replace("%", "%%")


if __name__ == "__main__":
    sys.exit(main())
