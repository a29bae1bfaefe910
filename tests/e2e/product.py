"""This repository as a caller would get it: a clean copy, and the actions that it needs."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
STAND_INS = Path(__file__).parent / "stand_ins"
NAME = "headless-dbt/headless-dbt"


@dataclass(frozen=True)
class Use:
    """One `uses:` with the keys that are handed to it."""

    reference: str
    inputs: frozenset[str]
    secrets: frozenset[str]
    where: Path

    @property
    def repository(self) -> str:
        """`owner/name`, without the path inside and the ref."""
        return "/".join(self.reference.partition("@")[0].split("/")[:2])

    @property
    def path(self) -> str:
        """The path inside the repository, empty for its root."""
        return "/".join(self.reference.partition("@")[0].split("/")[2:])

    @property
    def ref(self) -> str:
        """Tag, branch or commit."""
        return self.reference.partition("@")[2]

    @property
    def is_local(self) -> bool:
        """Whether it is in the workspace rather than in a repository."""
        return self.reference.startswith(("./", "docker://"))


class WrongUseError(AssertionError):
    """A workflow uses what there is no stand-in for, or hands on a key that nobody declared."""


def clean_copy(root: Path, target: Path) -> Path:
    """Copy what git tracks, and what it would track."""
    listing = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.check_output(listing, text=True).split("\0"):
        if name and (root / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, target / name)
    return target


def local_repositories(product: Path, caller: Path) -> dict[str, Path]:
    """Which folder stands for which `owner/name@ref`, for everything that product and caller use."""
    folders = {}
    for use in [*uses_in(product), *uses_in(caller)]:
        _check_keys(use, product)
        if not use.is_local:
            folders[f"{use.repository}@{use.ref}"] = _folder(use, product)
    return folders


def uses_in(repository: Path) -> Iterator[Use]:
    """Every `uses:` of a repository's action, workflows and examples."""
    for pattern in ("action.y*ml", ".github/workflows/*.y*ml", "examples/**/*.y*ml"):
        for file in sorted(repository.glob(pattern)):
            yield from _uses(yaml.safe_load(file.read_text()), file)


def _uses(node: Any, where: Path) -> Iterator[Use]:
    if isinstance(node, dict):
        if isinstance(node.get("uses"), str):
            yield Use(node["uses"], _keys(node.get("with")), _keys(node.get("secrets")), where)
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from _uses(each, where)


def _folder(use: Use, product: Path) -> Path:
    if use.repository == NAME:
        return product
    folder = STAND_INS / use.repository
    if not folder.is_dir():
        raise WrongUseError(f"{use.where} uses {use.reference}, for which tests/e2e/stand_ins has nothing")
    return folder


def _check_keys(use: Use, product: Path) -> None:
    """Fail on keys that what is used does not declare; GitHub itself only warns of them."""
    if use.reference.startswith("./.headless-dbt"):
        declared = _declaration(product / use.reference.removeprefix("./.headless-dbt").lstrip("/"))
    elif use.is_local:
        return
    else:
        declared = _declaration(_folder(use, product) / use.path)
    for kind, given in (("inputs", use.inputs), ("secrets", use.secrets)):
        unknown = given - _keys(declared.get(kind))
        if unknown:
            raise WrongUseError(f"{use.where} hands {use.reference} the unknown {kind} {sorted(unknown)}")


def _declaration(path: Path) -> Mapping[str, Any]:
    """What an action, or a reusable workflow, declares."""
    if path.suffix in (".yml", ".yaml"):
        workflow = yaml.safe_load(path.read_text())
        call: Mapping[str, Any] = workflow[True]["workflow_call"] or {}  # YAML 1.1 reads the key `on` as True.
        return call
    action: Mapping[str, Any] = yaml.safe_load((path / "action.yml").read_text())
    return action


def _keys(mapping: Any) -> frozenset[str]:
    return frozenset(mapping) if isinstance(mapping, dict) else frozenset()
