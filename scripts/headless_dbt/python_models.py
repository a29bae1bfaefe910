"""Whether dbt runs Python of a project's own, which needs more packages than SQL does. It only reads.

That is models in Python, and plugins of dbt-duckdb. Asked before dbt is there, so that packages which are not on this
machine yet cannot be looked into: https://docs.getdbt.com/docs/build/python-models
"""

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import yaml

from headless_dbt.folder_walk import files_below

PROJECT = "dbt_project.yml"
NAMING_PACKAGES = ("packages.yml", "dependencies.yml")
# https://github.com/duckdb/dbt-duckdb#writing-your-own-plugins
_PLUGINS = re.compile(r"\b(?:plugins|module_paths)\b")


def runs_python(project_dir: Path, profiles_dir: Path) -> bool:
    """Whether the project, or a package of it that is on this machine, has a model in Python, or its profile a plugin.

    What cannot be read may have one: the answer is yes. dbt takes every Python file below ``model-paths`` for a model.
    """
    try:
        if _PLUGINS.search((profiles_dir / "profiles.yml").read_text("utf-8")):
            return True
        installed = _read(project_dir / PROJECT).get("packages-install-path", "dbt_packages")
        projects = _with_local_packages([project_dir, *(project_dir / installed).glob("*/")])
        return any(file.suffix == ".py" for project in projects for file in _models(project))
    except (OSError, ValueError, RecursionError, AttributeError, TypeError, yaml.YAMLError):
        return True


def _with_local_packages(projects: list[Path]) -> list[Path]:
    """These, and those beside them that they name by `local`, and so on."""
    found: dict[Path, Path] = {}
    waiting = [*projects]
    while waiting:
        project = waiting.pop()
        if found.setdefault(project.resolve(), project) is project:
            waiting += _local_packages(project)
    return [*found.values()]


def _local_packages(project: Path) -> Iterator[Path]:
    for name in NAMING_PACKAGES:
        file = project / name
        if file.is_file():
            for package in _read(file).get("packages") or ():
                if "local" in package:
                    yield project / package["local"]


def _models(project: Path) -> Iterator[Path]:
    paths = [project / path for path in _read(project / PROJECT).get("model-paths", ["models"])]
    # dbt renders it first; who knows where that leads.
    if any("{" in str(path) for path in paths):
        raise ValueError(paths)
    return chain.from_iterable(map(files_below, paths))


def _read(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(file.read_text("utf-8")) or {}
    return content
