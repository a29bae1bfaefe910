"""Google credentials of a run, as a file that only this user can read and that is gone when the run ends.

A service account key is written as it is. Without a key, a workload identity provider becomes an
``external_account`` file: Google's own client then exchanges GitHub's OIDC token for an access token.
Source: https://google.aip.dev/auth/4117 and
https://docs.github.com/en/actions/how-tos/secure-your-work/security-harden-deployments/oidc-in-google-cloud-platform
"""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from headless_dbt.errors import RequestError

_TOKEN_URL = "https://sts.googleapis.com/v1/token"  # noqa: S105  The address of an exchange, not a token.
_IMPERSONATION = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{}:generateAccessToken"


@contextmanager
def google_credentials(
    key: str, provider: str, service_account: str, environment: Mapping[str, str]
) -> Iterator[dict[str, str]]:
    """The environment variables that give dbt its Google credentials; empty where none were asked for.

    Raises RequestError where they cannot work.
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
        yield {}
        return
    content = _checked_key(key) if key else _external_account(provider, service_account, environment)
    with tempfile.TemporaryDirectory(prefix="headless-dbt-", dir=environment.get("RUNNER_TEMP") or None) as folder:
        file = Path(folder) / "credentials.json"
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(content, stream)
        variables = {"GOOGLE_APPLICATION_CREDENTIALS": str(file)}
        project = str(content.get("project_id", ""))
        # Without a project Google's client asks a service for it, and retries for ten minutes where it cannot.
        if project and not environment.get("GOOGLE_CLOUD_PROJECT"):
            variables["GOOGLE_CLOUD_PROJECT"] = project
        yield variables


def _checked_key(key: str) -> dict[str, Any]:
    try:
        content = json.loads(key)
    except ValueError:
        content = None
    if not isinstance(content, dict) or "type" not in content:
        raise RequestError(
            "gcp-credentials",
            given="something that is not a Google credentials file",
            allowed="the whole JSON of a service account key",
            advice="Paste the file's content into the secret again.",
        )
    return content


def _external_account(provider: str, service_account: str, environment: Mapping[str, str]) -> dict[str, Any]:
    url = environment.get("ACTIONS_ID_TOKEN_REQUEST_URL")
    token = environment.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    if not url or not token:
        raise RequestError(
            "workload-identity-provider",
            given="a provider, but the job may not ask GitHub for an identity token",
            allowed="a job with `id-token: write`",
            advice="Add `id-token: write` to the `permissions:` of the calling job.",
        )
    audience = f"//iam.googleapis.com/{provider}"
    return {
        "type": "external_account",
        "audience": audience,
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": _TOKEN_URL,
        "credential_source": {
            "url": f"{url}&audience={quote('https:' + audience, safe='')}",
            "headers": {"Authorization": f"Bearer {token}"},
            "format": {"type": "json", "subject_token_field_name": "value"},
        },
        **(
            {"service_account_impersonation_url": _IMPERSONATION.format(quote(service_account, safe="@"))}
            if service_account
            else {}
        ),
    }
