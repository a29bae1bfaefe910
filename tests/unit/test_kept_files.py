"""What is kept from run to run is whole, or it is nothing."""

import stat
from pathlib import Path

import pytest
from headless_dbt.kept_files import digest_of, read_archive, write_archive


def test_what_is_written_is_read_again_and_is_for_this_user_alone(tmp_path: Path) -> None:
    file = tmp_path / "kept/a.zip"
    write_archive(file, {"x": b"1", "y/z": b"2"})
    assert read_archive(file) == {"x": b"1", "y/z": b"2"}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.iterdir()) == [file]


def test_the_same_contents_make_the_same_file(tmp_path: Path) -> None:
    write_archive(tmp_path / "a.zip", {"x": b"1", "y": b"2"})
    write_archive(tmp_path / "b.zip", {"y": b"2", "x": b"1"})
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


@pytest.mark.parametrize("at", [0, 30, 45, -30, -1])
def test_a_byte_that_has_changed_is_noticed_or_means_nothing(tmp_path: Path, at: int) -> None:
    file, contents = tmp_path / "a.zip", {"x": b"some content"}
    write_archive(file, contents)
    content = bytearray(file.read_bytes())
    content[at] ^= 0xFF
    file.write_bytes(content)
    assert b"some content" not in read_archive(file).values() or read_archive(file) == contents


@pytest.mark.parametrize("content", [b"", b"garbage", b"PK\x03\x04 and garbage"])
def test_what_is_no_archive_holds_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(content)
    assert read_archive(tmp_path / "a.zip") == {}
    assert read_archive(tmp_path) == read_archive(tmp_path / "none.zip") == {}


def test_a_torn_archive_holds_nothing(tmp_path: Path) -> None:
    file = tmp_path / "a.zip"
    write_archive(file, {"x": b"1" * 1000})
    file.write_bytes(file.read_bytes()[:700])
    assert read_archive(file) == {}


def test_a_folder_is_known_by_its_archives(tmp_path: Path) -> None:
    assert digest_of(tmp_path) == digest_of(tmp_path / "none") == ""
    write_archive(tmp_path / "a.zip", {"x": b"1"})
    first = digest_of(tmp_path)
    (tmp_path / "other").write_text("of no weight")
    assert digest_of(tmp_path) == first
    write_archive(tmp_path / "a.zip", {"x": b"2"})
    second = digest_of(tmp_path)
    (tmp_path / "a.zip").rename(tmp_path / "b.zip")
    assert len({"", first, second, digest_of(tmp_path)}) == 4


def test_a_place_that_cannot_be_had_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    write_archive(tmp_path / "file/a.zip", {"x": b"1"})
    assert read_archive(tmp_path / "file/a.zip") == {}
