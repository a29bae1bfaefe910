"""Files that a run keeps for the next one, in an archive that shows when it is broken: a zip has a checksum of each.

What is kept saves time and decides nothing: an archive that is missing, torn or foreign is as good as none.
"""

import contextlib
import hashlib
import os
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

# More than 20,000 nodes have, or the bytecode of any dbt; what is larger takes longer to read than it saves.
MOST_BYTES = 1 << 30


def read_archive(file: Path) -> dict[str, bytes]:
    """The files in an archive by their names; none, where anything is wrong with it."""
    try:
        with zipfile.ZipFile(file) as archive:
            if sum(member.file_size for member in archive.infolist()) > MOST_BYTES:
                return {}
            return {name: archive.read(name) for name in archive.namelist()}
    except Exception:  # noqa: BLE001  A broken archive breaks zipfile in many ways, and all of them mean this.
        return {}


def write_archive(file: Path, contents: Mapping[str, bytes]) -> None:
    """Write an archive whole or not at all, for this user alone. The same contents make the same file."""
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=file.parent)
        try:
            with os.fdopen(descriptor, "wb") as stream, zipfile.ZipFile(stream, "w") as archive:
                for name, content in sorted(contents.items()):
                    # Without a time of its own, which would make another file of it.
                    archive.writestr(zipfile.ZipInfo(name), content)
            Path(temporary).replace(file)
        finally:
            Path(temporary).unlink(missing_ok=True)


def digest_of(folder: Path) -> str:
    """What identifies all that is kept in a folder, wheels too; an empty text where there is nothing."""
    digest, files = hashlib.sha256(), sorted(file for file in folder.rglob("*") if file.suffix in (".zip", ".whl"))
    for file in files:
        digest.update(f"{file.relative_to(folder)}\0".encode())
        with contextlib.suppress(OSError), file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest() if files else ""
