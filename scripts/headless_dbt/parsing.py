"""How the text of an input becomes a value: each takes the name and the text, or raises RequestError. Pure."""

import re
import shlex
from collections.abc import Callable

import yaml

from headless_dbt.errors import RequestError

# https://docs.github.com/en/rest/issues/labels
MOST_LABEL = 50


def secret_text(name: str, given: str) -> str:
    """Any text; it is never shown, also not where it is wrong."""
    return given


def one_word(name: str, given: str) -> str:
    """A name without white space, which cannot be taken for an option."""
    if re.search(r"\s", given) or given.startswith("-"):
        raise RequestError(
            name, given=shown(given), allowed="a name without spaces that does not begin with '-'", advice=mend(name)
        )
    return given


def selection(name: str, given: str) -> str:
    """A dbt node selection; line breaks of a YAML block become spaces."""
    return " ".join(given.split())


def one_line(name: str, given: str) -> str:
    """A text on one line."""
    if re.search(r"[\x00-\x1f]", given):
        raise RequestError(name, given=shown(given), allowed="one line without control characters", advice=mend(name))
    return given


def folder(name: str, given: str) -> str:
    """A path, as text; whether it exists is for the reader of the file system to say."""
    return one_line(name, given)


def boolean(name: str, given: str) -> bool:
    """``true`` or ``false``, in any case."""
    values = {"true": True, "false": False}
    if given.lower() not in values:
        raise RequestError(name, given=shown(given), allowed="true, false", advice=mend(name))
    return values[given.lower()]


def positive(name: str, given: str) -> int | None:
    """A whole number from 1, or None for an empty text."""
    if not given:
        return None
    if not re.fullmatch(r"[0-9]{1,4}", given) or int(given) < 1:
        raise RequestError(name, given=shown(given), allowed="a whole number from 1 to 9999", advice=mend(name))
    return int(given)


def natural(name: str, given: str) -> int:
    """A whole number from 0."""
    if not re.fullmatch(r"[0-9]{1,4}", given):
        raise RequestError(name, given=shown(given), allowed="a whole number from 0", advice=mend(name))
    return int(given)


def quantity(name: str, given: str) -> float:
    """A number from 0, with or without a decimal point."""
    if not re.fullmatch(r"[0-9]{1,7}(\.[0-9]{1,6})?", given):
        raise RequestError(name, given=shown(given), allowed="a number from 0", advice=mend(name))
    return float(given)


def mapping(name: str, given: str) -> str:
    """A YAML or JSON mapping, kept as the text that dbt will parse itself."""
    if not given:
        return ""
    try:
        value = yaml.safe_load(given)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise RequestError(
            name,
            given=f"{shown(given)}, which is not YAML ({reason})",
            allowed='a YAML or JSON mapping such as {"day": "2026-01-31"}',
            advice=mend(name),
        ) from None
    if not isinstance(value, dict):
        raise RequestError(
            name,
            given=f"{shown(given)}, which is not a mapping",
            allowed='a YAML or JSON mapping such as {"day": "2026-01-31"}',
            advice=mend(name),
        )
    return given


def words(name: str, given: str) -> tuple[str, ...]:
    """Arguments, split as a POSIX shell would split them, and never run by one."""
    try:
        return tuple(shlex.split(given))
    except ValueError as error:
        raise RequestError(
            name,
            given=f"{shown(given)} ({error})",
            allowed="arguments with balanced quotes",
            advice=mend(name),
        ) from None


def comma_separated(name: str, given: str) -> tuple[str, ...]:
    """Names between commas; white space around them does not count."""
    return tuple(part for part in (" ".join(piece.split()) for piece in given.split(",")) if part)


def labels(name: str, given: str) -> tuple[str, ...]:
    """Names of GitHub labels between commas."""
    for label in comma_separated(name, given):
        if len(label) > MOST_LABEL:
            raise RequestError(
                name, given=shown(label), allowed=f"labels of at most {MOST_LABEL} characters", advice=mend(name)
            )
    return comma_separated(name, given)


def one_of(*allowed: str) -> Callable[[str, str], str]:
    """One of these words, in any case."""

    def parse(name: str, given: str) -> str:
        if given.lower() not in allowed:
            raise RequestError(name, given=shown(given), allowed=", ".join(allowed), advice=mend(name))
        return given.lower()

    return parse


def assignments(name: str, given: str) -> tuple[tuple[str, str], ...]:
    """Lines of ``KEY=value``; blank lines and lines that begin with ``#`` do not count.

    The error names the line's number and never its text, which may be a secret.
    """
    pairs = []
    for number, line in enumerate(re.split(r"\r?\n", given), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        key, equals, value = line.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", key.strip()):
            raise RequestError(
                name,
                given=f"something else in line {number}",
                allowed="lines of KEY=value",
                advice=mend(name),
            )
        pairs.append((key.strip(), value.strip()))
    return tuple(pairs)


def version(name: str, given: str) -> str:
    """A version: ``1.11.16`` exactly, ``1.11`` for the newest of that line, or empty for the lock's."""
    if given and not re.fullmatch(r"[0-9]+\.[0-9]+(\.[0-9]+((a|b|rc)[0-9]+)?)?", given):
        raise RequestError(
            name, given=shown(given), allowed="a version such as 1.11.16, or a line such as 1.11", advice=mend(name)
        )
    return given


def is_rust_engine(version: str) -> bool:
    """Whether a version of dbt is one of dbt 2, the Rust engine."""
    return version.startswith("2.")


def dbt_version(name: str, given: str) -> str:
    """A version of dbt-core 1, or of dbt 2, the Rust engine."""
    if given and not given.startswith("1.") and not is_rust_engine(given):
        raise RequestError(
            name,
            given=shown(given),
            allowed="a version of dbt-core 1 such as 1.11.16, a line of it such as 1.11, or a version of dbt 2",
            advice=mend(name),
        )
    return version(name, given)


def adapter(name: str, given: str) -> str:
    """The short name of a dbt adapter's package: ``bigquery`` for dbt-bigquery."""
    if not re.fullmatch(r"[a-z0-9]+([_-][a-z0-9]+)*", given):
        raise RequestError(
            name,
            given=shown(given),
            allowed="bigquery, duckdb, or the short name of an adapter's package (postgres for dbt-postgres)",
            advice=mend(name),
        )
    return given.replace("_", "-").removeprefix("dbt-")


def python_request(name: str, given: str) -> str:
    """A Python version from 3.11, the path of an interpreter, or empty for the one of the runner."""
    if re.fullmatch(r"3\.[0-9]{1,2}(\.[0-9]{1,2})?", given):
        if int(given.split(".")[1]) >= 11:
            return given
    elif not given or given.startswith("/"):
        return given
    raise RequestError(
        name,
        given=shown(given),
        allowed="a version from 3.11 such as 3.12, or the path of a python3",
        advice=mend(name),
    )


def artifact_name(name: str, given: str) -> str:
    """What GitHub takes as the name of an artifact."""
    if len(given) > 200 or re.search(r'["<>|*?:\\/\x00-\x1f]', given):
        raise RequestError(
            name,
            given=shown(given),
            allowed='at most 200 characters, none of them one of " : < > | * ? \\ /',
            advice=mend(name),
        )
    return given


def shown(given: str) -> str:
    """A given text as an error shows it: quoted, on one line, cut where it is long."""
    return repr(given if len(given) <= 120 else given[:117] + "...")


def mend(name: str) -> str:
    """The usual advice for a bad input."""
    return f"Correct the input `{name}` and run again."
