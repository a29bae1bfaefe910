"""What Google and its client say where they let nobody in, word for word, and what a person is told to change.

Where a text was seen stands above it, as in test_bigquery_advice.py: ``quoted`` is word for word in logs, issues or
tests of public repositories; a file is one of google-auth or of dbt-bigquery.
"""

import json
import re

import pytest
from headless_dbt.sign_in_advice import SIGN_IN, Rule, advise

# What dbt-bigquery puts before a RefreshError: dbt/adapters/bigquery/connections.py, exception_handler
DBT = (
    "Unable to generate access token, if you're using impersonate_service_account, make sure your initial account has"
    ' the "roles/iam.serviceAccountTokenCreator" role on the account you are trying to impersonate.\n\n'
)
PROVIDER = "projects/1067163562451/locations/global/workloadIdentityPools/github-pool/providers/github-provider"


def refresh(error: str, description: str) -> str:
    """As google/oauth2/_client.py, _handle_error_response, and Python show it."""
    return str((f"{error}: {description}", {"error": error, "error_description": description}))


def exchange(error: str, description: str) -> str:
    """As google/oauth2/utils.py, handle_error_response, and Python show it."""
    answer = json.dumps({"error": error, "error_description": description})
    return str((f"Error code {error}: {description}", answer))


def impersonation(code: int, message: str, status: str) -> str:
    """As google/auth/impersonated_credentials.py, _make_iam_token_request, and Python show it."""
    answer = json.dumps({"error": {"code": code, "message": message, "status": status}}, indent=2)
    return str(("Unable to acquire impersonated credentials", answer + "\n"))


