"""Where a project has models in Python, and that what cannot be read may have some."""

from pathlib import Path

import pytest
from headless_dbt.python_models import has_python_models


def project(folder: Path, settings: str = "name: shop\n", **files: str) -> Path:
    written = {"dbt_project.yml": settings, "models/orders.sql": "select 1", "tools/load.py": "", **files}
    for name, text in written.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_a_script_beside_the_models_is_none(tmp_path: Path) -> None:
    assert not has_python_models(project(tmp_path))


@pytest.mark.parametrize(
    ("settings", "files"),
    [
        ("name: shop\n", {"models/deep/er/scores.py": ""}),
        ("model-paths: [marts, more]\n", {"more/scores.py": ""}),
        ("model-paths: ['{{ var(\"where\") }}']\n", {}),
        ("name: shop\n", {"dbt_packages/other/dbt_project.yml": "", "dbt_packages/other/models/scores.py": ""}),
        (
            "name: shop\n",
            {
                "packages.yml": "packages: [{package: dbt-labs/dbt_utils, version: 1.3.0}, {local: other}]\n",
                "other/dbt_project.yml": "name: other\n",
                "other/models/scores.py": "",
            },
        ),
        ("name: shop\n", {"packages.yml": "packages: [{local: gone}]\n"}),
        ("name: shop\n", {"dependencies.yml": "- nonsense\n"}),
        ("model-paths: 7\n", {}),
        ("- no\n", {}),
        ("a: [\n", {}),
        ("a: \x00\n", {}),
    ],
)
def test_it_finds_one_or_cannot_say(tmp_path: Path, settings: str, files: dict[str, str]) -> None:
    assert has_python_models(project(tmp_path, settings, **files))


def test_no_project_at_all_may_have_any(tmp_path: Path) -> None:
    assert has_python_models(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("packages.yml", ""),
        ("packages.yml", "packages:\n"),
        ("dependencies.yml", "projects: [{name: other}]\n"),
        ("dbt_packages/other/dbt_project.yml", "model-paths: [sql]\n"),
    ],
)
def test_packages_without_any_change_nothing(tmp_path: Path, name: str, text: str) -> None:
    assert not has_python_models(project(tmp_path, **{name: text}))


def test_a_link_is_followed_once(tmp_path: Path) -> None:
    root = project(tmp_path / "shop")
    (root / "models" / "again").symlink_to(root / "models")
    assert not has_python_models(root)

    project(tmp_path / "elsewhere", **{"models/scores.py": ""})
    (root / "models" / "shared").symlink_to(tmp_path / "elsewhere" / "models")
    assert has_python_models(root)
