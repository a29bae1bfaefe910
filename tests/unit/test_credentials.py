"""Google credentials: a file for this user alone, gone when the run ends."""

import json
import stat
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from headless_dbt.credentials import ambient_credentials
from headless_dbt.credentials import google_credentials as with_keeper
from headless_dbt.errors import RequestError

ACCOUNT = "dbt@acme-dwh.iam.gserviceaccount.com"
KEY = json.dumps(
    {
        "type": "service_account",
        "project_id": "acme-dwh",
        "client_email": ACCOUNT,
        "private_key": "-----BEGIN …\n",
        "token_uri": "https://oauth2.googleapis.com/token",
    }
)
PROVIDER = "projects/123/locations/global/workloadIdentityPools/github/providers/acme"
OIDC = {
    "ACTIONS_ID_TOKEN_REQUEST_URL": "https://oidc.actions.example/token?api-version=2.0",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of-the-job",
}


def google_credentials(
    key: str, provider: str, account: str, environment: dict[str, str]
) -> AbstractContextManager[dict[str, str]]:
    return with_keeper(key, provider, account, environment, lambda _: None)


def test_without_any_there_is_no_variable_and_no_file(tmp_path: Path) -> None:
    with google_credentials("", "", "", {"RUNNER_TEMP": str(tmp_path)}) as variables:
        assert variables == {}
        assert list(tmp_path.iterdir()) == []


def test_a_key_is_written_for_this_user_alone_and_gone_after(tmp_path: Path) -> None:
    with google_credentials(KEY, "", "", {"RUNNER_TEMP": str(tmp_path)}) as variables:
        file = Path(variables["GOOGLE_APPLICATION_CREDENTIALS"])
        assert variables["GOOGLE_CLOUD_PROJECT"] == "acme-dwh"
        assert json.loads(file.read_text()) == json.loads(KEY)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        assert tmp_path in file.parents

    assert list(tmp_path.iterdir()) == []


def test_the_file_is_gone_after_an_exception_too(tmp_path: Path) -> None:
    with (
        pytest.raises(KeyboardInterrupt),
        google_credentials(KEY, "", "", {"RUNNER_TEMP": str(tmp_path)}),
    ):
        raise KeyboardInterrupt

    assert list(tmp_path.iterdir()) == []


def test_a_project_that_the_caller_has_set_is_left(tmp_path: Path) -> None:
    environment = {"RUNNER_TEMP": str(tmp_path), "GOOGLE_CLOUD_PROJECT": "other"}

    with google_credentials(KEY, "", "", environment) as variables:
        assert set(variables) == {"GOOGLE_APPLICATION_CREDENTIALS"}


@pytest.mark.parametrize("key", ["nonsense hunter2", "[]", "{}", '"text"', '{"type": "x"', "null"])
def test_what_is_no_key_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(RequestError) as caught, google_credentials(key, "", "", {}):
        pass

    assert str(caught.value) == (
        "gcp-credentials: got something that is not a Google credentials file; "
        "allowed: the whole JSON of a service account key, or base64 of it. "
        "Paste the file's content into the secret again."
    )


def test_a_key_and_a_provider_are_one_too_many() -> None:
    with pytest.raises(RequestError, match="gcp-credentials: got a key together with workload-identity-provider"):
        google_credentials(KEY, PROVIDER, "", OIDC).__enter__()


def test_a_service_account_needs_a_provider() -> None:
    with pytest.raises(RequestError, match="service-account: got an account without workload-identity-provider"):
        google_credentials("", "", "dbt@acme.iam.gserviceaccount.com", OIDC).__enter__()


@pytest.mark.parametrize("missing", [*OIDC])
@pytest.mark.parametrize("empty", [True, False])
def test_a_provider_needs_a_job_that_may_ask_for_an_identity(missing: str, empty: bool) -> None:
    environment = {**OIDC, missing: ""} if empty else {name: OIDC[name] for name in OIDC if name != missing}

    with pytest.raises(RequestError) as caught:
        google_credentials("", PROVIDER, "", environment).__enter__()

    assert "Add `id-token: write` to the `permissions:` of the calling job." in str(caught.value)
    assert "of-the-job" not in str(caught.value)


