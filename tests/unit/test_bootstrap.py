"""The one module that runs on any old Python: it must say a sentence, whatever is in its way."""

import ast
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import headless_dbt.bootstrap as untyped
import pytest

# It runs on old Pythons and is written without types.
bootstrap: Any = untyped

LOCK = """uvicorn==1.0 \\
    --hash=sha256:00
uv==0.13.9 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
zipp==3.0 \\
    --hash=sha256:cc
"""


def test_the_pin_of_a_package_is_cut_out_of_a_lock_with_its_hashes() -> None:
    assert bootstrap.requirement(LOCK, "uv") == "uv==0.13.9 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n"
    assert bootstrap.requirement(LOCK, "zipp") == "zipp==3.0 \\\n    --hash=sha256:cc\n"


def test_a_marker_belongs_to_the_pin() -> None:
    lock = "uv==1.0 ; sys_platform != 'aix' \\\n    --hash=sha256:aa\n"

    assert bootstrap.requirement(lock, "uv") == lock


@pytest.mark.parametrize("name", ["u", "icorn", "nothing", "u."])
def test_a_package_that_is_not_pinned_is_named(name: str) -> None:
    with pytest.raises(bootstrap.BootstrapError, match="does not pin"):
        bootstrap.requirement(LOCK, name)


def test_the_lock_of_this_repository_pins_uv_by_hash() -> None:
    pin = bootstrap.requirement(bootstrap.LOCK.read_text("utf-8"), "uv")

    assert pin.startswith("uv==")
    assert "--hash=sha256:" in pin


def test_its_syntax_is_that_of_old_pythons() -> None:
    ast.parse(Path(bootstrap.__file__).read_text("utf-8"), feature_version=(3, 6))


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Start it as the action does, with these environment variables and no others of ours."""
    for name in ("HEADLESS_DBT_PYTHON_VERSION", "GITHUB_ACTIONS", "GITHUB_OUTPUT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "argv", ["bootstrap.py", str(tmp_path / "folder")])

    def main(**environment: str) -> int:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        exit_code: int = bootstrap.main()
        return exit_code

    return main


def _old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 8, 10, "final", 0))


def test_a_python_that_is_too_old_is_a_sentence(
    start: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _old(monkeypatch)

    assert start() == 3
    assert capsys.readouterr().out == (
        "headless-dbt could not be installed: The runner's python3 is 3.8; headless-dbt needs 3.11 or newer. "
        "Set the input `python-version` to 3.12, for example.\n"
    )


def test_on_github_it_is_an_annotation_of_one_line(
    start: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise bootstrap.BootstrapError("100 %\nof it\r")

    monkeypatch.setattr(bootstrap, "build", fail)

    assert start(GITHUB_ACTIONS="true") == 3
    assert capsys.readouterr().out == (
        "::error title=headless-dbt could not be installed::headless-dbt could not be installed: 100 %25%0Aof it%0D\n"
    )


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The Pythons that the environment was to be built with; one called `gone` is not to be had."""
    pythons = []

    def build(_: Path, python: str) -> Path:
        pythons.append(python)
        if python.endswith("gone"):
            raise bootstrap.BootstrapError("No interpreter found.")
        return Path("/built/bin/python")

    monkeypatch.setattr(bootstrap, "build", build)
    return pythons


@pytest.mark.parametrize("version", ["3.10", "3.8", "2.7", "3", "three", "3.x"])
def test_a_version_that_cannot_be_meant_does_not_run_us_so_that_the_verb_can_refuse_it(
    start: Callable[..., int], built: list[str], version: str
) -> None:
    """On Python 3.10 the package itself does not start, and the refusal would be a traceback."""
    assert start(HEADLESS_DBT_PYTHON_VERSION=version) == 0
    assert built == [""]


def test_a_python_that_is_not_to_be_had_leaves_the_running_one(start: Callable[..., int], built: list[str]) -> None:
    assert start(HEADLESS_DBT_PYTHON_VERSION="/gone") == 0
    assert built == ["/gone", ""]


