"""Google credentials as data: their shapes, the project they belong to, and which parts of them are secret. Pure.

Source: https://google.aip.dev/auth/4110, 4112, 4113 and 4117, and google-auth's ``_default.py``.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from headless_dbt.errors import RequestError

# What google-auth reads from a file, and the fields without which it cannot.
SHAPES: dict[str, tuple[str, ...]] = {
    "service_account": ("client_email", "private_key"),
    "authorized_user": ("client_id", "client_secret", "refresh_token"),
    "external_account": ("audience", "subject_token_type", "token_url", "credential_source"),
    "external_account_authorized_user": ("audience", "token_url", "refresh_token"),
    "impersonated_service_account": ("source_credentials", "service_account_impersonation_url"),
}
# The variables that name a project to Google's own tools; the first is dbt's and google-auth's.
PROJECT_VARIABLES = ("GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT")
# gcloud's own settings for other addresses, such as those of Private Service Connect:
# https://cloud.google.com/sdk/gcloud/reference/config, `api_endpoint_overrides`.
STS_OVERRIDE = "CLOUDSDK_API_ENDPOINT_OVERRIDES_STS"
IAM_OVERRIDE = "CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS"

_STS, _IAM = "https://sts.googleapis.com", "https://iamcredentials.googleapis.com"
_OAUTH = "https://oauth2.googleapis.com/token"
_SECRET_FIELDS = {"private_key", "private_key_id", "refresh_token", "client_secret", "token", "access_token"}
_EMAIL = re.compile(r"[^/@\s]{1,64}@(?P<project>[a-z0-9.-]{1,80})\.iam\.gserviceaccount\.com\b")
_NUMBER = re.compile(r"\bprojects/(?P<number>\d{1,20})/")
_HEADERS = "headers"
# Headers of a metadata service, or of any request: taken for secrets, `True` would be one in every text.
_HARMLESS_HEADERS = {"metadata", "metadata-flavor", "accept", "content-type", "user-agent"}
# A line of base64 that is no ordinary word.
_LONG = 20


def parse_credentials(text: str) -> dict[str, Any] | None:
    """The content of a credentials file: as it is, as base64, or with line breaks that a paste has put into its key."""
    content = parse_object(text)
    return content if content and isinstance(content.get("type"), str) else None


def parse_object(text: str) -> dict[str, Any] | None:
    """A JSON object, written as credentials may be; an OAuth client's file, for one, does not say its type."""
    # An editor may begin a file with a mark of its encoding.
    for candidate in (text.lstrip("\ufeff"), _from_base64(text)):
        try:
            # Not strict: a key whose escaped line breaks became real ones is still that key.
            content = json.loads(candidate, strict=False)
        except (ValueError, RecursionError):
            continue
        if isinstance(content, dict):
            return content
    return None


def checked_credentials(text: str) -> dict[str, Any]:
    """The content of a credentials file that Google's client will take. Raises RequestError, without any of it."""
    content = parse_credentials(text)
    if content is None:
        path = re.fullmatch(r"[\w./~\\: -]{1,200}\.json", text.strip())
        given = "the path of a file" if path else "something that is not a Google credentials file"
        raise _refusal(given)
    kind = content["type"]
    if kind not in SHAPES:
        raise _refusal(f"a file whose type is none of {', '.join(SHAPES)}")
    if missing := [field for field in SHAPES[kind] if not content.get(field)]:
        raise _refusal(f"a file of type {kind} without {', '.join(missing)}")
    if kind == "service_account":
        # Escaped twice, it has no line break at all.
        key = str(content["private_key"])
        content["private_key"] = key if "\n" in key else key.replace("\\n", "\n")
        content.setdefault("token_uri", _OAUTH)
    return content


def workload_identity(provider: str, service_account: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """The file with which Google's client exchanges GitHub's identity token for an access token.

    Raises RequestError where the job may not have an identity token.
    """
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
    sts, iam = (
        (environment.get(override) or usual).rstrip("/")
        for override, usual in ((STS_OVERRIDE, _STS), (IAM_OVERRIDE, _IAM))
    )
    account = quote(service_account, safe="@")
    impersonation = f"{iam}/v1/projects/-/serviceAccounts/{account}:generateAccessToken"
    return {
        "type": "external_account",
        "audience": audience,
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": f"{sts}/v1/token",
        "credential_source": {
            "url": f"{url}&audience={quote('https:' + audience, safe='')}",
            "headers": {"Authorization": f"Bearer {token}"},
            "format": {"type": "json", "subject_token_field_name": "value"},
        },
        **({"service_account_impersonation_url": impersonation} if service_account else {}),
    }


def project_of(content: Mapping[str, Any]) -> str:
    """The project that credentials belong to: as they say, by the account, else the number in a provider's name."""
    for field in ("project_id", "quota_project_id", "workforce_pool_user_project"):
        if isinstance(content.get(field), str) and content[field]:
            return str(content[field])
    texts = [text for _, text in _texts(content)]
    for found in filter(None, map(_EMAIL.search, texts)):
        # An account of the project example.com:shop is name@shop.example.com.iam.…
        project, dot, domain = found["project"].partition(".")
        return f"{domain}:{project}" if dot else project
    for found in filter(None, map(_NUMBER.search, texts)):
        return found["number"]
    return ""


def secret_parts(content: Mapping[str, Any]) -> set[str]:
    """The parts of credentials that nobody else may know; of a private key also each line."""
    parts = set()
    for field, text in _texts(content):
        if field in _SECRET_FIELDS:
            parts |= {text, *secret_lines(text)}
        elif field == _HEADERS:
            parts |= {text, text.rpartition(" ")[2]}
    return parts


def secret_lines(text: str) -> set[str]:
    """The long lines of a secret that has several, as a private key has; line breaks may be escaped."""
    lines = [line.strip() for line in text.replace("\\n", "\n").split("\n")]
    return {line for line in lines if len(line) >= _LONG and "PRIVATE KEY" not in line} if len(lines) > 1 else set()


def written_forms(text: str) -> set[str]:
    """Credentials as they may be written elsewhere: as JSON, and as base64 on one line and as it was given."""
    decoded = _from_base64(text)
    as_given = {"".join(text.split()), *text.split()} if decoded else set()
    plain = decoded or text
    return {plain, base64.b64encode(plain.encode()).decode(), *as_given}


def _texts(value: Any, field: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a JSON value, with the name of its field; all headers of a request have the same."""
    if isinstance(value, str):
        yield field, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            is_header = field == _HEADERS and str(name).lower() not in _HARMLESS_HEADERS
            yield from _texts(inner, _HEADERS if is_header else str(name))
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, field)


def _from_base64(text: str) -> str:
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode()
    except (binascii.Error, ValueError):
        return ""


def _refusal(given: str) -> RequestError:
    return RequestError(
        "gcp-credentials",
        given=given,
        allowed="the whole JSON of a service account key, or base64 of it",
        advice="Paste the file's content into the secret again.",
    )
