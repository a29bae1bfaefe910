"""What GitHub's cache is named by."""

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import headless_dbt.cache_key as untyped
import pytest

# It runs on old Pythons and is written without types.
cache_key: Any = untyped


def test_its_syntax_is_that_of_old_pythons() -> None:
    ast.parse(Path(cache_key.__file__).read_text("utf-8"), feature_version=(3, 6))


@pytest.fixture
def given(tmp_path: Path) -> dict[str, str]:
    """A workspace with a requirements file of its own."""
    (tmp_path / "own.txt").write_text("dbt-core==1.11.16\n")
    return {"GITHUB_WORKSPACE": str(tmp_path)}


@pytest.mark.parametrize("name", [f"HEADLESS_DBT_{name}" for name in (*cache_key.CACHED_BY, "REQUIREMENTS")])
def test_a_cache_is_that_of_its_inputs(given: dict[str, str], name: str) -> None:
    kept, key = cache_key.cache_of(given)
    assert Path(kept).name == f"kept-{key.removeprefix('headless-dbt-').removesuffix('-')}"
    assert cache_key.cache_of(given) == (kept, key)
    assert cache_key.cache_of({**given, name: "own.txt"})[1] != key


def test_a_cache_is_that_of_a_repository_a_python_a_machine_the_locks_and_what_a_file_of_requirements_says(
    given: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given["HEADLESS_DBT_REQUIREMENTS"] = "own.txt"
    keys = {cache_key.cache_of(given)[1], cache_key.cache_of({**given, "GITHUB_REPOSITORY": "acme/shop"})[1]}
    (tmp_path / "own.txt").write_text("dbt-core==1.11.17\n")
    keys.add(cache_key.cache_of(given)[1])
    monkeypatch.setattr(sys, "version", "3.12.2")
    keys.add(cache_key.cache_of(given)[1])
    monkeypatch.setattr(cache_key.platform, "machine", lambda: "riscv64")
    keys.add(cache_key.cache_of(given)[1])
    for lock in cache_key.LOCKS:
        (tmp_path / lock).write_text("nothing")
    monkeypatch.setattr(cache_key, "ROOT", tmp_path)
    keys.add(cache_key.cache_of(given)[1])
    assert len(keys) == 6


@pytest.mark.parametrize("requirements", ["", "no/such/file", "x" * 5000])
def test_requirements_that_are_not_there_are_for_the_run_to_refuse(given: dict[str, str], requirements: str) -> None:
    given["HEADLESS_DBT_REQUIREMENTS"] = requirements
    assert cache_key.cache_of(given)[1].startswith("headless-dbt-")


@pytest.mark.parametrize(("cache", "wanted"), [("true", True), ("", True), ("false", False), (" False\n", False)])
def test_the_outputs_are_empty_where_no_cache_is_wanted(tmp_path: Path, cache: str, wanted: bool) -> None:
    output = tmp_path / "output"
    given = {"HEADLESS_DBT_CACHE": cache, "GITHUB_OUTPUT": str(output), "HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-I", cache_key.__file__], env=given, check=True)
    kept, key = cache_key.cache_of(given) if wanted else ("", "")
    values = dict(line.split("=") for line in output.read_text().splitlines())
    assert (values["key"] != "") == wanted == values["kept"].startswith(str(tmp_path))
    assert kept.endswith(values["kept"].rpartition("/")[2])
    assert values["key"] == key


def test_a_user_without_a_home_keeps_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", fail)
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    cache_key.main()
    assert (tmp_path / "output").read_text() == "kept=\nkey=\n"
    assert capsys.readouterr().out == ""
