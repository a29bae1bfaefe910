"""What dbt remembers of a parse, kept from run to run: partial_parse.msgpack, one for each target and set of variables.

dbt compares it with the project, the profile, the variables and its own version, and parses anew what has changed, or
everything: https://docs.getdbt.com/reference/parsing#partial-parsing. It holds the values of the environment variables
that the project reads; one that holds a secret is not kept.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from headless_dbt.kept_files import MOST_BYTES, read_archive, write_archive

NAME = "partial_parse.msgpack"


@dataclass(frozen=True)
class KeptParse:
    """The place where one is kept. What goes wrong with it costs time and nothing else."""

    file: Path

    def lend(self, target_path: Path) -> bool:
        """Put it where dbt looks for it; whether there is one."""
        content = read_archive(self.file).get(NAME)
        with contextlib.suppress(OSError):
            if content is not None:
                (target_path / NAME).write_bytes(content)
                return True
        return False

    def keep(self, target_path: Path, secrets: Iterable[str]) -> None:
        """Keep what a parse has left, whole, and for this user alone; without it, and with a secret in it, nothing."""
        with contextlib.suppress(OSError):
            content = (target_path / NAME).read_bytes()
            if len(content) > MOST_BYTES or any(secret.encode() in content for secret in secrets):
                self.file.unlink(missing_ok=True)
            elif read_archive(self.file).get(NAME) != content:
                write_archive(self.file, {NAME: content})


def kept_parse(parent: Path, target: str, variables: str, project_dir: Path, profiles_dir: Path) -> KeptParse:
    """The one of a target and its variables, which dbt would throw away for another's."""
    profiles = os.path.relpath(profiles_dir, project_dir)
    key = hashlib.sha256(json.dumps([target, variables, profiles]).encode()).hexdigest()[:12]
    return KeptParse(parent / f"parse-{key}.zip")