def test_on_an_old_runner_it_is_told_what_stood_in_the_way_of_the_other_one(
    start: Callable[..., int],
    built: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _old(monkeypatch)

    assert start(HEADLESS_DBT_PYTHON_VERSION="/gone") == 3
    assert built == ["/gone"]
    assert "No interpreter found." in capsys.readouterr().out


@pytest.mark.parametrize("version", ["3.12", " 3.11.4\n", "/opt/python/bin/python3"])
def test_an_old_runner_is_no_hindrance_where_a_python_was_asked_for(
    start: Callable[..., int], built: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str
) -> None:
    _old(monkeypatch)
    output = tmp_path / "output"

    assert start(HEADLESS_DBT_PYTHON_VERSION=version, HEADLESS_DBT_CACHE="False", GITHUB_OUTPUT=str(output)) == 0
    assert built == [version.strip()]
    assert output.read_text() == f"python=/built/bin/python\nfolder={tmp_path / 'folder'}\nkept=\ncache-key=\n"


def test_a_python_without_pip_is_told_in_its_own_words(
    start: Callable[..., int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bare = tmp_path / "python3"
    bare.write_text("#!/bin/sh\necho 'python3: No module named pip' >&2\nexit 1\n")
    bare.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(bare))
    monkeypatch.setattr(bootstrap, "has_pip", lambda: False)

    assert start() == 3
    out = capsys.readouterr().out
    assert "Getting pip, which python3 does not have, failed." in out
    assert out.endswith("python3: No module named pip\n")
    assert "Traceback" not in out


class _Tools:
    """Stand-ins for pip and uv, which note what they are called with."""

    def __init__(self, folder: Path) -> None:
        self.calls = folder / "calls.txt"
        self.python = folder / "python3"
        uv = folder / "uv-of-the-index"
        tool = "$last/lib/python3.12/site-packages"
        self._write(
            uv, f'for last; do :; done\n[ "$1" = venv ] && mkdir -p "$last/bin" "{tool}" && : > "$last/bin/python"'
        )
        # `python -m pip … --target FOLDER/uv -r FILE`
        self._write(self.python, f'while [ "$1" != --target ]; do shift; done\nmkdir -p "$2/bin"; cp {uv} "$2/bin/uv"')

    def _write(self, file: Path, script: str) -> None:
        note = f'printf "%s|" "$@" >> {self.calls}\necho "${{PYTHONPATH-none}}" >> {self.calls}'
        file.write_text(f"#!/bin/sh\n{note}\n{script}\nexit 0\n")
        file.chmod(0o755)

    @property
    def called(self) -> list[list[str]]:
        return [line.split("|") for line in self.calls.read_text().splitlines()]


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> _Tools:
    tools = _Tools(tmp_path)
    monkeypatch.setattr(sys, "executable", str(tools.python))
    monkeypatch.setattr(bootstrap, "has_pip", lambda: True)
    monkeypatch.setenv("PYTHONPATH", "/of/the/caller")
    return tools


def test_everything_is_installed_by_hash_and_out_of_reach_of_the_callers_pythonpath(
    tools: _Tools, start: Callable[..., int], tmp_path: Path
) -> None:
    folder = tmp_path / "folder"

    assert start() == 0

    pip, venv, sync = tools.called
    assert pip[:7] == ["-I", "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--require-hashes"]
    assert venv[:3] == ["venv", "--quiet", "--no-project"]
    assert sync[:5] == ["pip", "sync", "--quiet", "--no-build", "--require-hashes"]
    assert str(bootstrap.LOCK) in sync
    assert {call[-1] for call in tools.called} == {"none"}
    pth = folder / "tool" / "lib" / "python3.12" / "site-packages" / "headless_dbt.pth"
    assert pth.read_text() == f"{bootstrap.PACKAGE.parent}\n"


def test_a_python_without_pip_gets_it_in_an_environment_of_its_own(tmp_path: Path) -> None:
    """As where the runner's python3 is one that uv made."""
    python = bootstrap.pip_python(tmp_path)
    assert python == (sys.executable if bootstrap.has_pip() else str(tmp_path / "pip/bin/python"))
    bootstrap.call([python, "-I", "-m", "pip", "--version"], "Asking pip")


def test_a_ready_tool_environment_is_left_as_it_is(tools: _Tools, start: Callable[..., int]) -> None:
    assert start() == 0
    assert start() == 0

    assert len(tools.called) == 3


def test_another_python_builds_the_environment_anew_with_the_same_uv(tools: _Tools, start: Callable[..., int]) -> None:
    assert start() == 0
    assert start(HEADLESS_DBT_PYTHON_VERSION="3.12") == 0

    assert [call[0] for call in tools.called] == ["-I", "venv", "pip", "venv", "pip"]
    assert "3.12" in tools.called[3]


@pytest.fixture
def interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """That of a ready environment, in a workspace with a requirements file of its own."""
    for name in (*bootstrap.CACHED_BY, "CACHE", "REQUIREMENTS"):
        monkeypatch.delenv(f"HEADLESS_DBT_{name}", raising=False)
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    (tmp_path / "own.txt").write_text("dbt-core==1.11.16\n")
    (tmp_path / "tool/bin").mkdir(parents=True)
    (tmp_path / "tool/pyvenv.cfg").write_text("home = /opt/python\nversion_info = 3.12.1\n")
    return tmp_path / "tool/bin/python"


@pytest.mark.parametrize("name", [*bootstrap.CACHED_BY, "REQUIREMENTS"])
def test_a_cache_is_that_of_its_inputs(interpreter: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    kept, key = bootstrap.cache_of(interpreter)
    assert kept.name == f"kept-{key.removeprefix('headless-dbt-').removesuffix('-')}"
    assert bootstrap.cache_of(interpreter) == (kept, key)

    monkeypatch.setenv(f"HEADLESS_DBT_{name}", "own.txt")

    assert bootstrap.cache_of(interpreter)[1] != key


def test_a_cache_is_that_of_a_python_and_of_what_a_file_of_requirements_says(
    interpreter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADLESS_DBT_REQUIREMENTS", "own.txt")
    keys = {bootstrap.cache_of(interpreter)[1]}
    (interpreter.parents[2] / "own.txt").write_text("dbt-core==1.11.17\n")
    keys.add(bootstrap.cache_of(interpreter)[1])
    (interpreter.parents[1] / "pyvenv.cfg").write_text("home = /opt/python\nversion_info = 3.12.2\n")
    keys.add(bootstrap.cache_of(interpreter)[1])
    assert len(keys) == 3


@pytest.mark.parametrize("requirements", ["", "no/such/file", "x" * 5000])
def test_requirements_that_are_not_there_are_for_the_run_to_refuse(
    interpreter: Path, monkeypatch: pytest.MonkeyPatch, requirements: str
) -> None:
    monkeypatch.setenv("HEADLESS_DBT_REQUIREMENTS", requirements)
    assert bootstrap.cache_of(interpreter)[1].startswith("headless-dbt-")
