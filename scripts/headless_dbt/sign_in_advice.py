"""What to change where Google does not let a run in: keys, workload identity federation, no credentials at all. Pure.

A rule is the words that begin a line of the message, and what is to be done. The words are those of Google's services
and of its client; where each was seen stands beside it in the tests.

The message is hostile. Of it only names of a few plain signs come into the advice, so that what is a command there can
be copied into a shell; for another name stands a word in capitals. What is between backticks is meant as code.
Every repetition has a bound, so that the time grows with the message and no faster.
"""

import re
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

# Errors of a service are a few lines; what is longer quotes something.
_MOST_READ = 20_000
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:@/-]{0,199}")

# What stands before the words of a service: dbt, the class of an exception, the retries, the request.
START = (
    r"^[ \t]{0,20}(?:dbt [a-z ]{1,30}: )?(?:Timeout of [\d.]{1,20}s exceeded, last exception: )?"
    r"(?:[\w.]{1,100}(?:Error|Exception|Forbidden|NotFound|BadRequest): )?"
    r"(?:\d{3} )?(?:(?:GET|POST|PUT|PATCH|DELETE) https?://\S{1,2000}: )?"
)
OFF = r"%s API has not been used in project (?P<project>[\w.:-]{1,100}) before or it is disabled"
# Google's client for credentials quotes the answer behind its words, as Python shows a pair of texts.
_SIGN_IN = START + r"\(?[\"']?(?:Error code )?"
_IMPERSONATED = _SIGN_IN + r"Unable to acquire impersonated credentials[\s\S]{0,400}?"

_SAFER = "or use workload identity federation, which has no key"
_MAKE_KEY = "`gcloud iam service-accounts keys create key.json --iam-account=ACCOUNT`"
_NO_CREDENTIALS = (
    "Set the inputs `workload-identity-provider` and `service-account`; on your own machine run"
    " `gcloud auth application-default login`."
)


class Rule(NamedTuple):
    """The words that begin an error, and the advice: names in braces are the groups of the words."""

    words: str
    advice: str


