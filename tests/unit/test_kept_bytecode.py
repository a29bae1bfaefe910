"""Bytecode that is kept is lent only where it is whole and belongs to the source."""

import importlib.util
import os
import py_compile
import subprocess
import sys
from pathlib import Path

import pytest
from headless_dbt.kept_bytecode import KeptBytecode
from headless_dbt.kept_files import read_archive, write_archive

PACKAGE = f"lib/python3.{sys.version_info.minor}/site-packages/little"
PYC = f"{PACKAGE}/__pycache__/__init__.cpython-3{sys.version_info.minor}.pyc"


def environment(folder: Path, source: str = "x = 1\n") -> Path:
    """A fresh environment with one package, as an installer leaves it."""
    (folder / PACKAGE).mkdir(parents=True)
    (folder / PACKAGE / "__init__.py").write_text(source)
    return folder


def imported(folder: Path) -> str:
    """What Python says of its import."""
    command = [sys.executable, "-v", "-c", "import little; print(little.x)"]
    python_path = {"PYTHONPATH": str((folder / PACKAGE).parent), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, env={**os.environ, **python_path}, capture_output=True, text=True, check=True)
    matched = "__init__" in "".join(line for line in done.stderr.splitlines() if "matches" in line and "little" in line)
    return f"{done.stdout.strip()} {'kept' if matched else 'compiled'}"


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """What a run has left."""
    first = environment(tmp_path / "first")
    py_compile.compile(str(first / PACKAGE / "__init__.py"))
    KeptBytecode(tmp_path / "kept.zip", first).keep()
    return tmp_path / "kept.zip"


def test_what_one_environment_has_compiled_serves_the_next(kept: Path, tmp_path: Path) -> None:
    second = environment(tmp_path / "second")
    os.utime(second / PACKAGE / "__init__.py", (1, 1))
    assert imported(second) == "1 compiled"
    KeptBytecode(kept, second).lend()
    assert imported(second) == "1 kept"


def test_another_source_is_compiled(kept: Path, tmp_path: Path) -> None:
    second = environment(tmp_path / "second", "x = 2\n")
    KeptBytecode(kept, second).lend()
    assert imported(second).startswith("2")


def test_what_is_there_stays_and_what_has_no_source_does_not_come(kept: Path, tmp_path: Path) -> None:
    second = environment(tmp_path / "second")
    (second / PYC).parent.mkdir()
    (second / PYC).write_bytes(b"its own")
    KeptBytecode(kept, second).lend()
    assert (second / PYC).read_bytes() == b"its own"
    third = environment(tmp_path / "third")
    (third / PACKAGE / "__init__.py").unlink()
    KeptBytecode(kept, third).lend()
    assert not (third / PYC).exists()


GOOD_HEADER = importlib.util.MAGIC_NUMBER + b"\x03\x00\x00\x00" + importlib.util.source_hash(b"x = 1\n")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (PYC, b""),
        (PYC, b"garbage"),
        (PYC, GOOD_HEADER + b"garbage"),
        (PYC, GOOD_HEADER),
        (PYC, GOOD_HEADER[:4] + bytes(12) + b"N"),
        (f"{PACKAGE}/__init__.py", b"x = 666"),
        (f"{PACKAGE}/__pycache__/../../../../../../little.pyc", GOOD_HEADER + b"N"),
        (f"/{PYC}", GOOD_HEADER + b"N"),
        ("bin/python", b"x"),
    ],
)
def test_where_anything_is_wrong_nothing_is_lent(kept: Path, tmp_path: Path, name: str, content: bytes) -> None:
    write_archive(kept, {**read_archive(kept), name: content})
    second = environment(tmp_path / "second")
    before = sorted(tmp_path.rglob("*"))
    KeptBytecode(kept, second).lend()
    assert sorted(tmp_path.rglob("*")) == before
    assert imported(second) == "1 compiled"


def test_it_is_written_again_only_where_there_is_more(kept: Path, tmp_path: Path) -> None:
    first = tmp_path / "first"
    kept.touch()
    stamp = kept.stat().st_ino
    KeptBytecode(kept, first).keep()
    assert kept.stat().st_ino == stamp
    (first / PACKAGE / "more.py").write_text("y = 1\n")
    py_compile.compile(str(first / PACKAGE / "more.py"))
    KeptBytecode(kept, first).keep()
    assert len(read_archive(kept)) == 2


def test_an_environment_without_bytecode_keeps_nothing(tmp_path: Path) -> None:
    KeptBytecode(tmp_path / "kept.zip", environment(tmp_path / "first")).keep()
    assert not (tmp_path / "kept.zip").exists()
