"""What dbt remembers of a parse, kept from run to run: partial_parse.msgpack, one for each target and set of variables.

dbt compares it with the project, the profile, the variables and its own version, and parses anew what has changed, or
everything: https://docs.getdbt.com/reference/parsing#partial-parsing. It holds the values of the environment variables
that the project reads; one that holds a secret is not kept.
"""

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

NAME = "partial_parse.msgpack"
# More than 20,000 nodes have; what is larger is read no faster than the project.
MOST_BYTES = 1 << 30


@dataclass(frozen=True)
class KeptParse:
    """The place where one is kept. What goes wrong with it costs time and nothing else."""

    file: Path

    def lend(self, target_path: Path) -> bool:
        """Put it where dbt looks for it; whether there is one."""
        with contextlib.suppress(OSError):
            content = self.file.read_bytes()
            (target_path / NAME).write_bytes(content)
            return True
        return False

    def keep(self, target_path: Path, secrets: Iterable[str]) -> None:
        """Keep what a parse has left, whole, and for this user alone; without it, and with a secret in it, nothing."""
        with contextlib.suppress(OSError):
            content = (target_path / NAME).read_bytes()
            if len(content) > MOST_BYTES or any(secret.encode() in content for secret in secrets):
                self.file.unlink(missing_ok=True)
                return
            self.file.parent.mkdir(parents=True, exist_ok=True)
            descriptor, temporary = tempfile.mkstemp(dir=self.file.parent)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
            Path(temporary).replace(self.file)


def kept_parse(parent: Path, target: str, variables: str, profiles_dir: Path) -> KeptParse:
    """The one of a target and its variables, which dbt would throw away for another's."""
    key = hashlib.sha256(json.dumps([target, variables, str(profiles_dir)]).encode()).hexdigest()[:12]
    return KeptParse(parent / f"parse-{key}" / NAME)
