"""What is installed for dbt, and that uv's own reason is told where it cannot be."""

import shutil
import sys
from pathlib import Path

import pytest
from headless_dbt import environments
from headless_dbt.environments import (
    DbtRequirements,
    build_dbt_environment,
    dbt_requirements,
    fingerprint,
    lock_folder,
    locked_versions,
    unpinned,
)
from headless_dbt.errors import DbtUnusableError

LOCK = """agate==1.9.1 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
colorama==0.4.6 ; sys_platform == 'win32' \\
    --hash=sha256:cc
dbt-bigquery==1.12.1 \\
    --hash=sha256:dd
dbt-core==1.12.6 \\
    --hash=sha256:ee
dbt-duckdb==1.11.1 \\
    --hash=sha256:ff
"""


@pytest.fixture
def locks(tmp_path: Path) -> Path:
    (tmp_path / "requirements.txt").write_text(LOCK)
    (tmp_path / "requirements-python-models.txt").write_text(LOCK + "pandas==3.1.1 \\\n    --hash=sha256:ab\n")
    (tmp_path / "requirements-excludes.txt").write_text("dbt-core-experimental-parser\n")
    return tmp_path


@pytest.mark.parametrize(
    ("adapter", "core", "adapter_version", "lines"),
    [
        ("duckdb", "", "", None),
        ("bigquery", "", "", None),
        ("duckdb", "1.11.16", "", ("dbt-core==1.11.16", "dbt-duckdb==1.11.1")),
        ("duckdb", "1.11", "", ("dbt-core==1.11.*", "dbt-duckdb==1.11.1")),
        ("bigquery", "", "1.11", ("dbt-core==1.12.6", "dbt-bigquery==1.11.*")),
        ("postgres", "", "", ("dbt-core==1.12.6", "dbt-postgres")),
        ("duckdb", "2.0.1", "", ("dbt==2.0.1",)),
        ("postgres", "1.10", "1.9.1", ("dbt-core==1.10.*", "dbt-postgres==1.9.1")),
    ],
)
def test_the_lock_serves_wherever_it_can(
    locks: Path, adapter: str, core: str, adapter_version: str, lines: tuple[str, ...] | None
) -> None:
    decided = dbt_requirements(adapter, core, adapter_version, None, locks, python_models=False)

    assert decided.excludes == locks / "requirements-excludes.txt"
    if lines is None:
        assert (decided.lock, decided.lines) == (locks / "requirements.txt", ())
        assert decided.requested == ("dbt-core==1.12.6", "dbt-bigquery==1.12.1", "dbt-duckdb==1.11.1")
    else:
        assert (decided.lock, decided.lines, decided.requested) == (None, lines, lines)


def test_python_models_get_the_lock_with_everything_unless_a_version_is_asked_for(locks: Path) -> None:
    decided = dbt_requirements("duckdb", "", "", None, locks, python_models=True)

    assert decided.lock == locks / "requirements-python-models.txt"
    assert decided.requested == ("dbt-core==1.12.6", "dbt-bigquery==1.12.1", "dbt-duckdb==1.11.1")
    for core, own in (("1.11", None), ("", locks / "own.txt"), ("2.0.1", None)):
        every = [dbt_requirements("duckdb", core, "", own, locks, python_models=given) for given in (True, False)]
        assert every[0] == every[1]


def test_both_locks_of_this_repository_have_the_same_versions() -> None:
    without, with_all = (
        locked_versions((lock_folder() / f"requirements{name}.txt").read_text()) for name in ("", "-python-models")
    )

    assert without.items() < with_all.items()
    assert {"pandas", "pyarrow", "google-cloud-aiplatform"} <= with_all.keys() - without.keys()