def test_a_provider_becomes_the_document_that_googles_client_exchanges(tmp_path: Path) -> None:
    account = "dbt@acme.iam.gserviceaccount.com"

    with google_credentials("", PROVIDER, account, {**OIDC, "RUNNER_TEMP": str(tmp_path)}) as variables:
        assert set(variables) == {"GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT"}
        document = json.loads(Path(variables["GOOGLE_APPLICATION_CREDENTIALS"]).read_text())

    source = document.pop("credential_source")
    asked = parse_qs(urlsplit(source["url"]).query)
    assert asked == {"api-version": ["2.0"], "audience": [f"https://iam.googleapis.com/{PROVIDER}"]}
    assert source["headers"] == {"Authorization": "Bearer of-the-job"}
    assert source["format"] == {"type": "json", "subject_token_field_name": "value"}
    assert document == {
        "type": "external_account",
        "audience": f"//iam.googleapis.com/{PROVIDER}",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": "https://sts.googleapis.com/v1/token",
        "service_account_impersonation_url": (
            f"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{account}:generateAccessToken"
        ),
    }


def test_without_a_service_account_nobody_is_impersonated(tmp_path: Path) -> None:
    with google_credentials("", PROVIDER, "", {**OIDC, "RUNNER_TEMP": str(tmp_path)}) as variables:
        document = json.loads(Path(variables["GOOGLE_APPLICATION_CREDENTIALS"]).read_text())

    assert "service_account_impersonation_url" not in document


def test_who_ends_a_run_that_was_killed_is_told_before_there_is_a_key(tmp_path: Path) -> None:
    told: list[tuple[Path, list[Path]]] = []

    def keep(folder: Path) -> None:
        told.append((folder, list(folder.iterdir())))

    with with_keeper(KEY, "", "", {"RUNNER_TEMP": str(tmp_path)}, keep) as variables:
        assert told == [(Path(variables["GOOGLE_APPLICATION_CREDENTIALS"]).parent, [])]


@pytest.mark.parametrize(
    ("environment", "project"),
    [
        ({}, "acme-dwh"),
        ({"GOOGLE_CLOUD_PROJECT": ""}, "acme-dwh"),
        ({"GCLOUD_PROJECT": "given"}, "given"),
        ({"CLOUDSDK_CORE_PROJECT": "given"}, "given"),
        ({"GOOGLE_CLOUD_PROJECT": "own", "GCLOUD_PROJECT": "given"}, None),
    ],
)
def test_the_project_is_always_known(tmp_path: Path, environment: dict[str, str], project: str | None) -> None:
    given = {**OIDC, "RUNNER_TEMP": str(tmp_path), **environment}
    for key, provider, account in ((KEY, "", ""), ("", PROVIDER, ACCOUNT)):
        with google_credentials(key, provider, account, given) as variables:
            assert variables.get("GOOGLE_CLOUD_PROJECT") == project


def test_the_project_of_what_the_runner_already_has_is_known_too(tmp_path: Path) -> None:
    file = tmp_path / "gha-creds-1.json"
    url = f"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{ACCOUNT}:generateAccessToken"
    file.write_text(json.dumps({"type": "external_account", "service_account_impersonation_url": url}))

    for variable in ("GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE"):
        with google_credentials("", "", "", {variable: str(file)}) as variables:
            assert variables == {"GOOGLE_CLOUD_PROJECT": "acme-dwh"}


@pytest.mark.parametrize("path", ["", "/no/such/file", "\0"])
def test_credentials_that_are_not_there_are_none(path: str) -> None:
    assert ambient_credentials({"GOOGLE_APPLICATION_CREDENTIALS": path}) == ()
    with google_credentials("", "", "", {"GOOGLE_APPLICATION_CREDENTIALS": path}) as variables:
        assert variables == {}


def test_every_file_that_the_runner_names_is_read_once(tmp_path: Path) -> None:
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    first.write_text("a")
    second.write_text("b")
    named = {"GOOGLE_GHA_CREDS_PATH": str(second), "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE": str(first)}

    assert ambient_credentials({**named, "GOOGLE_APPLICATION_CREDENTIALS": str(first)}) == ("a", "b")
