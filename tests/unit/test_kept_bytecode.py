"""Bytecode that is kept serves the next environment, wherever it is whole and belongs to the source."""

import importlib.util
import os
import py_compile
import subprocess
import sys
from pathlib import Path

import pytest
from headless_dbt.kept_bytecode import keep_bytecode
from headless_dbt.kept_files import read_archive, write_archive
from headless_dbt.session_process import SESSION_SCRIPT

MINOR = sys.version_info.minor
SITE_PACKAGES = f"lib/python3.{MINOR}/site-packages"
PYC = f"{SITE_PACKAGES}/little/__pycache__/__init__.cpython-3{MINOR}.pyc"
IMPORT = """\
import sys
sys.path.insert(0, sys.argv[1])
from session import beside
sys.path[0] = sys.argv[3] + "/" + sys.argv[4]
beside("lent_bytecode").lend(sys.argv[2], sys.argv[3])
import little
print(little.x)
"""


def environment(folder: Path, source: str = "x = 1\n") -> Path:
    """A fresh environment with one package, as an installer leaves it."""
    package = folder / SITE_PACKAGES / "little"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(source)
    return folder


def imported(folder: Path, kept: Path) -> str:
    """What an import of the package comes to: its value, and whether Python had to compile it."""
    (folder / PYC).unlink(missing_ok=True)
    command: list[str | Path] = [sys.executable, "-c", IMPORT, SESSION_SCRIPT.parent, kept, folder, SITE_PACKAGES]
    on_disk = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": ""}
    done = subprocess.run(command, env={**os.environ, **on_disk}, capture_output=True, text=True, check=True)
    # What it compiles, it writes.
    return f"{done.stdout.strip()} {'compiled' if (folder / PYC).exists() else 'kept'}"


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """What a run has left."""
    first, file = environment(tmp_path / "first"), tmp_path / "kept.zip"
    assert imported(first, file) == "1 compiled"
    keep_bytecode(file, first)
    return file


def test_what_one_environment_has_compiled_serves_the_next(kept: Path, tmp_path: Path) -> None:
    second = environment(tmp_path / "second")
    os.utime(second / SITE_PACKAGES / "little/__init__.py", (1, 1))
    assert imported(second, kept) == "1 kept"


def test_another_source_is_compiled_and_then_kept(kept: Path, tmp_path: Path) -> None:
    second = environment(tmp_path / "second", "x = 2\n")
    assert imported(second, kept) == "2 compiled"
    keep_bytecode(kept, second)
    assert imported(environment(tmp_path / "third", "x = 2\n"), kept) == "2 kept"


@pytest.mark.parametrize(("module", "is_kept"), [("dbt", False), ("dbt/adapters", False), ("dbt/parser", True)])
def test_what_several_packages_bring_is_left_out(module: str, is_kept: bool, tmp_path: Path) -> None:
    """Else what is kept would change whenever another one of them was installed last."""
    source, file = tmp_path / SITE_PACKAGES / module / "__init__.py", tmp_path / "kept.zip"
    source.parent.mkdir(parents=True)
    source.write_text("x = 1\n")
    py_compile.compile(str(source))
    keep_bytecode(file, tmp_path)
    assert bool(read_archive(file)) == is_kept


def test_a_module_that_is_gone_does_not_come_back(kept: Path, tmp_path: Path) -> None:
    second = environment(tmp_path / "second")
    (second / SITE_PACKAGES / "little/__init__.py").unlink()
    with pytest.raises(subprocess.CalledProcessError) as failed:
        imported(second, kept)
    assert "has no attribute 'x'" in failed.value.stderr


def test_a_mistake_in_a_source_is_told_as_python_tells_it(kept: Path, tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as failed:
        imported(environment(tmp_path / "second", "x = = 1\n"), kept)
    assert "SyntaxError" in failed.value.stderr


GOOD_HEADER = importlib.util.MAGIC_NUMBER + b"\x03\x00\x00\x00" + importlib.util.source_hash(b"x = 1\n")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"garbage",
        GOOD_HEADER + b"garbage",
        GOOD_HEADER + b"N",
        GOOD_HEADER,
        GOOD_HEADER[:7],
        b"\0\0\0\0" + GOOD_HEADER[4:] + b"N",
        GOOD_HEADER[:8] + bytes(8) + b"N",
    ],
)
def test_what_is_no_bytecode_of_the_source_is_not_taken(kept: Path, tmp_path: Path, content: bytes) -> None:
    write_archive(kept, {PYC: content})
    assert imported(environment(tmp_path / "second"), kept) == "1 compiled"


def test_nothing_but_bytecode_is_taken(kept: Path, tmp_path: Path) -> None:
    write_archive(kept, {**read_archive(kept), f"{SITE_PACKAGES}/little/__init__.py": b"x = 666\n"})
    assert imported(environment(tmp_path / "second"), kept) == "1 kept"


@pytest.mark.parametrize("broken", ["gone", "empty", "garbage", "torn", "a byte changed", "a folder"])
def test_a_broken_archive_is_as_good_as_none(kept: Path, tmp_path: Path, broken: str) -> None:
    content = kept.read_bytes()
    kept.unlink()
    if broken == "a folder":
        kept.mkdir()
    elif broken != "gone":
        at = content.index(b"little/__init__.py", 200)
        changed = content[:at] + b"X" + content[at + 1 :]
        kept.write_bytes(
            {"empty": b"", "garbage": b"garbage", "torn": content[:-30], "a byte changed": changed}[broken]
        )
    assert imported(environment(tmp_path / "second"), kept) == "1 compiled"


def test_it_is_written_again_only_where_there_is_more(kept: Path, tmp_path: Path) -> None:
    first, inode = tmp_path / "first", kept.stat().st_ino
    other_bytes = (first / PYC).read_bytes() + b"0"
    (first / PYC).write_bytes(other_bytes)
    keep_bytecode(kept, first)
    assert kept.stat().st_ino == inode
    (first / PYC).with_name(f"more.cpython-3{MINOR}.pyc").write_bytes((first / PYC).read_bytes())
    (first / SITE_PACKAGES / "little/more.py").write_text("x = 1\n")
    keep_bytecode(kept, first)
    assert len(read_archive(kept)) == 2


def test_what_is_of_another_environment_goes_with_the_next_news(kept: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    (other / SITE_PACKAGES / "later/__pycache__").mkdir(parents=True)
    (other / SITE_PACKAGES / "later/__init__.py").write_text("x = 1\n")
    named = PYC.replace("little", "later")
    (other / named).write_bytes((tmp_path / "first" / PYC).read_bytes())

    keep_bytecode(kept, other)

    assert list(read_archive(kept)) == [named]


def test_an_environment_without_bytecode_keeps_nothing(tmp_path: Path) -> None:
    keep_bytecode(tmp_path / "kept.zip", environment(tmp_path / "first"))
    assert not (tmp_path / "kept.zip").exists()