@pytest.mark.parametrize(
    ("core", "adapter_version", "further"),
    [("", "", ()), ("1.11", "", ("dbt-core==1.11.*",)), ("", "1.9.1", ("dbt-postgres==1.9.1",))],
)
def test_the_callers_own_file_counts_alone_unless_a_version_is_asked_for_too(
    locks: Path, core: str, adapter_version: str, further: tuple[str, ...]
) -> None:
    own = Path("/my project/own.txt")

    decided = dbt_requirements("postgres", core, adapter_version, own, locks, python_models=False)

    assert (decided.lock, decided.lines) == (None, ("-r /my project/own.txt", *further))


def test_a_lock_tells_its_versions() -> None:
    assert locked_versions(LOCK) == {
        "agate": "1.9.1",
        "colorama": "0.4.6",
        "dbt-bigquery": "1.12.1",
        "dbt-core": "1.12.6",
        "dbt-duckdb": "1.11.1",
    }


def test_the_lock_of_this_repository_serves_both_adapters() -> None:
    requested = dbt_requirements("duckdb", "", "", None, lock_folder(), python_models=False).requested

    assert [line.partition("==")[0] for line in requested] == ["dbt-core", "dbt-bigquery", "dbt-duckdb"]


@pytest.mark.parametrize(
    ("adapter", "version", "own", "warnings"),
    [
        ("duckdb", "", None, []),
        ("postgres", "1.9.1", None, []),
        ("postgres", "", None, ["The newest dbt-postgres that fits is installed: set `adapter-version` to pin it."]),
        ("duckdb", "", "# a comment\n\ndbt-core==1.11.16  # pinned\n-r other.txt\n--no-binary :all:\n", []),
        ("duckdb", "", "dbt-core @ https://x/y.whl\n", []),
        (
            "duckdb",
            "",
            "dbt-core>=1.11\ndbt-duckdb # any\n",
            [
                "`requirements` does not pin 'dbt-core>=1.11': write it as name==version.",
                "`requirements` does not pin 'dbt-duckdb': write it as name==version.",
            ],
        ),
    ],
)
def test_what_may_be_another_version_tomorrow_is_warned_of(
    tmp_path: Path, adapter: str, version: str, own: str | None, warnings: list[str]
) -> None:
    file = None
    if own is not None:
        file = tmp_path / "own.txt"
        file.write_text(own)

    assert list(unpinned(adapter, "", version, file)) == warnings


def test_the_fingerprint_changes_with_everything_that_the_environment_is_built_from(tmp_path: Path) -> None:
    own = tmp_path / "own.txt"
    own.write_text("dbt-core==1.11.16 --hash=sha256:aa\n")
    excludes = tmp_path / "x"
    seen = {
        fingerprint(DbtRequirements(None, ("dbt-core==1.11.16",), excludes), "3.12"),
        fingerprint(DbtRequirements(None, ("dbt-core==1.11.16",), excludes), "3.11"),
        fingerprint(DbtRequirements(None, ("dbt-core==1.11.*",), excludes), "3.12"),
        fingerprint(DbtRequirements(own, (), excludes), "3.12"),
        fingerprint(DbtRequirements(None, (f"-r {own}",), excludes), "3.12"),
    }
    own.write_text("dbt-core==1.11.17 --hash=sha256:bb\n")
    seen |= {
        fingerprint(DbtRequirements(own, (), excludes), "3.12"),
        fingerprint(DbtRequirements(None, (f"-r {own}",), excludes), "3.12"),
    }

    assert len(seen) == 7


def test_the_fingerprint_stays_while_nothing_changes(locks: Path) -> None:
    first, second = (
        fingerprint(dbt_requirements("duckdb", "", "", None, locks, python_models=False), "") for _ in range(2)
    )

    assert first == second


@pytest.mark.parametrize("line", ["-r other.txt", "-c other.txt", "--requirement other.txt"])
def test_a_file_that_the_callers_file_names_counts_too(tmp_path: Path, line: str) -> None:
    own, other = tmp_path / "own.txt", tmp_path / "other.txt"
    own.write_text(f"{line}\ndbt-core\n")
    other.write_text("dbt-core==1.11.16\n")
    requirements = DbtRequirements(None, (f"-r {own}",), tmp_path / "x")
    before = fingerprint(requirements, "")

    other.write_text("dbt-core==1.11.17\n")

    assert fingerprint(requirements, "") != before


