"""Google credentials: which shapes are taken, whose they are, and what of them is secret."""

import base64
import json
from typing import Any

import pytest
from headless_dbt.errors import RequestError
from headless_dbt.google_account import (
    IAM_OVERRIDE,
    SHAPES,
    STS_OVERRIDE,
    checked_credentials,
    parse_credentials,
    project_of,
    secret_parts,
    workload_identity,
)
from hypothesis import given
from hypothesis import strategies as st

PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nBKcwggSjAgEAAoIBAQC7\n-----END PRIVATE KEY-----\n"
ACCOUNT = "dbt@acme-dwh.iam.gserviceaccount.com"
KEY = {"type": "service_account", "client_email": ACCOUNT, "private_key": PEM, "token_uri": "https://token"}
PROVIDER = "projects/4711/locations/global/workloadIdentityPools/github/providers/acme"
OIDC = {"ACTIONS_ID_TOKEN_REQUEST_URL": "https://oidc?x=1", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of-the-job"}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(KEY),
        json.dumps(KEY, indent=2).replace("\n", "\r\n"),
        json.dumps(KEY).replace("\\n", "\n"),
        json.dumps({**KEY, "private_key": PEM.replace("\n", "\\n")}),
        base64.b64encode(json.dumps(KEY).encode()).decode(),
        base64.encodebytes(json.dumps(KEY).encode()).decode(),
        "\ufeff" + json.dumps(KEY),
    ],
    ids=["as it is", "Windows", "pasted with real line breaks", "escaped twice", "base64", "base64 in lines", "marked"],
)
def test_a_key_is_taken_however_it_was_pasted(text: str) -> None:
    assert checked_credentials(text) == KEY


def test_a_key_without_an_address_for_tokens_has_googles() -> None:
    without = {name: value for name, value in KEY.items() if name != "token_uri"}

    assert checked_credentials(json.dumps(without))["token_uri"] == "https://oauth2.googleapis.com/token"


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("hunter2", "something that is not a Google credentials file"),
        ("/home/me/key.json", "the path of a file"),
        ("~/Downloads/acme-dwh-1a2b.json", "the path of a file"),
        ('{"type": "hunter2"}', f"a file whose type is none of {', '.join(SHAPES)}"),
        (
            '{"type": "service_account", "private_key": "hunter2"}',
            "a file of type service_account without client_email",
        ),
        (
            '{"type": "authorized_user", "client_id": "hunter2"}',
            "a file of type authorized_user without client_secret, refresh_token",
        ),
    ],
)
def test_what_cannot_work_is_refused_without_being_shown(text: str, given: str) -> None:
    with pytest.raises(RequestError) as caught:
        checked_credentials(text)

    assert str(caught.value).startswith(f"gcp-credentials: got {given}; allowed: ")
    assert "hunter2" not in str(caught.value)


@given(st.text())
def test_any_text_is_credentials_or_none(text: str) -> None:
    assert parse_credentials(text) is None or "type" in text or not text.isascii()


@pytest.mark.parametrize(
    ("content", "project"),
    [
        ({"project_id": "acme", "client_email": ACCOUNT}, "acme"),
        ({"quota_project_id": "acme"}, "acme"),
        ({"client_email": ACCOUNT}, "acme-dwh"),
        ({"workforce_pool_user_project": "4712", "audience": f"//iam.googleapis.com/{PROVIDER}"}, "4712"),
        ({"client_email": "dbt@shop.example.com.iam.gserviceaccount.com"}, "example.com:shop"),
        ({"url": f"https://x/v1/projects/-/serviceAccounts/{ACCOUNT}:generateAccessToken"}, "acme-dwh"),
        ({"source_credentials": {"client_email": ACCOUNT}}, "acme-dwh"),
        ({"audience": f"//iam.googleapis.com/{PROVIDER}"}, "4711"),
        ({"audience": f"//iam.googleapis.com/{PROVIDER}", "client_email": ACCOUNT}, "acme-dwh"),
        ({"client_id": "32555940559.apps.googleusercontent.com", "project_id": 7}, ""),
        ({}, ""),
    ],
)
def test_the_project_is_what_the_credentials_belong_to(content: dict[str, Any], project: str) -> None:
    assert project_of(content) == project


def test_what_nobody_else_may_know_is_found_wherever_it_stands() -> None:
    content = {
        **KEY,
        "private_key_id": "0a1b",
        "universe_domain": "googleapis.com",
        "source_credentials": {"refresh_token": "r", "client_id": "known"},
        "credential_source": {
            "headers": {"Authorization": "Bearer of-the-job", "X-Key": "own"},
            "url": "https://known",
        },
    }

    assert secret_parts(content) == {
        *(PEM, *PEM.split("\n")[1:3], "0a1b", "r"),
        *("Bearer of-the-job", "of-the-job", "own"),
    }


def test_the_addresses_are_googles_or_those_that_gcloud_is_told() -> None:
    usual = workload_identity(PROVIDER, ACCOUNT, OIDC)
    own = workload_identity(PROVIDER, ACCOUNT, {**OIDC, STS_OVERRIDE: "http://sts:1/", IAM_OVERRIDE: "http://iam:2"})

    assert usual["token_url"] == "https://sts.googleapis.com/v1/token"
    assert own["token_url"] == "http://sts:1/v1/token"
    path = f"/v1/projects/-/serviceAccounts/{ACCOUNT}:generateAccessToken"
    assert usual["service_account_impersonation_url"] == f"https://iamcredentials.googleapis.com{path}"
    assert own["service_account_impersonation_url"] == f"http://iam:2{path}"


def test_a_header_that_every_request_has_is_no_secret() -> None:
    headers = {"Metadata": "True", "Metadata-Flavor": "Google", "accept": "application/json", "X-Key": "own"}

    assert secret_parts({"credential_source": {"headers": headers}}) == {"own"}
