"""What dbt remembers of a parse, kept from run to run: partial_parse.msgpack, one for each target and set of variables.

dbt compares it with the project, the profile, the variables and its own version, and parses anew what has changed, or
everything: https://docs.getdbt.com/reference/parsing#partial-parsing. It does not notice all, so that only a parse of
the same inputs is lent. It holds the values of the environment variables that the project reads; one that holds a
secret, in any form in which secrets are looked for, is not kept.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from headless_dbt.kept_files import MOST_BYTES, read_archive, write_archive
from headless_dbt.redaction import redact

NAME = "partial_parse.msgpack"
INPUTS = "inputs"
MOST_KEPT = 4


@dataclass(frozen=True)
class KeptParse:
    """The place where one is kept. What goes wrong with it costs time and nothing else."""

    file: Path

    def lend(self, target_path: Path, inputs: str) -> bool:
        """Put it where dbt looks for it, if it is of these inputs (parse_inputs.py); whether there is one."""
        archive = read_archive(self.file)
        content = archive.get(NAME)
        with contextlib.suppress(OSError):
            if content is not None and inputs and archive.get(INPUTS) == inputs.encode():
                (target_path / NAME).write_bytes(content)
                return True
        return False

    def keep(self, target_path: Path, inputs: str, secrets: Iterable[str]) -> bool:
        """Keep what a parse has left, whole, and for this user alone; nothing where a secret is in it, and say so."""
        with contextlib.suppress(OSError):
            content = (target_path / NAME).read_bytes()
            is_clean = redact(content, secrets) == content
            if not inputs or len(content) > MOST_BYTES or not is_clean:
                self.file.unlink(missing_ok=True)
                return is_clean
            found = {NAME: content, INPUTS: inputs.encode()}
            if read_archive(self.file) != found:
                write_archive(self.file, found)
                self._drop_oldest()
        return True

    def _drop_oldest(self) -> None:
        """Keep no more than the last few: variables may hold the date of the day."""
        others = sorted(self.file.parent.glob("parse-*.zip"), key=lambda file: file.stat().st_mtime, reverse=True)
        for file in others[MOST_KEPT:]:
            file.unlink(missing_ok=True)


def kept_parse(parent: Path, target: str, variables: str, project_dir: Path, profiles_dir: Path) -> KeptParse:
    """The one of a target and its variables, which dbt would throw away for another's."""
    profiles = os.path.relpath(profiles_dir, project_dir)
    key = hashlib.sha256(json.dumps([target, variables, profiles]).encode()).hexdigest()[:12]
    return KeptParse(parent / f"parse-{key}.zip")
