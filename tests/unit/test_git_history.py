"""The commits of a checkout, by git itself."""

import subprocess
from pathlib import Path

import pytest
from headless_dbt.git_history import commits_between


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=Ada Lovelace", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false")
    return subprocess.run(
        ["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True, text=True
    ).stdout


def commit(folder: Path, subject: str, *files: str) -> str:
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(subject)
    git(folder, "add", "--all")
    git(folder, "commit", "--allow-empty", "-m", f"{subject}\n\nAnd more words.")
    return git(folder, "rev-parse", "HEAD").strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    return tmp_path


def test_the_newest_comes_first_with_its_files(repository: Path) -> None:
    base = commit(repository, "Begin", "models/a.sql")
    second = commit(repository, 'Ändern | `x` "y"', "models/a b.sql", "models/ü.sql")
    head = commit(repository, "Nothing")
    found = commits_between(repository, base, head)
    assert found is not None
    assert [(each.sha, each.subject, each.author) for each in found] == [
        (head, "Nothing", "Ada Lovelace"),
        (second, 'Ändern | `x` "y"', "Ada Lovelace"),
    ]
    assert found[1].files == {"models/a b.sql", "models/ü.sql"}
    assert found[0].files == set()


def test_no_commit_between_is_an_empty_list(repository: Path) -> None:
    base = commit(repository, "Begin", "a")
    assert commits_between(repository, base, base) == []


@pytest.mark.parametrize("base", ["f" * 40, "--output=/tmp/x", "HEAD~1", ""])
def test_a_commit_that_is_not_here_is_not_known(repository: Path, base: str) -> None:
    assert commits_between(repository, base, commit(repository, "Begin", "a")) is None


def test_a_folder_without_git_knows_nothing(tmp_path: Path) -> None:
    assert commits_between(tmp_path / "gone", "a" * 40, "b" * 40) is None
