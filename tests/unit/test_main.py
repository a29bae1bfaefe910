"""The command line: one sentence and an exit code, whatever comes."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import headless_dbt
import pytest
from headless_dbt import production_run
from headless_dbt.__main__ import main
from headless_dbt.errors import DbtUnusableError
from headless_dbt.inputs import INPUTS
from headless_dbt.settings import inputs_of

from tests.unit.builders import make_project

VERBS = ("run", "report", "incident")


def _program(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    package = Path(headless_dbt.__file__).parents[1]
    return subprocess.run(
        [sys.executable, "-P", "-m", "headless_dbt", *arguments],
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "PYTHONPATH": str(package), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["run", "--tarqet", "x"], "unrecognized arguments: --tarqet x"),
        # An abbreviation would become another flag with the next input.
        (["run", "--targ", "x"], "unrecognized arguments: --targ x"),
        (["report", "--select", "x"], "unrecognized arguments: --select x"),
        # Secrets would show in the process list and in the shell's history.
        (["run", "--dbt-env", "A=1"], "unrecognized arguments: --dbt-env A=1"),
        (["incident", "--github-token", "x"], "unrecognized arguments: --github-token x"),
        (["run", "--select"], "argument --select: expected one argument"),
        (["run", "--dbt-args", "--empty"], "argument --dbt-args: expected one argument"),
        (["build"], "invalid choice: 'build'"),
        ([], "the following arguments are required: VERB"),
        (["run", "two\nlines"], "unrecognized arguments: two lines"),
    ],
)
@pytest.mark.parametrize("on_github", [True, False])
def test_a_wrong_command_line_is_one_sentence_and_exit_code_2(
    arguments: list[str], named: str, on_github: bool, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    exit_code = main(arguments, {"GITHUB_ACTIONS": "true"} if on_github else {})

    out, err = (text.decode() for text in capfdbinary.readouterr())
    assert exit_code == 2
    assert err == ""
    assert out.count("\n") == 1
    assert out.startswith("::error title=The request is wrong::" if on_github else "The request is wrong. ")
    assert named in out
    assert "; allowed: what `headless-dbt" in out
    assert "usage:" not in out


def test_the_real_program_prints_no_traceback_and_no_usage() -> None:
    process = _program("run", "--no-such-flag")

    assert process.returncode == 2
    assert process.stderr == ""
    assert process.stdout.startswith("The request is wrong. The command line: got unrecognized arguments")
    assert process.stdout.count("\n") == 1


@pytest.mark.parametrize("verb", VERBS)
def test_help_lists_every_input_of_a_verb_with_its_meaning(verb: str) -> None:
    process = _program(verb, "--help", COLUMNS="1000")

    assert (process.returncode, process.stderr) == (0, "")
    for declared in inputs_of(verb):
        if not declared.secret:
            assert f"--{declared.name} TEXT" in process.stdout
            assert declared.meaning in process.stdout
            assert declared.variable in process.stdout
    assert "--run-folder FOLDER" in process.stdout
    assert ("--dbt-python" in process.stdout) is (verb == "run")


@pytest.mark.parametrize("declared", [declared for declared in INPUTS if declared.secret], ids=lambda each: each.name)
def test_help_names_the_variables_of_the_secret_inputs_which_have_no_flag(declared: Any) -> None:
    helps = [_program(verb, "--help", COLUMNS="1000").stdout for verb in VERBS if verb in declared.verbs]

    assert all(declared.variable in text for text in helps)


def test_the_first_help_lists_the_verbs_and_the_exit_codes() -> None:
    process = _program("--help", COLUMNS="1000")

    assert process.returncode == 0
    for word in (*VERBS, "0 passed or warned", "1 a node failed", "2 the request is wrong", "130 cancelled"):
        assert word in process.stdout


def test_the_version_is_said() -> None:
    assert _program("--version").stdout == f"headless-dbt {headless_dbt.__version__}\n"


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["report", "--help"], ["incident", "--help"]])
def test_help_imports_neither_the_github_client_nor_the_templates(arguments: list[str]) -> None:
    script = (
        "import sys\nfrom headless_dbt.__main__ import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit: pass\n"
        "print(sorted({'github', 'jinja2', 'requests', 'dbt'} & set(sys.modules)), file=sys.stderr)"
    )

    process = subprocess.run(
        [sys.executable, "-P", "-c", script],
        env={"PYTHONPATH": str(Path(headless_dbt.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert process.stderr == "[]\n"


def test_the_package_of_the_caller_is_not_imported_in_place_of_ours(tmp_path: Path) -> None:
    (tmp_path / "headless_dbt").mkdir()
    (tmp_path / "headless_dbt" / "__init__.py").write_text("raise SystemExit('imported the wrong one')")
    process = subprocess.run(
        [sys.executable, "-P", "-m", "headless_dbt", "--version"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path(headless_dbt.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert process.stdout == f"headless-dbt {headless_dbt.__version__}\n"


def _raising(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def run(*_: object) -> int:
        raise error

    monkeypatch.setattr(production_run, "run", run)


def _noting(monkeypatch: pytest.MonkeyPatch, exit_code: int) -> list[Any]:
    seen: list[Any] = []

    def run(*given: object) -> int:
        seen.append(given)
        return exit_code

    monkeypatch.setattr(production_run, "run", run)
    return seen


def test_an_error_of_ours_is_its_sentence_and_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    _raising(monkeypatch, DbtUnusableError("No connection."))

    assert main(["run"], {}) == 3
    assert capfdbinary.readouterr().out == b"dbt could not work. No connection.\n"


def test_a_bug_is_a_sentence_with_where_its_traceback_lies(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    _raising(monkeypatch, KeyError("nodes"))

    assert main(["run"], {}) == 3

    out = capfdbinary.readouterr().out.decode()
    assert out.startswith("headless-dbt failed. This is a bug of headless-dbt (KeyError: 'nodes'). Please report it")
    assert "Traceback" not in out
    Path(out.split()[-1].removesuffix(".")).unlink()


@pytest.mark.parametrize(
    ("arguments", "environment", "expected"),
    [
        (["run", "--run-folder", "flag"], {"HEADLESS_DBT_RUN_FOLDER": "variable"}, "flag"),
        (["run"], {"HEADLESS_DBT_RUN_FOLDER": "variable"}, "variable"),
        (["run", "--run-folder", ""], {}, ""),
        (["run"], {}, ""),
    ],
)
def test_the_run_folder_comes_from_the_flag_or_the_environment(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], environment: dict[str, str], expected: str
) -> None:
    seen = _noting(monkeypatch, 0)

    assert main(arguments, environment) == 0
    assert seen[0][2].run_folder == expected


def test_flags_and_the_interpreter_reach_the_verb(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = _noting(monkeypatch, 7)

    assert main(["run", "--select=-x $(id)", "--dbt-args=--empty", "--dbt-python", "/p"], {}) == 7

    flags, _, places, _ = seen[0]
    assert (flags["select"], flags["dbt_args"], flags["target"]) == ("-x $(id)", "--empty", None)
    assert places.dbt_python == "/p"


def test_a_first_attempt_that_names_no_earlier_run_asks_github_for_nothing(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    environment = {"GITHUB_RUN_ATTEMPT": "1", "GITHUB_API_URL": "http://127.0.0.1:9", "GITHUB_TOKEN": "x"}

    assert main(["fetch"], environment) == 0
    assert capfdbinary.readouterr().out.startswith(b"Nothing to fetch")


def test_fetching_needs_a_folder_to_fetch_into(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["fetch", "--resume-from", "latest"], {}) == 2
    assert b"--earlier: got nothing" in capfdbinary.readouterr().out


def test_a_wrong_input_leaves_a_run_folder_that_tells_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.chdir(make_project(tmp_path / "project"))

    assert main(["run", "--threads", "many", "--run-folder", str(tmp_path / "run")], {}) == 2

    assert b"threads: got 'many'; allowed: a whole number from 1 to 9999." in capfdbinary.readouterr().out
    assert {"request.json", "session.json"} <= {path.name for path in (tmp_path / "run").iterdir()}
