"""Take secrets out of what a run leaves behind. GitHub masks them in logs alone, not in artifacts or issues."""

import json
import os
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from headless_dbt.google_account import (
    parse_credentials,
    parse_object,
    secret_lines,
    secret_parts,
    written_forms,
)

MASK = "*****"
# A shorter value would tear ordinary text apart, and is no secret that holds.
SHORTEST = 4
# Words by which dbt's files say what they are and what became of a node: nobody keeps them secret, and without them a
# good run could not be told from a bad one. https://schemas.getdbt.com
_OF_DBT = frozenset(
    "success error fail warn pass skipped no-op reused runtime partial "  # noqa: SIM905
    "build clone compile debug deps docs freshness list parse retry run seed show snapshot source test "
    "analysis exposure function group hook macro metric model operation saved_query semantic_model unit_test "
    "catalog manifest run-results run_results sources schemas getdbt "
    "table view incremental ephemeral true false null none".split()
)
# https://docs.github.com/en/actions/reference/security/oidc; the other is of the artifact and cache services.
JOB_TOKENS = ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_RUNTIME_TOKEN")

# Keys and tokens that are known by their shape, by what they begin with: PEM private keys, GitHub tokens, Google access
# and refresh tokens, JSON web tokens. Looking for the beginning is a hundred times faster than looking for the shape;
# and one that begins with a fixed text is found ten times faster, so that it looks behind for what may not stand there.
_SHAPES = {
    "-----BEGIN ": re.compile(
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----[A-Za-z0-9+/=\\\s]*(?:-----END [A-Z ]*PRIVATE KEY-----)?"
    )
} | {
    beginning: re.compile(f"{re.escape(beginning)}(?<!\\w{re.escape(beginning)}){rest}")
    for beginning, rest in (
        *((f"gh{kind}_", r"[A-Za-z0-9]{36,}\b") for kind in "pousr"),
        ("github_pat_", r"[A-Za-z0-9_]{60,}\b"),
        ("ya29.", r"[A-Za-z0-9_.-]{20,}"),
        ("1//0", r"[A-Za-z0-9_-]{30,}"),
        ("eyJ", r"[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
    )
}
# The name of a field in dbt's files; a unique_id, which is a key too, has dots.
_FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def secret_values(
    assignments: Iterable[tuple[str, str]], credentials: Iterable[str], environment: Mapping[str, str]
) -> frozenset[str]:
    """The secrets of a run.

    Values of ``dbt-env``, every ``DBT_ENV_SECRET_*``, the tokens with which a job speaks to GitHub's services, and of
    these and of the ``credentials`` (contents of Google credentials files) the parts that are secret by themselves.
    Not what is too short to be one, and no word of dbt's own.
    """
    values = {value for _, value in assignments}
    values |= {value for name, value in environment.items() if name.startswith("DBT_ENV_SECRET_")}
    values |= {environment.get(name, "") for name in JOB_TOKENS}
    values |= set(credentials)
    for text in tuple(values):
        if parse_credentials(text):
            values |= written_forms(text)
        else:
            values |= secret_lines(text)
        values |= secret_parts(parse_object(text) or {})
    stripped = {value.strip() for value in values}
    return frozenset(value for value in stripped if len(value) >= SHORTEST and value.lower() not in _OF_DBT)


def redact(content: bytes, secrets: Iterable[str]) -> bytes:
    """``content`` without the secrets; JSON and JSON lines stay what they are.

    People put ``DEBUG=true`` among their secrets too: in JSON only strings are searched, never a literal or the
    name of a field.
    """
    forms = _forms(frozenset(secrets))
    searched = (form.encode("utf-8", "surrogateescape") for form in (*forms, *_SHAPES))
    if not any(each in content for each in searched):
        return content
    text = content.decode("utf-8", "surrogateescape")
    if _without(text, forms) == text:
        return content
    if text.lstrip().startswith(("{", "[")):
        try:
            clean = _redacted_json(text, forms)
        except (ValueError, RecursionError):
            # What goes over several lines first: a key, for one.
            text = _without(text, (form for form in forms if "\n" in form))
            clean = "\n".join(_line(line, forms) for line in text.split("\n"))
    else:
        clean = _without(text, forms)
    return clean.encode("utf-8", "surrogateescape")


def redact_folder(folder: Path, secrets: Iterable[str]) -> None:
    """Redact every file under ``folder``; a file without secrets is not touched, and neither is one outside.

    An artifact of an attempt stands at the top of the folder too: two names of one file, which they stay.
    """
    secrets = tuple(secrets)
    names: dict[tuple[int, int], list[Path]] = {}
    for file in folder.rglob("*"):
        if file.is_file() and not file.is_symlink():
            names.setdefault((file.stat().st_dev, file.stat().st_ino), []).append(file)
    for first, *others in names.values():
        content = first.read_bytes()
        clean = redact(content, secrets)
        if clean != content:
            # A new file: what is there may have a name outside of the folder too.
            mode = first.stat().st_mode
            first.unlink()
            first.write_bytes(clean)
            first.chmod(mode)
            for other in others:
                other.unlink()
                try:
                    os.link(first, other)
                except OSError:  # No links here; then there were none either, but for a race.
                    other.write_bytes(clean)


@lru_cache(maxsize=4)
def _forms(secrets: frozenset[str]) -> tuple[str, ...]:
    """The secrets as they are and as they stand inside a URL or a JSON text, the longest first."""
    forms = {form for secret in secrets for form in (secret, json.dumps(secret)[1:-1], _json_body(secret))}
    forms = forms.union(*map(_in_url, secrets))
    return tuple(sorted(forms | {_json_body(form) for form in forms}, key=len, reverse=True))


def _in_url(secret: str) -> set[str]:
    """As a password or a parameter: programs encode more of it or less, and write hexadecimals in either case."""
    encoders = (quote_plus, partial(quote, safe=""), partial(quote, safe="!'()*"), quote)
    upper = {encode(secret, errors="surrogateescape") for encode in encoders}
    return upper | {re.sub("%..", lambda code: code[0].lower(), text) for text in upper}


def _json_body(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _without(text: str, forms: Iterable[str]) -> str:
    for form in forms:
        text = text.replace(form, MASK)
    for beginning, shape in _SHAPES.items():
        if beginning in text:
            text = shape.sub(MASK, text)
    return text


def _inside(value: Any, forms: tuple[str, ...]) -> Any:
    """A JSON value with its strings redacted."""
    if isinstance(value, str):
        return _without(value, forms)
    if isinstance(value, list):
        return [_inside(item, forms) for item in value]
    if isinstance(value, dict):
        return {
            key if _FIELD_NAME.fullmatch(key) else _without(key, forms): _inside(item, forms)
            for key, item in value.items()
        }
    return value


def _line(line: str, forms: tuple[str, ...]) -> str:
    """One line of a log of JSON objects; a torn one is text."""
    if _without(line, forms) == line:
        return line
    try:
        return _redacted_json(line, forms)
    except (ValueError, RecursionError):
        return _without(line, forms)


def _redacted_json(text: str, forms: tuple[str, ...]) -> str:
    # Not every string of JSON can be written as UTF-8 (half of a character), and not every number be kept.
    return json.dumps(_inside(json.loads(text), forms), allow_nan=False)