class _Uv:
    """A stand-in for uv: it notes what it is called with, makes the interpreter, or fails with a reason."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.path = folder / "uv"
        self.calls = folder / "calls.txt"
        self.works()

    def works(self) -> None:
        self._write('[ "$1" = venv ] && for last; do :; done && mkdir -p "$last/bin" && : > "$last/bin/python"; exit 0')

    def fails(self, reason: str, at: str = "pip") -> None:
        self._write(f"[ \"$1\" = {at} ] && echo '{reason}' >&2 && exit 2; exit 0")

    def _write(self, script: str) -> None:
        self.path.write_text(f'#!/bin/sh\nprintf "%s|" "$@" >> {self.calls}\necho >> {self.calls}\n{script}\n')
        self.path.chmod(0o755)

    @property
    def called(self) -> list[list[str]]:
        if not self.calls.is_file():
            return []
        return [line.split("|")[:-1] for line in self.calls.read_text().splitlines()]


@pytest.fixture
def uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> _Uv:
    stub = _Uv(tmp_path / "stub")
    monkeypatch.setattr(environments, "_find_uv", lambda: str(stub.path))
    return stub


_ENVIRONMENT = {"PATH": "/usr/bin:/bin"}


def test_a_lock_is_installed_by_hash_and_without_anything_else(uv: _Uv, locks: Path, tmp_path: Path) -> None:
    folder = tmp_path / "envs" / "dbt-1"

    python = build_dbt_environment(
        folder, dbt_requirements("duckdb", "", "", None, locks, python_models=False), "3.12", _ENVIRONMENT
    )

    assert python == folder / "bin" / "python"
    assert uv.called == [
        ["venv", "--quiet", "--no-project", "--clear", "--python", "3.12", str(folder)],
        [
            *("pip", "install", "--quiet", "--python", str(python)),
            *("--no-build", "--no-deps", "--require-hashes", "-r", str(locks / "requirements.txt")),
        ],
    ]


def test_lines_are_resolved_without_the_excluded_packages(uv: _Uv, locks: Path, tmp_path: Path) -> None:
    own = tmp_path / "own file.txt"
    own.write_text("dbt-core==1.11.16\n")
    requirements = dbt_requirements("duckdb", "1.11", "", own, locks, python_models=False)

    build_dbt_environment(tmp_path / "e", requirements, "", _ENVIRONMENT)

    assert uv.called[0][5] == sys.executable
    assert uv.called[1][5:] == [
        *("--excludes", str(locks / "requirements-excludes.txt")),
        *("-r", str(own), "dbt-core==1.11.*"),
    ]


def test_a_ready_environment_is_left_alone(uv: _Uv, locks: Path, tmp_path: Path) -> None:
    requirements = dbt_requirements("duckdb", "", "", None, locks, python_models=False)
    first = build_dbt_environment(tmp_path / "e", requirements, "", _ENVIRONMENT)
    (tmp_path / "e" / "mine").write_text("x")

    assert build_dbt_environment(tmp_path / "e", requirements, "", _ENVIRONMENT) == first
    assert len(uv.called) == 2
    assert (tmp_path / "e" / "mine").is_file()


@pytest.mark.parametrize("change", ["another version", "no interpreter", "another place"])
def test_an_environment_that_is_not_what_was_asked_for_is_built_anew(
    uv: _Uv, locks: Path, tmp_path: Path, change: str
) -> None:
    folder = tmp_path / "e"
    requirements = dbt_requirements("duckdb", "", "", None, locks, python_models=False)
    build_dbt_environment(folder, requirements, "", _ENVIRONMENT)
    if change == "another version":
        requirements = dbt_requirements("duckdb", "1.11", "", None, locks, python_models=False)
    elif change == "no interpreter":
        (folder / "bin" / "python").unlink()
    else:
        shutil.copytree(folder, tmp_path / "copy")
        folder = tmp_path / "copy"

    build_dbt_environment(folder, requirements, "", _ENVIRONMENT)

    assert len(uv.called) == 4


@pytest.mark.parametrize(
    ("at", "sentence"),
    [
        ("venv", "There is no Python 3.12 for dbt's environment. Correct `python-version`, or leave it out"),
        ("pip", "dbt could not be installed from dbt-core==1.99.*, dbt-duckdb==1.11.1. Correct `dbt-version`"),
    ],
)
def test_uvs_own_reason_is_told_with_what_was_asked_for(
    uv: _Uv, locks: Path, tmp_path: Path, at: str, sentence: str
) -> None:
    uv.fails("No solution found: dbt-core==1.99.* does not exist", at=at)

    with pytest.raises(DbtUnusableError) as caught:
        build_dbt_environment(
            tmp_path / "e",
            dbt_requirements("duckdb", "1.99", "", None, locks, python_models=False),
            "3.12",
            _ENVIRONMENT,
        )

    assert str(caught.value).startswith(sentence)
    assert str(caught.value).endswith("uv says: No solution found: dbt-core==1.99.* does not exist")


def test_an_environment_whose_installation_failed_is_not_taken_for_ready(uv: _Uv, locks: Path, tmp_path: Path) -> None:
    requirements = dbt_requirements("duckdb", "", "", None, locks, python_models=False)
    uv.fails("away")
    with pytest.raises(DbtUnusableError):
        build_dbt_environment(tmp_path / "e", requirements, "", _ENVIRONMENT)
    uv.works()

    build_dbt_environment(tmp_path / "e", requirements, "", _ENVIRONMENT)

    assert len(uv.called) == 4


def test_uv_gets_the_callers_environment_and_nothing_more(uv: _Uv, locks: Path, tmp_path: Path) -> None:
    uv.path.write_text('#!/bin/sh\necho "index=$UV_INDEX_URL home=$HOME$UV_COMPILE_BYTECODE"\nexit 1\n')

    with pytest.raises(DbtUnusableError, match=r"uv says: index=http://mirror home=$"):
        build_dbt_environment(
            tmp_path / "e",
            dbt_requirements("duckdb", "", "", None, locks, python_models=False),
            "",
            {"PATH": "/usr/bin:/bin", "UV_INDEX_URL": "http://mirror", "UV_COMPILE_BYTECODE": "1"},
        )


@pytest.mark.parametrize(("core", "heard"), [("", ""), ("1.11", "c.txt")])
def test_a_constraint_of_the_machine_counts_only_where_uv_decides(
    uv: _Uv, locks: Path, tmp_path: Path, core: str, heard: str
) -> None:
    uv.path.write_text('#!/bin/sh\n[ "$1" = venv ] && exit 0\necho "it is: $UV_CONSTRAINT$UV_OVERRIDE."\nexit 1\n')

    with pytest.raises(DbtUnusableError, match=f"uv says: it is: {heard}{heard}[.]$"):
        build_dbt_environment(
            tmp_path / "e",
            dbt_requirements("duckdb", core, "", None, locks, python_models=False),
            "",
            {"PATH": "/usr/bin:/bin", "UV_CONSTRAINT": "c.txt", "UV_OVERRIDE": "c.txt"},
        )


def test_uv_beside_the_interpreter_comes_before_that_of_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("venv", "path"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "uv").touch(mode=0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "venv" / "python"))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))

    assert environments._find_uv() == str(tmp_path / "venv" / "uv")  # noqa: SLF001  Its seam is what is tested.
    (tmp_path / "venv" / "uv").unlink()
    assert environments._find_uv() == str(tmp_path / "path" / "uv")  # noqa: SLF001


def test_without_uv_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(DbtUnusableError, match="Install dbt into this environment, or name its interpreter with"):
        environments._find_uv()  # noqa: SLF001  Its seam is what is tested.
