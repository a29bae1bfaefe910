"""Fill the generated parts of README.md: caller workflows from examples/, tables from what the code declares.

``python scripts/write_readme.py`` writes the README; with ``--check`` it only says whether that would change it.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from headless_dbt.inputs import INPUTS

ROOT = Path(__file__).resolve().parents[1]
_PART = re.compile(r"(<!-- (example|table): ([a-z.-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def fill(readme: str, root: Path = ROOT) -> str:
    """The README with every generated part written anew."""

    def part(match: re.Match[str]) -> str:
        content = _example(root, match[3]) if match[2] == "example" else "\n".join(_table(root, match[3]))
        return f"{match[1]}{content}\n{match[4]}"

    return _PART.sub(part, readme)


def _example(root: Path, name: str) -> str:
    return f"```yaml\n{(root / 'examples' / name).read_text('utf-8').rstrip()}\n```"


def _table(root: Path, name: str) -> Iterator[str]:
    if name == "inputs":
        yield from _rows((declared.name, _default(declared.default), declared.meaning) for declared in INPUTS)
    elif name == "workflow-inputs":
        inputs = _load(root / ".github/workflows/dbt-build.yml")["on"]["workflow_call"]["inputs"]
        shared = {declared.name for declared in INPUTS}
        yield from _rows(
            (key, _default(str(value["default"])), value["description"])
            for key, value in inputs.items()
            if key not in shared
        )
    else:
        yield "| output | meaning |"
        yield "| --- | --- |"
        for key, value in _load(root / "action.yml")["outputs"].items():
            yield f"| `{key}` | {value['description']} |"


def _rows(rows: Iterator[tuple[str, str, str]]) -> Iterator[str]:
    yield "| input | default | meaning |"
    yield "| --- | --- | --- |"
    for name, default, meaning in rows:
        yield f"| `{name}` | {default} | {meaning} |"


def _default(default: str) -> str:
    return f"`{default}`" if default else ""


def _load(file: Path) -> dict[str, Any]:
    # BaseLoader: YAML 1.1 would take the key `on` for a boolean.
    content: dict[str, Any] = yaml.load(file.read_text("utf-8"), Loader=yaml.BaseLoader)  # noqa: S506
    return content


def main() -> int:
    """Write README.md, or check it; return the exit code."""
    file = ROOT / "README.md"
    before = file.read_text("utf-8")
    after = fill(before)
    if "--check" in sys.argv[1:]:
        if after != before:
            print("README.md is not what examples/ and the declarations say: run `make readme`.")
        return int(after != before)
    file.write_text(after, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