SIGN_IN = (
    # Signing in with a key.
    Rule(
        _SIGN_IN + r"invalid_grant: Invalid JWT Signature",
        "Google does not take the key any more: it was deleted, or has expired. Make a new one for the secret"
        f" `gcp-credentials` ({_MAKE_KEY}), {_SAFER}.",
    ),
    Rule(
        _SIGN_IN + r"invalid_grant: Invalid grant: account not found",
        "The service account of the key was deleted or is disabled. Enable it"
        " (`gcloud iam service-accounts enable ACCOUNT`), or put the key of another account into the secret"
        " `gcp-credentials`.",
    ),
    Rule(
        _SIGN_IN + r"invalid_grant: Invalid JWT: Token must be a short-lived token",
        "The clock of the runner is wrong, so that Google takes its request for an old one. Set the clock by NTP"
        " (`timedatectl set-ntp true`).",
    ),
    Rule(
        _SIGN_IN + r"invalid_grant: Token has been expired or revoked",
        "The refresh token is used up or was revoked. A nightly run wants a service account: set `method: oauth` in"
        " profiles.yml, and the input `workload-identity-provider`.",
    ),
    Rule(
        START + r"The credentials do not contain the necessary fields need to refresh the access token",
        "The `token` in profiles.yml has expired: it lasts an hour, and cannot be renewed. Set `method: oauth` there,"
        " and the input `workload-identity-provider`: those credentials renew themselves.",
    ),
    Rule(
        _SIGN_IN + r"(?:Could not deserialize key data|Unable to load PEM file|No key could be detected)",
        "The private key in the credentials is damaged, mostly in its line breaks. Put the whole JSON file as it is"
        f" into the secret `gcp-credentials`, {_SAFER}.",
    ),
    Rule(
        START + r"(?:Service account info was not in the expected format"
        r"|The private_key field was not found in the service account info)",
        "The credentials are no service account key. Put the whole JSON that"
        f" {_MAKE_KEY} makes into the secret `gcp-credentials`.",
    ),
    # Signing in without a key.
    Rule(
        _SIGN_IN + r"invalid_grant: The audience in ID Token \[(?P<audience>https://iam\.googleapis\.com/"
        r"projects/\d{1,20}/locations/global/workloadIdentityPools/(?P<pool>[\w-]{1,40})/providers/"
        r"(?P<provider>[\w-]{1,40}))\] does not match the expected audience",
        "The provider `{provider}` expects another audience than its own name, which is what GitHub's token is for."
        " Allow it: `gcloud iam workload-identity-pools providers update-oidc {provider} --location=global"
        " --workload-identity-pool={pool} --allowed-audiences={audience}`.",
    ),
    Rule(
        _SIGN_IN + r"invalid_grant: The audience in ID Token \[[^\]\n]{0,500}\] does not match the expected audience",
        "GitHub's token is for another audience than the workload identity provider expects. Check the input"
        " `workload-identity-provider`, and let the provider allow `https://iam.googleapis.com/` and that name.",
    ),
    Rule(
        _SIGN_IN + r"\w{1,40}: The given credential is rejected by the attribute condition",
        "The attribute condition of the workload identity provider refuses this run: it is for another repository,"
        " owner or branch, and upper and lower case count. See it with `gcloud iam workload-identity-pools providers"
        " describe PROVIDER --workload-identity-pool=POOL --location=global`.",
    ),
    Rule(
        _SIGN_IN + r"invalid_target: The target service indicated by the \"audience\" parameters is invalid",
        "There is no such workload identity provider, or it is disabled or deleted. Correct the input"
        " `workload-identity-provider`:"
        " `projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER`.",
    ),
    Rule(
        _SIGN_IN + r"invalid_request: Invalid value for \"audience\"",
        "The input `workload-identity-provider` is not the full name of a provider. It begins with `projects/` and the"
        " number of the project, not its id, and ends with `/providers/` and the provider's name.",
    ),
    Rule(
        _SIGN_IN + r"\w{1,40}: The issuer in ID Token \S{1,300} does not match the expected ones",
        "The workload identity provider is for another GitHub. Its issuer has to be"
        " `https://token.actions.githubusercontent.com`, or that of your GitHub Enterprise.",
    ),
    Rule(
        _SIGN_IN + r"invalid_grant: ID Token issued at \d{1,20} is stale to sign-in",
        "GitHub's identity token was too old when Google got it. Run it again; on a runner of your own check that the"
        " clock is right.",
    ),
    Rule(
        _SIGN_IN + r"\w{1,40}: The size of mapped attribute [^\n]{0,100}?exceeds the 127 bytes limit",
        "What the provider maps is longer than Google takes. Map a shorter claim:"
        " `--attribute-mapping=google.subject=assertion.repository_id,attribute.repository=assertion.repository`.",
    ),
    Rule(
        _IMPERSONATED + r"Permission \W{0,8}iam\.serviceAccounts\.getAccessToken\W{0,8} ?denied",
        "The run may not act as the service account, or there is none of that name. With workload identity federation"
        " the repository needs `roles/iam.workloadIdentityUser` on it; with `impersonate_service_account` the account"
        " that asks needs `roles/iam.serviceAccountTokenCreator`.",
    ),
    Rule(
        _IMPERSONATED + r"Gaia id not found for email (?P<account>[\w.@-]{1,200})",
        "There is no service account `{account}`. Correct the input `service-account`, or `impersonate_service_account`"
        " in profiles.yml.",
    ),
    # What has to be on for that.
    Rule(
        _IMPERSONATED + OFF % "IAM Service Account Credentials",
        "The API that lets a run act as a service account is off in project `{project}`. Turn it on, and wait a minute:"
        " `gcloud services enable iamcredentials.googleapis.com --project={project}`.",
    ),
    Rule(
        _SIGN_IN + r"(?:[\s\S]{0,200}?[ \"'])?" + OFF % "Security Token Service",
        "The API that exchanges GitHub's identity token is off in project `{project}`. Turn it on, and wait a minute:"
        " `gcloud services enable sts.googleapis.com --project={project}`.",
    ),
    # No credentials.
    Rule(
        START + r"Your default credentials were not found",
        f"There are no Google credentials. {_NO_CREDENTIALS}",
    ),
    Rule(
        START
        + r"\(?[\"']?Failed to retrieve \S{1,500} from the Google Compute Engine metadata service\. Compute Engine"
        r" Metadata server unavailable",
        f"Google's client looked for the credentials of a machine in Google Cloud, and this is none. {_NO_CREDENTIALS}",
    ),
    Rule(
        r"Failed to authenticate with supplied credentials\s{1,9}error:\s{1,9}File [^\n]{1,500} was not found",
        "`GOOGLE_APPLICATION_CREDENTIALS` names a file that is not on the runner. Leave the variable out, and set the"
        " inputs `workload-identity-provider` and `service-account`.",
    ),
    Rule(
        START + r"\[Errno 2\] No such file or directory: '[^'\n]{1,300}\.json'",
        "A JSON file is not on the runner. If it is the `keyfile` of profiles.yml, set `method: oauth` there instead:"
        " headless-dbt puts the credentials in place.",
    ),
    Rule(
        r"Env var required but not provided: '(?P<variable>[A-Za-z_]\w{0,100})'",
        "The environment variable `{variable}` is not set. Add the line `{variable}=…` to the input `env`, or to the"
        " secret `dbt-env` if it is secret.",
    ),
)


def advise(rules: Iterable[Rule], message: str) -> str:
    """The advice of the first rule whose words are in the message, on one line; empty where there is none."""
    read = message[:_MOST_READ]
    for rule in rules:
        if found := _compiled(rule.words).search(read):
            return rule.advice.format_map({name: _plain(name, text or "") for name, text in found.groupdict().items()})
    return ""


@cache
def _compiled(words: str) -> re.Pattern[str]:
    return re.compile(words, re.MULTILINE)


def _plain(name: str, text: str) -> str:
    return text if _PLAIN.fullmatch(text) else name.upper()
