"""One file out of an archive that lies elsewhere."""

import io
import random
import zipfile
from collections.abc import Callable, Mapping

import pytest
from headless_dbt.archive_parts import Part, TooLargeError, read_entry

MOST = 50 << 20
WANTED = bytes(range(256)) * 8
NOISE = random.Random(1).randbytes(1 << 20)


def archive(files: Mapping[str, bytes]) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return memory.getvalue()


class Storage:
    """Hands out parts, and counts them."""

    def __init__(self, content: bytes, *, in_parts: bool = True) -> None:
        self.content, self.in_parts = content, in_parts
        self.asked: list[tuple[int, int]] = []

    def __call__(self, first: int, last: int) -> Part:
        self.asked.append((first, last))
        start, end = (first, last + 1) if self.in_parts else (0, len(self.content))
        return Part(start, self.content[start:end], len(self.content))


LARGE = archive({"manifest.json": NOISE, "run.json": WANTED, "run_results.json": NOISE})


def test_a_file_of_a_large_archive_costs_three_parts() -> None:
    storage = Storage(LARGE)
    assert read_entry(storage, "run.json", MOST) == WANTED
    assert len(storage.asked) == 3
    assert sum(last - first + 1 for first, last in storage.asked) < 150_000


def test_a_small_archive_comes_at_once() -> None:
    storage = Storage(archive({"run.json": WANTED}))
    assert read_entry(storage, "run.json", MOST) == WANTED
    assert len(storage.asked) == 1


@pytest.mark.parametrize("count", [0, 3000])
@pytest.mark.parametrize("noise", [0, 65_000, 65_536, 200_000])
@pytest.mark.parametrize("behind", [True, False])
def test_wherever_the_file_lies_it_is_found(count: int, noise: int, behind: bool) -> None:
    """Also behind a directory that is longer than a part."""
    many = {f"attempts/1/compiled/models/{number}.sql": b"" for number in range(count)}
    files = {"noise": NOISE[:noise], **many}
    storage = Storage(archive({**files, "run.json": WANTED} if behind else {"run.json": WANTED, **files}))
    assert read_entry(storage, "run.json", MOST) == WANTED
    assert len(storage.asked) <= 4


def test_where_there_are_no_parts_the_whole_is_read_once() -> None:
    storage = Storage(LARGE, in_parts=False)
    assert read_entry(storage, "run.json", MOST) == WANTED
    assert len(storage.asked) == 1


def test_a_file_that_is_not_in_it_is_none() -> None:
    assert read_entry(Storage(LARGE), "session.json", MOST) is None


def test_no_more_is_read_than_allowed() -> None:
    bomb = archive({"run.json": bytes(1 << 20)})
    assert len(bomb) < 2000
    for content, name in ((bomb, "run.json"), (LARGE, "manifest.json")):
        with pytest.raises(TooLargeError):
            read_entry(Storage(content), name, 200_000)


def _short(first: int, last: int) -> Part:
    return Part(first, LARGE[first:last], len(LARGE))


def _elsewhere(first: int, last: int) -> Part:
    return Part(7, LARGE[first : last + 1], len(LARGE))


@pytest.mark.parametrize("ask", [Storage(b""), Storage(b"no archive"), Storage(LARGE[:-9]), _short, _elsewhere])
def test_what_is_no_archive_is_said(ask: Callable[[int, int], Part]) -> None:
    with pytest.raises(zipfile.BadZipFile):
        read_entry(ask, "run.json", MOST)
