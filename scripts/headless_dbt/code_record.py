"""The code of a run on record: code.json, so that a later run can tell whether it would build the same."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from headless_dbt.code_manifest import CodeManifest, read_code_manifest
from headless_dbt.run_folder import RunFolder


def record_code(
    folder: RunFolder, manifest_file: Path, project_dir: Path, selected: Iterable[str], surroundings: Iterable[str]
) -> CodeManifest:
    """Write code.json out of the manifest of a parse, before a build writes more into it. Raises RunFolderError."""

    def checksum(file: str) -> str:
        try:
            with (project_dir / file).open("rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError:  # A file of a package: it is as old as the package.
            return file

    manifest = read_code_manifest(manifest_file.read_bytes())
    folder.write_code(manifest.code(selected, surroundings, checksum))
    return manifest
