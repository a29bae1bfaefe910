"""Write schemas/run.json: the JSON schema of run.json, out of the model that writes it.

``python scripts/write_schema.py`` writes the file; with ``--check`` it only says whether that would change it.
"""

import sys
from pathlib import Path
from typing import Any

import msgspec
from headless_dbt.model import SCHEMA_VERSION, Run

FILE = Path(__file__).resolve().parents[1] / "schemas/run.json"


def schema() -> dict[str, Any]:
    """The schema. New fields may come at any time, so that unknown ones are allowed."""
    found = msgspec.json.schema(Run)
    for definition in found["$defs"].values():
        # Docstrings as they are read, not as they are indented.
        definition["description"] = " ".join(definition.get("description", "").replace("``", "`").split())
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"run.json of headless-dbt, version {SCHEMA_VERSION}",
        **found,
    }


def main() -> int:
    """Write or check; return the exit code."""
    text = msgspec.json.format(msgspec.json.encode(schema()), indent=2).decode() + "\n"
    if "--check" not in sys.argv:
        FILE.write_text(text, "utf-8")
    elif FILE.read_text("utf-8") != text:
        print("schemas/run.json is not what the model says: run `make schema`.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
