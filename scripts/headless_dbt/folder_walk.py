"""All files below a folder, those behind links too: dbt may read fewer, never more."""

import os
from collections.abc import Collection, Iterator
from pathlib import Path


def files_below(root: Path, without: Collection[str] = ()) -> Iterator[Path]:
    """Every file, each folder once, in the order of their names; none of what lies in the folders ``without`` of it."""
    seen: set[str] = set()
    for folder, folders, files in os.walk(root, followlinks=True):
        seen.add(os.path.realpath(folder))
        unseen = (name for name in folders if os.path.realpath(Path(folder, name)) not in seen)
        folders[:] = sorted(name for name in unseen if Path(folder) != root or name not in without)
        yield from (Path(folder, name) for name in sorted(files))
