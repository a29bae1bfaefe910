"""Fill the generated parts of README.md and docs/: workflows from examples/, files, tables from what the code declares.

``python scripts/write_readme.py`` writes the pages; with ``--check`` it only says whether that would change one.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from headless_dbt.bigquery_advice import bigquery_advice
from headless_dbt.inputs import INPUTS

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("README.md", "docs/bigquery.md")
_PART = re.compile(r"(<!-- (example|file|table): ([a-z./-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_LANGUAGES = {".yml": "yaml", ".sql": "sql"}
# What people get wrong, and what Google says to it.
_MISTAKES = {
    "The profile's location": "Not found: Dataset my-project:shop was not found in location US",
    "The role to run jobs, or the project's id": (
        "Access Denied: Project my-project: User does not have bigquery.jobs.create permission in project my-project."
    ),
    "The role on a dataset that dbt writes": (
        "Access Denied: Dataset my-project:shop: Permission bigquery.tables.create denied on dataset my-project:shop"
        " (or it may not exist)."
    ),
    "The role on a source": (
        "Access Denied: Table my-project:raw.orders: Permission bigquery.tables.getData denied on table"
        " my-project:raw.orders (or it may not exist)."
    ),
    "The dataset is missing, and dbt may not make it": (
        "Access Denied: Project my-project: User does not have bigquery.datasets.create permission in project"
        " my-project."
    ),
    "The API is off": "BigQuery API has not been used in project 123456789012 before or it is disabled.",
    "No billing": "Billing has not been enabled for this project.",
    "The project's name or number, not its id": "Invalid project ID 'My Project'. Project IDs must contain 6-63",
    "The key was deleted or has expired": "invalid_grant: Invalid JWT Signature.",
    "The service account was deleted or disabled": "invalid_grant: Invalid grant: account not found",
    "The provider's audience": (
        "Error code invalid_grant: The audience in ID Token [https://iam.googleapis.com/projects/123456789012/locations/"
        "global/workloadIdentityPools/github/providers/github] does not match the expected audience"
    ),
    "The provider's attribute condition": (
        "Error code unauthorized_client: The given credential is rejected by the attribute condition."
    ),
    "The provider's name": (
        'Error code invalid_target: The target service indicated by the "audience" parameters is invalid.'
    ),
    "The binding on the service account": (
        "Unable to acquire impersonated credentials: Permission 'iam.serviceAccounts.getAccessToken' denied"
    ),
    "A query too large": "Query exceeded limit for bytes billed: 100000000000. 220000000000 or higher required.",
    "A query too slow": "Operation did not complete within the designated timeout of 1800 seconds.",
}


def fill(page: str, root: Path = ROOT) -> str:
    """A page with every generated part written anew."""

    def part(match: re.Match[str]) -> str:
        match match[2]:
            case "example":
                content = _file(root / "examples" / match[3])
            case "file":
                content = _file(root / match[3])
            case _:
                content = "\n".join(_table(root, match[3]))
        return f"{match[1]}{content}\n{match[4]}"

    return _PART.sub(part, page)


def _file(file: Path) -> str:
    return f"```{_LANGUAGES[file.suffix]}\n{file.read_text('utf-8').rstrip()}\n```"


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
    elif name == "mistakes":
        yield "| what is wrong | what Google says | what headless-dbt says |"
        yield "| --- | --- | --- |"
        for mistake, said in _MISTAKES.items():
            yield f"| {mistake} | `{said}` | {bigquery_advice(said)} |"
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
    """Write the pages, or check them; return the exit code."""
    stale = []
    for name in PAGES:
        file = ROOT / name
        before = file.read_text("utf-8")
        after = fill(before)
        if after != before:
            stale.append(name)
            if "--check" not in sys.argv[1:]:
                file.write_text(after, "utf-8")
    if "--check" not in sys.argv[1:]:
        return 0
    for name in stale:
        print(f"{name} is not what examples/ and the declarations say: run `make readme`.")
    return int(bool(stale))


if __name__ == "__main__":
    sys.exit(main())
