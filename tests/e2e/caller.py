"""The repository of somebody who uses headless-dbt."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent


@dataclass(frozen=True)
class Caller:
    """A git repository in a folder; its name on GitHub is `name`."""

    folder: Path
    name: str = "acme/warehouse"

    def commit(self, files: Mapping[str, str]) -> None:
        """Write the files (an indented text loses its indentation) and commit everything."""
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text).lstrip("\n"))
        if not (self.folder / ".git").exists():
            self._git("init", "--quiet", "--initial-branch=main")
            self._git("remote", "add", "origin", f"https://github.com/{self.name}")
        self._git("add", "--all")
        self._git("commit", "--quiet", "--allow-empty", "--message=A change")

    def _git(self, *arguments: str) -> None:
        author = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
        subprocess.run(["git", *author, *arguments], cwd=self.folder, check=True, capture_output=True)
