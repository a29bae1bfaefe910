"""All that a parse of dbt depends on, as one digest: by it, what dbt remembers of an earlier one serves again, or not.

dbt itself notices most of what changes, but not all: a model that takes the name of one in a package, a macro that
begins to override another, properties that restrict a model, warnings that are errors now. So it is asked to remember
only where nothing has changed but the SQL below the configuration of models, which it reads anew; and nowhere in a
project whose configuration may come from the clock: https://docs.getdbt.com/reference/parsing#known-limitations.
"""

import hashlib
import os
import re
from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from headless_dbt.folder_walk import files_below
from headless_dbt.parse_configuration import configuration_of, may_come_from_the_clock
from headless_dbt.settings import RunSettings

PACKAGES = "dbt_packages"
# Of more, to look takes longer than it saves.
MOST_FILES = 20_000
_READ = (".sql", ".yml", ".yaml", ".md", ".py")
# Of seeds dbt compares what is in them, and they may be large.
_NAMED = (".csv",)
_NOT_OURS = {"target", "logs", "node_modules", PACKAGES}
_ENV_VAR = re.compile(r"env_var\(\s*['\"]([^'\"]+)['\"]")


def parse_inputs(settings: RunSettings, environment: Mapping[str, str], secrets: Collection[str]) -> str:
    """The digest, in hexadecimal; empty where the clock may be among them, or the files cannot be read.

    ``environment`` is that of dbt. A value that is a secret is left out: whoever sees the digest could try values.
    """
    told = [
        *(settings.target, settings.vars, *settings.dbt_args, str(settings.full_refresh), str(settings.threads)),
        os.path.relpath(settings.profiles_dir, settings.project_dir),
    ]
    names = {name for name in environment if name.startswith("DBT_")}
    try:
        files = list(islice(_texts(settings.project_dir, settings.profiles_dir), MOST_FILES + 1))
    except (OSError, ValueError, TypeError, AttributeError, IndexError, RecursionError, yaml.YAMLError):
        return ""
    if len(files) > MOST_FILES or may_come_from_the_clock(files):
        return ""
    for name, text in files:
        names.update(_ENV_VAR.findall(text))
        told += [name, configuration_of(text) if name.endswith(".sql") else text]
    told += [f"{name}={environment.get(name)}" for name in sorted(names) if environment.get(name) not in secrets]
    return hashlib.sha256("\0".join(told).encode("utf-8", "surrogateescape")).hexdigest()


def _texts(project_dir: Path, profiles_dir: Path) -> Iterator[tuple[str, str]]:
    """The files of a project and its packages that dbt may read, by their place: the name, and what is in it.

    A package that is taken from a folder is a link to it.
    """
    profiles = profiles_dir / "profiles.yml"
    if profiles.is_file():
        yield "profiles.yml", profiles.read_text("utf-8", "surrogateescape")
    yield from _texts_in(project_dir, "")
    installed = project_dir / PACKAGES
    for package in sorted(installed.iterdir()) if installed.is_dir() else ():
        yield from _texts_in(package.resolve(), f"{PACKAGES}/{package.name}/")


def _texts_in(root: Path, prefix: str) -> Iterator[tuple[str, str]]:
    """Raises OSError and ValueError also where dbt would read other folders than these."""
    settings = root / "dbt_project.yml"
    if settings.is_file():
        _check_paths(yaml.safe_load(settings.read_text("utf-8")))
    hidden = {folder.name for folder in root.glob(".*")}
    for file in files_below(root, _NOT_OURS | hidden):
        name = prefix + file.relative_to(root).as_posix()
        if file.suffix in _READ:
            yield name, file.read_text("utf-8", "surrogateescape")
        elif file.suffix in _NAMED:
            yield name, ""


def _check_paths(project: Any) -> None:
    """Refuse a project that names folders outside of it, or among those that are not read, or by Jinja."""
    for key, paths in project.items():
        for path in paths if key.endswith("-paths") else ():
            if "{" in path or Path(os.path.normpath(path)).parts[0] in {"/", "..", *_NOT_OURS} or path[:1] == ".":
                raise ValueError(path)
