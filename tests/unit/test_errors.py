"""The vocabulary of errors."""

import operator
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
        operator.itemgetter("nodes")({})
    error = errors.InternalError(caught.value)

    sentence = str(error)
    file = Path(sentence.rsplit(maxsplit=1)[-1].removesuffix("."))
    try:
        assert sentence.startswith("This is a bug of headless-dbt (KeyError: 'nodes'). Please report it with ")
        assert "Traceback" in file.read_text()
        assert "Traceback" not in sentence
    finally:
        file.unlink()
