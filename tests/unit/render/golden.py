"""Golden files: renderings kept as they should be, compared exactly, and reviewed as prose.

To write them anew after a change of words, and then read what changed:

    UPDATE_GOLDEN=1 python -m pytest tests/unit/render && git diff tests/unit/render/golden
"""

import os
from pathlib import Path

FOLDER = Path(__file__).with_name("golden")


def check(name: str, rendered: str) -> None:
    """Compare a rendering with its golden file."""
    file = FOLDER / name
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(rendered, "utf-8")
    assert rendered == file.read_text("utf-8"), f"{name} differs; see {__name__} on how to update it"
