"""The code of a run on record."""

import json
from pathlib import Path

import pytest
from headless_dbt.code_record import record_code
from headless_dbt.errors import RunFolderError
from headless_dbt.run_folder import RunFolder

from tests.unit.builders import manifest, manifest_node

SEED = "seed.shop.large"


def _record(tmp_path: Path, content: str) -> dict[str, str]:
    (tmp_path / "seeds").mkdir(exist_ok=True)
    (tmp_path / "seeds/large.csv").write_text(content)
    checksum = {"name": "path", "checksum": "seeds/large.csv"}
    node = manifest_node(SEED, original_file_path="seeds/large.csv", checksum=checksum)
    (tmp_path / "manifest.json").write_text(json.dumps(manifest(node)))
    folder = RunFolder(tmp_path)
    record_code(folder, tmp_path / "manifest.json", tmp_path, [SEED], ["here"])
    return folder.read_code().nodes


def test_the_content_of_a_large_seed_counts(tmp_path: Path) -> None:
    assert _record(tmp_path, "id\n1\n") == _record(tmp_path, "id\n1\n") != _record(tmp_path, "id\n2\n")


def test_a_manifest_that_is_none_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(RunFolderError, match="is not readable"):
        record_code(RunFolder(tmp_path), tmp_path / "manifest.json", tmp_path, (), ())


def test_a_seed_of_a_package_is_known_by_its_path(tmp_path: Path) -> None:
    checksum = {"name": "path", "checksum": "seeds/gone.csv"}
    node = manifest_node(SEED, original_file_path="seeds/gone.csv", checksum=checksum)
    (tmp_path / "manifest.json").write_text(json.dumps(manifest(node)))
    assert record_code(RunFolder(tmp_path), tmp_path / "manifest.json", tmp_path, [SEED], ()) is not None
    assert RunFolder(tmp_path).read_code().nodes[SEED]
