"""Where a node comes from: its files, those of all that it is made of, and its owners, by the manifest. Pure."""

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any

from headless_dbt.artifacts import Manifest, ManifestMacro, ManifestNode
from headless_dbt.lineage import Graph, reachable
from headless_dbt.model import Exposure

# What changes every node.
_PROJECT_FILES = ("dbt_project.yml", "packages.yml", "dependencies.yml", "package-lock.yml")
# Where people write who owns a thing, as dbt's `owner` allows any further field.
_LOGIN_FIELDS = ("github", "github_login", "github_user", "github_team")


def files_behind(unique_id: str, manifest: Manifest, graph: Graph, project_dir: PurePosixPath) -> tuple[str, ...]:
    """The files of this project that a node is made of: its own, its ancestors', their macros' and properties'.

    They are relative to the root of the repository. Those of a package, which may lie anywhere in it, begin with
    ``*/``.
    """
    known, project = manifest.every(), manifest.metadata.project_name
    names = [unique_id, *reachable(graph, [unique_id])]
    # A test speaks of the properties of what it tests, and the like.
    parts: list[ManifestNode | ManifestMacro] = [known[name] for name in names if name in known]
    macros = [name for part in parts for name in part.depends_on.macros]
    seen: set[str] = set()
    while macros:
        name = macros.pop()
        if name not in seen and name in manifest.macros:
            parts.append(manifest.macros[name])
            macros.extend(manifest.macros[name].depends_on.macros)
        seen.add(name)
    files = {str(project_dir / file) for file in _PROJECT_FILES}
    for part in parts:
        if project is None or part.package_name in ("", project):
            files |= {str(project_dir / file) for file in _files(part)}
        elif not part.package_name.startswith("dbt"):
            files |= {f"*/{file}" for file in _files(part)}
    return tuple(sorted(files))


def owners(node: ManifestNode, manifest: Manifest) -> tuple[str, ...]:
    """Who owns a node: its group's owner, else `meta.owner`, as they are written; a login as ``@login``.

    A test is owned by whoever owns what it tests, unless it says otherwise.
    """
    tested = [node.attached_node, *node.depends_on.nodes] if node.resource_type in ("test", "unit_test") else []
    known = manifest.every()
    for each in (node, *(known[name] for name in tested if name is not None and name in known)):
        group = group_of(each)
        of_group = next((one.owner for one in manifest.groups.values() if group and one.name == group), None)
        of_meta = next((meta["owner"] for meta in (each.config.meta, each.meta) if meta and meta.get("owner")), None)
        for said in (of_group, of_meta):
            if found := written_owners(said):
                return found
    return ()


def group_of(node: ManifestNode) -> str:
    """The name of a node's group, or an empty text."""
    return node.group or node.config.group or ""


def tags_of(node: ManifestNode) -> tuple[str, ...]:
    """The tags of a node, each once; dbt has them as a text where there is one."""
    said = (each for each in (node.tags, node.config.tags) if each)
    return tuple(dict.fromkeys(tag for each in said for tag in ([each] if isinstance(each, str) else each)))


def exposure(node: ManifestNode) -> Exposure:
    """An exposure as people know it."""
    return Exposure(
        unique_id=node.unique_id,
        name=node.label or node.name,
        kind=node.type if isinstance(node.type, str) else "",
        url=node.url or "",
        owner=next(_written(node.owner), ""),
        depends_on=tuple(node.depends_on.nodes),
    )


def written_owners(said: Any) -> tuple[str, ...]:
    """The owners in what may be a text, a list, or a mapping with name and email; a login as ``@login``."""
    return tuple(dict.fromkeys(_written(said)))


def properties_file(node: ManifestNode) -> str:
    """The YAML file that describes a node, relative to its project; an empty text where there is none."""
    return (node.patch_path.partition("://")[2] or node.patch_path) if node.patch_path else ""


def _files(part: ManifestNode | ManifestMacro) -> Iterator[str]:
    if part.original_file_path:
        yield part.original_file_path
    if part.patch_path:
        yield part.patch_path.partition("://")[2] or part.patch_path


def _written(owner: Any) -> Iterator[str]:
    """The owners in what may be a text, a list, or a mapping with name and email."""
    if isinstance(owner, str):
        yield from (part for part in (piece.strip() for piece in owner.split(",")) if part)
    elif isinstance(owner, list):
        for each in owner:
            yield from _written(each)
    elif isinstance(owner, dict):
        logins = [part for field in _LOGIN_FIELDS for part in _written(owner.get(field))]
        if logins:
            yield from (login if login.startswith("@") else f"@{login}" for login in logins)
        else:
            yield from _first(owner.get(field) for field in ("name", "email"))


def _first(said: Iterable[Any]) -> Iterator[str]:
    found = (list(_written(each)) for each in said)
    yield from next((each for each in found if each), [])