TEXTS: dict[str, list[str]] = {
    # https://github.com/googleapis/google-cloud-python/issues/8736, https://github.com/di/pyreadiness/issues/20
    refresh("invalid_grant", "Invalid JWT Signature."): [
        "does not take the key any more",
        "the secret `gcp-credentials`",
        "`gcloud iam service-accounts keys create key.json --iam-account=ACCOUNT`",
    ],
    # https://github.com/PostHog/posthog/pull/63695
    refresh("invalid_grant", "Invalid grant: account not found"): [
        "was deleted or is disabled",
        "`gcloud iam service-accounts enable ACCOUNT`",
    ],
    # https://github.com/DataBiosphere/dsub/issues/194, where the clock was off by five minutes
    refresh(
        "invalid_grant",
        "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and"
        " exp values in the JWT claim.",
    ): ["clock of the runner is wrong", "NTP"],
    # quoted
    refresh("invalid_grant", "Token has been expired or revoked."): ["refresh token", "`method: oauth`"],
    # google/oauth2/credentials.py, refresh, with `method: oauth-secrets` and a token alone
    "The credentials do not contain the necessary fields need to refresh the access token. You must specify"
    " refresh_token, token_uri, client_id, and client_secret.": ["has expired", "`method: oauth`"],
    # https://github.com/dbt-labs/dbt-core/issues/2989, https://github.com/open-metadata/OpenMetadata/issues/4457
    "Could not deserialize key data. The data may be in an incorrect format or it may be encrypted with an unsupported"
    " algorithm.": ["private key in the credentials is damaged", "the secret `gcp-credentials`"],
    # google/auth/_service_account_info.py, from_dict
    "Service account info was not in the expected format, missing fields token_uri.": ["no service account key"],
    # quoted, from google-github-actions/auth
    exchange(
        "invalid_grant",
        f"The audience in ID Token [https://iam.googleapis.com/{PROVIDER}] does not match the expected audience"
        " https://github.com/acme/shop.",
    ): [
        "The provider `github-provider` expects another audience",
        "providers update-oidc github-provider --location=global --workload-identity-pool=github-pool",
        f"--allowed-audiences=https://iam.googleapis.com/{PROVIDER}`",
    ],
    # quoted, from a provider that is not GitHub
    exchange(
        "invalid_grant", "The audience in ID Token [https://vercel.com/acme] does not match the expected audience."
    ): ["for another audience than the workload identity provider expects"],
    # https://github.com/terraform-google-modules/terraform-example-foundation/issues/1362
    exchange("unauthorized_client", "The given credential is rejected by the attribute condition."): [
        "attribute condition",
        "upper and lower case count",
        "`gcloud iam workload-identity-pools providers describe PROVIDER",
    ],
    # quoted
    exchange(
        "invalid_target",
        'The target service indicated by the "audience" parameters is invalid. This might either be because the pool or'
        " provider is disabled or deleted or because it doesn't exist.",
    ): ["no such workload identity provider", "`projects/NUMBER/locations/global/workloadIdentityPools/POOL/"],
    # https://github.com/google-github-actions/auth/issues/211
    exchange(
        "invalid_request",
        'Invalid value for "audience". This value should be the full resource name of the Identity Provider. See'
        " https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token for the list of possible formats.",
    ): ["not the full name of a provider", "the number of the project, not its id"],
    # https://github.com/google-github-actions/auth/blob/main/docs/TROUBLESHOOTING.md
    exchange(
        "invalid_grant",
        "The issuer in ID Token https://github.acme.net/_services/token does not match the expected ones:"
        " https://token.actions.githubusercontent.com/",
    ): ["for another GitHub", "`https://token.actions.githubusercontent.com`"],
    # quoted, from gcloud
    exchange("invalid_grant", "ID Token issued at 1713260741 is stale to sign-in."): ["too old when Google got it"],
    # The same file of google-github-actions/auth, and the page of Google on troubleshooting the federation
    exchange("invalid_request", "The size of mapped attribute google.subject exceeds the 127 bytes limit."): [
        "longer than Google takes",
        "`--attribute-mapping=google.subject=assertion.repository_id,",
    ],
    # https://github.com/google-github-actions/auth/issues/340, /455 and /526
    impersonation(
        403,
        "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).",
        "PERMISSION_DENIED",
    ): ["`roles/iam.workloadIdentityUser`", "`roles/iam.serviceAccountTokenCreator`"],
    # quoted: the e-mail address is wrong
    impersonation(404, "Not found; Gaia id not found for email dbt@shop-prod.iam.gserviceaccount.com", "NOT_FOUND"): [
        "no service account `dbt@shop-prod.iam.gserviceaccount.com`",
        "the input `service-account`",
    ],
    # quoted, from gcloud
    impersonation(
        403,
        "IAM Service Account Credentials API has not been used in project 8667575547 before or it is disabled. Enable"
        " it by visiting https://console.developers.google.com/apis/api/iamcredentials.googleapis.com/overview"
        "?project=8667575547 then retry.",
        "PERMISSION_DENIED",
    ): ["`gcloud services enable iamcredentials.googleapis.com --project=8667575547`"],
    # quoted, and the shape that handle_error_response gives to an error that is no error of OAuth
    "(\"Error code {'code': 403, 'message': 'Security Token Service API has not been used in project 8667575547 before"
    " or it is disabled.', 'status': 'PERMISSION_DENIED'}\", '{}')": [
        "`gcloud services enable sts.googleapis.com --project=8667575547`"
    ],
    # google/auth/_default.py, _CLOUD_SDK_MISSING_CREDENTIALS, behind dbt/adapters/bigquery/credentials.py
    "Failed to authenticate with supplied credentials\nerror:\nYour default credentials were not found. To set up"
    " Application Default Credentials, see https://cloud.google.com/docs/authentication/external/set-up-adc for more"
    " information.": ["no Google credentials", "`workload-identity-provider` and `service-account`"],
    # google/auth/compute_engine/_metadata.py, get
    "Failed to retrieve http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/"
    "?recursive=true from the Google Compute Engine metadata service. Compute Engine Metadata server unavailable. Last"
    " exception: HTTPConnectionPool(host='metadata.google.internal', port=80): Max retries exceeded": [
        "a machine in Google Cloud, and this is none"
    ],
    # google/auth/_default.py, load_credentials_from_file, behind dbt/adapters/bigquery/credentials.py
    "Failed to authenticate with supplied credentials\nerror:\nFile /secrets/key.json was not found.": [
        "`GOOGLE_APPLICATION_CREDENTIALS` names a file that is not on the runner"
    ],
    # Python, for the `keyfile` of a profile
    "[Errno 2] No such file or directory: '/secrets/key.json'": ["`keyfile` of profiles.yml", "`method: oauth`"],
    # dbt/exceptions.py, EnvVarMissingError
    "Env var required but not provided: 'GOOGLE_CLOUD_PROJECT'": [
        "`GOOGLE_CLOUD_PROJECT` is not set",
        "Add the line `GOOGLE_CLOUD_PROJECT=…` to the input `env`",
        "the secret `dbt-env`",
    ],
}
SAME = {
    # https://github.com/PostHog/posthog/pull/65082
    "Unable to load PEM file. See https://cryptography.io/en/latest/faq/#why-can-t-i-import-my-pem-file for more"
    " details. InvalidData(InvalidPadding)": "Could not deserialize key data",
    # cryptography, with what OpenSSL said: https://github.com/cal-itp/benefits/issues/845
    "('Could not deserialize key data.', [_OpenSSLErrorWithText(code=503841036)])": "Could not deserialize key data",
    # google/auth/crypt/_python_rsa.py
    "No key could be detected.": "Could not deserialize key data",
    # google/auth/crypt/base.py
    "The private_key field was not found in the service account info.": "Service account info was not in the expected",
}
SENTENCES = {text: advise(SIGN_IN, text) for text in TEXTS}
NOTHING = [
    "('invalid_grant: Nobody has seen this yet', {'error': 'invalid_grant'})",
    "('unauthorized_client: Client is unauthorized to retrieve access tokens using this method.', '{}')",
    "('Unable to acquire impersonated credentials', 'iam.serviceAccounts.getAccessToken')",
    "Syntax error: Unexpected string literal 'Could not deserialize key data' at [1:8]",
    "[Errno 2] No such file or directory: 'target/manifest.csv'",
    DBT,
]


