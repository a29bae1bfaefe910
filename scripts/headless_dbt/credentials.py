"""Google credentials of a run, as a file that only this user can read and that is gone when the run ends."""

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from headless_dbt.errors import RequestError
from headless_dbt.google_account import (
    PROJECT_VARIABLES,
    checked_credentials,
    parse_credentials,
    project_of,
    workload_identity,
)

# Where google-auth and google-github-actions/auth say that a file with credentials lies.
AMBIENT_VARIABLES = (
    "GOOGLE_APPLICATION_CREDENTIALS",
    "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE",
    "GOOGLE_GHA_CREDS_PATH",
)
_MOST_BYTES = 1 << 16


@contextmanager
def google_credentials(
    key: str, provider: str, service_account: str, environment: Mapping[str, str], keep: Callable[[Path], None]
) -> Iterator[dict[str, str]]:
    """The environment variables that give dbt its Google credentials; empty where there are none.

    ``environment`` is all that dbt would have without them. ``keep`` is told the folder before the file is in it, so
    that whoever ends a run that was killed can take it away. Raises RequestError where the credentials cannot work.
    """
    if key and provider:
        raise RequestError(
            "gcp-credentials",
            given="a key together with workload-identity-provider",
            allowed="one of the two",
            advice="Leave out the key: the provider is the safer one.",
        )
    if service_account and not provider:
        raise RequestError(
            "service-account",
            given="an account without workload-identity-provider",
            allowed="both or neither",
            advice="Set `workload-identity-provider` too.",
        )
    if not key and not provider:
        found = next(filter(None, map(parse_credentials, ambient_credentials(environment))), None)
        yield _project_variable(found, environment)
        return
    content = checked_credentials(key) if key else workload_identity(provider, service_account, environment)
    folder = Path(tempfile.mkdtemp(prefix="headless-dbt-", dir=environment.get("RUNNER_TEMP") or None))
    try:
        keep(folder)
        file = folder / "credentials.json"
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(content, stream)
        yield {"GOOGLE_APPLICATION_CREDENTIALS": str(file), **_project_variable(content, environment)}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def ambient_credentials(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The contents of the credentials files that the runner already has, Google's own first."""
    contents = []
    for path in dict.fromkeys(filter(None, map(environment.get, AMBIENT_VARIABLES))):
        with contextlib.suppress(OSError, ValueError), Path(path).open(encoding="utf-8") as file:
            contents.append(file.read(_MOST_BYTES))
    return tuple(contents)


def _project_variable(content: Mapping[str, Any] | None, environment: Mapping[str, str]) -> dict[str, str]:
    """The variable that names the project, unless it is set; an empty one is not.

    Without it google-auth asks a service for the project of an ``external_account``, and tries that for ten minutes
    where it cannot be reached; so whatever is known is better than nothing.
    """
    if environment.get(PROJECT_VARIABLES[0]):
        return {}
    given = next(filter(None, map(environment.get, PROJECT_VARIABLES)), "")
    project = given or (project_of(content) if content else "")
    return {PROJECT_VARIABLES[0]: project} if project else {}
