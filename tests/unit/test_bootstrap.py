"""The one module that runs on any old Python: it must say a sentence, whatever is in its way."""

import ast
import hashlib
import shutil
import sys
import zipfile
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
    for name in ("HEADLESS_DBT_PYTHON_VERSION", "HEADLESS_DBT_KEPT", "GITHUB_ACTIONS", "GITHUB_OUTPUT"):
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

    def build(_: Path, python: str, _kept: str) -> Path:
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

    assert start(HEADLESS_DBT_PYTHON_VERSION=version, GITHUB_OUTPUT=str(output)) == 0
    assert built == [version.strip()]
    assert output.read_text() == f"python=/built/bin/python\nfolder={tmp_path / 'folder'}\n"


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
        self.wheel = folder / "uv-0.13.9-py3-none-any.whl"
        self.lock = folder / "lock.txt"
        self.installed = folder / "installed.txt"
        uv = folder / "uv-of-the-index"
        tool = "$last/lib/python3.12/site-packages"
        self._write(
            uv,
            'for last; do :; done\n[ "$1" = pip ] && cat "$last" >> '
            f'{self.installed}\n[ "$1" = venv ] && rm -rf "$last" && mkdir -p "$last/bin" "{tool}"'
            ' && : > "$last/bin/python"',
        )
        with zipfile.ZipFile(self.wheel, "w") as archive:
            archive.write(uv, "uv-0.13.9.data/scripts/uv")
            archive.writestr("uv-0.13.9.data/scripts/uvx", "another")
        digest = hashlib.sha256(self.wheel.read_bytes()).hexdigest()
        uv_pin = f"uv==0.13.9 \\\n    --hash=sha256:{'0' * 64} \\\n    --hash=sha256:{digest}\n"
        self.lock.write_text(f"jinja2==3.1.6 \\\n    --hash=sha256:aa\n{uv_pin}wheel==1 \\\n    --hash=sha256:bb\n")
        # `python -m pip download … --dest FOLDER -r FILE`
        self._write(self.python, f'while [ "$1" != --dest ]; do shift; done\ncp {self.wheel} "$2"')

    def _write(self, file: Path, script: str) -> None:
        told = "${PYTHONPATH-none}${PIP_REQUIRE_VIRTUALENV-}${PIP_CONSTRAINT-}${UV_CONSTRAINT-}${UV_OVERRIDE-}"
        note = f'printf "%s|" "$@" >> {self.calls}\necho "{told}" >> {self.calls}'
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
    monkeypatch.setattr(bootstrap, "LOCK", tools.lock)
    monkeypatch.setenv("PYTHONPATH", "/of/the/caller")
    for name in ("PIP_REQUIRE_VIRTUALENV", "PIP_CONSTRAINT", "UV_CONSTRAINT", "UV_OVERRIDE"):
        monkeypatch.setenv(name, "1")
    return tools


def test_everything_is_installed_by_hash_and_out_of_reach_of_the_callers_pythonpath(
    tools: _Tools, start: Callable[..., int], tmp_path: Path
) -> None:
    folder = tmp_path / "folder"

    assert start() == 0

    pip, venv, sync = tools.called
    assert pip[:5] == ["-I", "-m", "pip", "--disable-pip-version-check", "download"]
    assert {"--require-hashes", "--no-deps"} < set(pip)
    assert venv[:3] == ["venv", "--quiet", "--no-project"]
    assert sync[:5] == ["pip", "sync", "--quiet", "--no-build", "--require-hashes"]
    # uv is there already.
    assert tools.installed.read_text() == "jinja2==3.1.6 \\\n    --hash=sha256:aa\nwheel==1 \\\n    --hash=sha256:bb\n"
    assert (folder / "tool/bin/uv").samefile(folder / "uv/bin/uv")
    assert {call[-1] for call in tools.called} == {"none"}
    pth = folder / "tool" / "lib" / "python3.12" / "site-packages" / "headless_dbt.pth"
    assert pth.read_text() == f"{bootstrap.PACKAGE.parent}\n"
    # uv's wheel is as large as uv, and of no more use.
    assert not list(folder.rglob("*.whl"))


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


def test_a_wheel_that_is_kept_is_not_downloaded_again(tools: _Tools, start: Callable[..., int], tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    assert start(HEADLESS_DBT_KEPT=str(kept)) == 0
    assert [file.name for file in kept.iterdir()] == [tools.wheel.name]
    shutil.rmtree(tmp_path / "folder")

    assert start(HEADLESS_DBT_KEPT=str(kept)) == 0
    assert [call[0] for call in tools.called] == ["-I", "venv", "pip", "venv", "pip"]


def test_where_nothing_can_be_kept_it_is_installed_all_the_same(
    tools: _Tools, start: Callable[..., int], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    assert start(HEADLESS_DBT_KEPT=str(tmp_path / "file/kept")) == 0
    (tmp_path / "kept" / tools.wheel.name).mkdir(parents=True)
    shutil.rmtree(tmp_path / "folder")
    assert start(HEADLESS_DBT_KEPT=str(tmp_path / "kept")) == 0


@pytest.mark.parametrize("content", [b"", b"garbage", b"PK\x05\x06" + bytes(18)])
def test_a_kept_wheel_that_the_lock_does_not_know_is_never_unpacked(
    tools: _Tools, start: Callable[..., int], tmp_path: Path, content: bytes
) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / tools.wheel.name).write_bytes(content)
    (kept / "uv-0.1.0-py3-none-any.whl").write_bytes(b"of another version")
    (kept / f"{tools.wheel.name}.4711").write_bytes(b"of a run that was killed")
    (kept / "bytecode.zip").write_bytes(b"of another kind")

    assert start(HEADLESS_DBT_KEPT=str(kept)) == 0
    assert [call[0] for call in tools.called] == ["-I", "venv", "pip"]
    assert (kept / tools.wheel.name).read_bytes() == tools.wheel.read_bytes()
    assert sorted(file.name for file in kept.iterdir()) == ["bytecode.zip", tools.wheel.name]


def test_a_download_that_the_lock_does_not_know_is_told(
    tools: _Tools, start: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    tools.wheel.write_bytes(b"garbage")
    assert start() == 3
    assert "pip downloaded no uv that requirements-tool.txt allows." in capsys.readouterr().out