@pytest.mark.parametrize(("text", "parts"), TEXTS.items())
@pytest.mark.parametrize(
    "frame",
    [
        "{}",
        DBT + "{}",
        "Runtime Error\n  {}",
        "dbt build could not begin: {}",
        "Database Error in model orders (models/orders.sql)\n  {}",
        "google.auth.exceptions.RefreshError: {}",
        "Timeout of 600.0s exceeded, last exception: {}",
    ],
)
def test_a_real_text_has_advice_that_names_what_it_is_about(text: str, parts: list[str], frame: str) -> None:
    advice = advise(SIGN_IN, frame.replace("{}", text))
    assert advice == SENTENCES[text]
    for part in parts:
        assert part in advice


def test_each_has_a_sentence_of_its_own() -> None:
    assert len(set(SENTENCES.values())) == len(TEXTS) == len(SIGN_IN)


@pytest.mark.parametrize(("text", "like"), SAME.items())
def test_the_same_mistake_in_other_words(text: str, like: str) -> None:
    [sentence] = [advice for other, advice in SENTENCES.items() if other.startswith(like)]
    assert advise(SIGN_IN, text) == sentence


@pytest.mark.parametrize("advice", SENTENCES.values())
def test_advice_is_short_and_written_out(advice: str) -> None:
    assert len(advice) < 500
    assert advice.isprintable()
    assert advice.endswith(".")
    assert advice.count("`") % 2 == 0
    assert not re.search(r"[{}]", advice)


@pytest.mark.parametrize("text", NOTHING)
def test_where_nothing_is_certain_nothing_is_said(text: str) -> None:
    assert advise(SIGN_IN, text) == ""


def test_the_first_rule_decides_and_what_is_no_plain_name_is_a_word_in_capitals() -> None:
    rules = (Rule(r"^a (?P<name>.{1,9})", "First `{name}`."), Rule(r"^a", "Second."))
    assert advise(rules, "x\na b-1") == "First `b-1`."
    for hostile in ("$(id)", "`id`", "-x", "b c", "\u202eb", "é"):
        assert advise(rules, f"a {hostile}") == "First `NAME`."
    assert advise(rules, "a") == "Second."
    assert advise((Rule("(?P<one>a)|(?P<two>b)", "{one} {two}"),), "b") == "ONE b"


def test_of_a_text_without_end_only_the_beginning_is_read() -> None:
    assert not advise((Rule("x", "Found."),), " " * 20_000 + "x")
