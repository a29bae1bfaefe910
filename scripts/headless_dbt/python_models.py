"""Whether a project has models in Python, which need more packages than SQL does. It only reads.

Asked before dbt is there: https://docs.getdbt.com/docs/build/python-models
"""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import yaml

from headless_dbt.folder_walk import files_below

PROJECT = "dbt_project.yml"
# Those that dbt has installed already, and those that lie beside the project and are named by `local`.
INSTALLED = "dbt_packages"
NAMING_PACKAGES = ("packages.yml", "dependencies.yml")


def has_python_models(project_dir: Path) -> bool:
    """Whether the project, or a package of it that is on this machine, has a model in Python.

    What cannot be read may have one: the answer is yes. dbt takes every Python file below ``model-paths`` for a model.
    """
    projects = [project_dir, *project_dir.glob(f"{INSTALLED}/*/")]
    try:
        local = list(chain.from_iterable(map(_local_packages, projects)))
        return any(file.suffix == ".py" for project in (*projects, *local) for file in _models(project))
    except (OSError, ValueError, RecursionError, AttributeError, TypeError, yaml.YAMLError):
        return True


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
