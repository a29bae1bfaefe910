"""Where a project has models in Python, and that what cannot be read may have some."""

from pathlib import Path

import pytest
from headless_dbt import python_models

DUCKDB = "shop: {outputs: {prod: {type: duckdb, %s}}}\n"


def runs_python(project_dir: Path) -> bool:
    """Its profiles lie beside it."""
    return python_models.runs_python(project_dir, project_dir)


def project(folder: Path, settings: str = "name: shop\n", **files: str) -> Path:
    written = {
        "dbt_project.yml": settings,
        "profiles.yml": "shop: {}\n",
        "models/orders.sql": "select 1",
        "tools/load.py": "",
        **files,
    }
    for name, text in written.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_a_script_beside_the_models_is_none(tmp_path: Path) -> None:
    assert not runs_python(project(tmp_path))


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
        (
            "packages-install-path: mods\n",
            {"mods/other/dbt_project.yml": "name: other\n", "mods/other/models/scores.py": ""},
        ),
        (
            "name: shop\n",
            {
                "packages.yml": "packages: [{local: ../q}]\n",
                "../q/dbt_project.yml": "name: q\n",
                "../q/packages.yml": "packages: [{local: ../r}, {local: ../shop}]\n",
                "../r/dbt_project.yml": "name: r\n",
                "../r/models/scores.py": "",
            },
        ),
        ("model-paths: ['{% if true %}m{% endif %}']\n", {}),
        ("name: shop\n", {"profiles.yml": DUCKDB % "plugins: [{module: excel}]"}),
        ("name: shop\n", {"profiles.yml": DUCKDB % "module_paths: [udfs]"}),
        ("name: shop\n", {"dependencies.yml": "- nonsense\n"}),
        ("model-paths: 7\n", {}),
        ("- no\n", {}),
        ("a: [\n", {}),
        ("a: \x00\n", {}),
    ],
)
def test_it_finds_one_or_cannot_say(tmp_path: Path, settings: str, files: dict[str, str]) -> None:
    assert runs_python(project(tmp_path / "shop", settings, **files))


def test_no_project_at_all_may_have_any(tmp_path: Path) -> None:
    assert runs_python(tmp_path / "nowhere")


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
    assert not runs_python(project(tmp_path, **{name: text}))


def test_a_link_is_followed_once(tmp_path: Path) -> None:
    root = project(tmp_path / "shop")
    (root / "models" / "again").symlink_to(root / "models")
    assert not runs_python(root)

    project(tmp_path / "elsewhere", **{"models/scores.py": ""})
    (root / "models" / "shared").symlink_to(tmp_path / "elsewhere" / "models")
    assert runs_python(root)
