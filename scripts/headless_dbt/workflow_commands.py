"""What a step says to the GitHub Actions runner: workflow commands, step outputs, the summary file.

Source: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands and the escaping
of the runner's own toolkit (actions/toolkit, packages/core/src/command.ts).
"""

import secrets
from collections.abc import Mapping
from pathlib import Path


def escape_data(text: str) -> str:
    """Escape the message of a workflow command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def escape_property(text: str) -> str:
    """Escape a property (``file=``, ``title=``) of a workflow command."""
    return escape_data(text).replace(":", "%3A").replace(",", "%2C")


def command(name: str, message: str = "", **properties: str | int) -> str:
    """One workflow command as a line, with full escaping; properties with an empty value are left out."""
    given = ",".join(f"{key}={escape_property(str(value))}" for key, value in properties.items() if value)
    return f"::{name} {given}::{escape_data(message)}" if given else f"::{name}::{escape_data(message)}"


def append_outputs(file: Path, outputs: Mapping[str, str]) -> None:
    """Append step outputs to the file of ``GITHUB_OUTPUT``, with a delimiter that no value can contain."""
    with file.open("a", encoding="utf-8") as stream:
        for name, value in outputs.items():
            delimiter = f"end-{secrets.token_hex(16)}"
            stream.write(f"{name}<<{delimiter}\n{value}\n{delimiter}\n")


def append_summary(file: Path, markdown: str) -> None:
    """Append Markdown to the file of ``GITHUB_STEP_SUMMARY``."""
    with file.open("a", encoding="utf-8") as stream:
        stream.write(markdown + "\n")
