"""On which line of the repository's files what failed stands."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from msgspec.structs import replace

from headless_dbt.artifacts import Manifest, ManifestNode
from headless_dbt.locate import Located, line_of, line_of_error, line_of_traceback
from headless_dbt.model import Node, Outcome

# So many are shown at most, and to read a large YAML file takes its time.
_MOST = 50


def located(nodes: Iterable[Node], manifest: Manifest, workspace: Path) -> tuple[Node, ...]:
    """The nodes; those that failed or warned with their lines, as far as these are certain."""
    known = manifest.every()
    left = _MOST

    @cache
    def text(file: str) -> str:
        try:
            return (workspace / file).read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            return ""

    found = []
    for node in nodes:
        if left and node.file and node.unique_id in known and node.outcome in (Outcome.FAILED, Outcome.WARNED):
            left -= 1
            found.append(replace(node, line=_line(node, known[node.unique_id], text(node.file))))
        else:
            found.append(node)
    return tuple(found)


def _line(node: Node, known: ManifestNode, source: str) -> int:
    if not source:
        return 0
    of_error = None
    if node.file.endswith(".sql"):
        of_error = line_of_error(node.message, node.compiled_code, source)
    elif node.file.endswith(".py"):
        of_error = line_of_traceback(node.message, source)
    # The first line of a file says no more than the file.
    begins = line_of(_located(known), source) or 0
    return of_error or (begins if begins > 1 else 0)


def _located(node: ManifestNode) -> Located:
    test = node.test_metadata or {}
    name, namespace = str(test.get("name") or ""), test.get("namespace")
    kwargs = test.get("kwargs")
    return Located(
        resource_type=node.resource_type,
        name=node.name,
        file=node.original_file_path,
        source_name=node.source_name or "",
        model=node.model or "",
        column_name=node.column_name or "",
        test=f"{namespace}.{name}" if namespace else name,
        kwargs=kwargs if isinstance(kwargs, dict) else {},
    )
