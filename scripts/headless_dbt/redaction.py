"""Take secrets out of what a run leaves behind. GitHub masks them in logs alone, not in artifacts or issues."""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

MASK = "*****"
# A shorter value would tear ordinary text apart, and is no secret that holds.
SHORTEST = 4

# Keys and tokens that are known by their shape: PEM private keys, GitHub tokens, Google access tokens.
_SHAPES = re.compile(
    rb"-----BEGIN [A-Z ]*PRIVATE KEY-----[A-Za-z0-9+/=\\\s]*(?:-----END [A-Z ]*PRIVATE KEY-----)?"
    rb"|\bgh[pousr]_[A-Za-z0-9]{36,}\b|\bgithub_pat_[A-Za-z0-9_]{60,}\b|\bya29\.[A-Za-z0-9_.-]{20,}"
)


def secret_values(assignments: Iterable[tuple[str, str]], key: str, environment: Mapping[str, str]) -> frozenset[str]:
    """The secrets of a run: values of ``dbt-env``, the key and its parts, and every ``DBT_ENV_SECRET_*``."""
    values = {value for _, value in assignments} | {key}
    values |= {value for name, value in environment.items() if name.startswith("DBT_ENV_SECRET_")}
    try:
        parsed = json.loads(key) if key else {}
    except ValueError:
        parsed = {}
    if isinstance(parsed, dict):
        values |= {parsed[name] for name in ("private_key", "private_key_id") if isinstance(parsed.get(name), str)}
    return frozenset(value for value in values if len(value) >= SHORTEST)


def redact(content: bytes, secrets: Iterable[str]) -> bytes:
    """``content`` without the secrets, also where they stand inside a JSON string."""
    for secret in sorted(secrets, key=len, reverse=True):
        for form in {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}:
            content = content.replace(form.encode(), MASK.encode())
    return _SHAPES.sub(MASK.encode(), content)


def redact_folder(folder: Path, secrets: Iterable[str]) -> None:
    """Redact every file under ``folder`` in place; a file without secrets is not touched."""
    secrets = tuple(secrets)
    for file in folder.rglob("*"):
        if file.is_file() and not file.is_symlink():
            content = file.read_bytes()
            clean = redact(content, secrets)
            if clean != content:
                file.write_bytes(clean)
