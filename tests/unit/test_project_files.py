"""The files of a project: its own, and no others."""

from pathlib import Path

import pytest
from headless_dbt.project_files import ProjectFiles, project_files


def _write(root: Path, *names: str, text: str = "x") -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def _files(workspace: Path, project_dir: str = "dbt") -> ProjectFiles:
    found = project_files(workspace, project_dir)
    assert found is not None
    return found


def test_what_dbt_reads_is_there_with_its_text_and_its_path_in_the_repository(tmp_path: Path) -> None:
    _write(tmp_path / "dbt", "dbt_project.yml", "models/a.sql", "seeds/a.csv", "models/notes.txt", text="a\r\nb")
    files = _files(tmp_path)

    assert list(files) == ["dbt_project.yml", "models/a.sql", "seeds/a.csv"]
    assert len(files) == 3
    assert files["models/a.sql"] == "a\nb"
    assert files.from_repository("models/a.sql") == "dbt/models/a.sql"
    assert _files(tmp_path / "dbt", ".").from_repository("models/a.sql") == "models/a.sql"
    with pytest.raises(KeyError):
        files["models/notes.txt"]


def test_what_dbt_made_and_what_is_hidden_is_no_file_of_the_project(tmp_path: Path) -> None:
    _write(tmp_path / "dbt", "dbt_project.yml", "target/a.sql", ".git/a.sql", "out/manifest.json", "out/compiled/a.sql")

    assert list(_files(tmp_path)) == ["dbt_project.yml"]


def test_a_file_that_a_package_has_too_is_left_out(tmp_path: Path) -> None:
    _write(tmp_path / "dbt", "dbt_project.yml", "packages.yml", "models/a.yml", "models/b.yml", "models/c.yml")
    _write(tmp_path / "dbt/dbt_packages/pack", "dbt_project.yml", "packages.yml", "models/a.yml", "more.sql")
    _write(tmp_path / "local", "dbt_project.yml", "models/b.yml", "tests_of_it/dbt_project.yml", "tests_of_it/c.yml")
    _write(tmp_path / "local", "tests_of_it/models/c.yml")
    (tmp_path / "dbt/dbt_packages/local").symlink_to(tmp_path / "local")

    assert list(_files(tmp_path)) == ["dbt_project.yml", "models/c.yml", "packages.yml"]


def test_nothing_outside_of_the_workspace_is_read(tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    _write(tmp_path / "elsewhere", "dbt_project.yml", "secret.sql")
    _write(workspace / "dbt", "dbt_project.yml")
    (workspace / "dbt/link.sql").symlink_to(tmp_path / "elsewhere/secret.sql")
    (workspace / "dbt/models").symlink_to(tmp_path / "elsewhere")
    (workspace / "linked").symlink_to(tmp_path / "elsewhere")

    assert list(_files(workspace)) == ["dbt_project.yml"]
    assert project_files(workspace, "../elsewhere") is None
    assert project_files(workspace, "linked") is None
    assert project_files(workspace, "gone") is None
    assert project_files(workspace, "x" * 5000) is None


def test_what_is_no_utf_8_shows_where_and_what_is_huge_is_empty(tmp_path: Path) -> None:
    _write(tmp_path / "dbt", "dbt_project.yml")
    (tmp_path / "dbt/a.sql").write_bytes(b"a\n\xff")
    (tmp_path / "dbt/b.sql").write_bytes(b"x" * 600_000)

    assert _files(tmp_path)["a.sql"] == "a\n\udcff"
    assert not _files(tmp_path)["b.sql"]
