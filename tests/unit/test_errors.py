"""The vocabulary of errors."""

import errno
import operator
import tempfile
from pathlib import Path

import pytest
from headless_dbt import errors


@pytest.mark.parametrize(
    ("kind", "exit_code"),
    [
        (errors.RequestError, 2),
        (errors.DbtUnusableError, 3),
        (errors.RunFolderError, 4),
        (errors.GitHubError, 5),
        (errors.InternalError, 3),
        (errors.CancelledError, 130),
    ],
)
def test_each_class_has_its_exit_code(kind: type[errors.HeadlessDbtError], exit_code: int) -> None:
    assert kind.exit_code == exit_code
    assert kind.title


def test_a_wrong_request_names_what_was_given_what_is_allowed_and_what_to_do() -> None:
    error = errors.RequestError("threads", given="'x'\n  y", allowed="a number", advice="Correct it.")

    assert str(error) == "threads: got 'x' y; allowed: a number. Correct it."


def test_a_bug_leaves_its_traceback_in_a_file_and_a_sentence_for_the_user() -> None:
    with pytest.raises(KeyError) as caught:
        operator.itemgetter("no" + "des")({})
    error = errors.InternalError(caught.value)

    sentence = str(error)
    file = Path(sentence.rsplit(maxsplit=1)[-1].removesuffix("."))
    try:
        assert sentence.startswith("This is a bug of headless-dbt (KeyError: 'nodes'). Please report it with ")
        assert "Traceback" in file.read_text()
        assert "'nodes'" not in file.read_text()  # It may be a secret.
        assert "Traceback" not in sentence
    finally:
        file.unlink()


def test_a_full_disk_is_no_bug() -> None:
    told = errors.told_as(OSError(errno.ENOSPC, "No space left on device", "/run/dbt.log"))

    assert isinstance(told, errors.DiskError)
    assert told.exit_code == 3
    assert str(told) == "No space left on device: /run/dbt.log. Make room, and run again."


def test_a_full_disk_without_a_file_is_told_too() -> None:
    assert "a file of the run" in str(errors.told_as(OSError(errno.ENOSPC, "No space left on device")))


@pytest.mark.parametrize("error", [FileNotFoundError(errno.ENOENT, "gone"), KeyError("nodes")])
def test_any_other_exception_is_a_bug(error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert isinstance(errors.told_as(error), errors.InternalError)


def test_an_error_of_ours_is_told_as_it_is() -> None:
    ours = errors.CancelledError("SIGINT ended it.")
    assert errors.told_as(ours) is ours


def test_a_bug_whose_traceback_finds_no_room_is_still_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", full)
    assert "its traceback could not be written (No space left on device)" in str(errors.told_as(KeyError("x")))
