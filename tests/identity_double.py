"""The services that hand out tokens, on a loopback port: GitHub's, and Google's three, each as strict as they are.

GitHub's identity tokens, the token exchange of workload identity federation (STS), impersonation (IAM credentials), and
the OAuth endpoint of keys and refresh tokens. What they hand out is valid for BigQuery: give `tokens` to the double.
Sources: https://docs.github.com/en/actions/reference/security/oidc, https://google.aip.dev/auth/4112 and 4117,
https://cloud.google.com/iam/docs/reference/sts/rest, RFC 7523 and RFC 8693.
"""

import json
import secrets
import time
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.github_double.exchange import Answer, Request
from tests.github_double.server import LoopbackServer

PROVIDER = "projects/4711/locations/global/workloadIdentityPools/github/providers/acme"
ACCOUNT = "dbt@acme-dwh.iam.gserviceaccount.com"
AUDIENCE = f"//iam.googleapis.com/{PROVIDER}"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
IMPERSONATE = f"/v1/projects/-/serviceAccounts/{ACCOUNT}:generateAccessToken"


class RefusedError(Exception):
    """A request that the real service would not take."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error


class IdentityDouble:
    """Who may have a token here: one job, one key, one refresh token."""

    def __init__(self, lifetime: int = 3600) -> None:
        self.lifetime = lifetime
        self.tokens: set[str] = set()
        """What BigQuery takes: access tokens of accounts, and federated ones."""
        self.seen: list[str] = []
        """The path of each request."""
        self.refusals: dict[str, Answer] = {}
        """What is answered in place of the truth, by path."""
        self.job_token = f"job-{secrets.token_hex(16)}"
        self.refresh_token = f"1//0{secrets.token_urlsafe(40)}"
        self.client_secret = f"client-{secrets.token_hex(12)}"
        self.key_id = secrets.token_hex(20)
        self._github, self._account = _new_key(), _new_key()
        self._server = LoopbackServer("", self._handle)

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.port}"

    @property
    def of_the_job(self) -> dict[str, str]:
        """What GitHub gives a job with `id-token: write`, and what gcloud is told of other addresses."""
        return {
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.url}/oidc?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": self.job_token,
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_STS": f"{self.url}/",
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS": self.url,
        }

    @property
    def private_key(self) -> str:
        return self._account.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    @property
    def key(self) -> dict[str, str]:
        """The key file of a service account."""
        return {
            "type": "service_account",
            "project_id": "acme-dwh",
            "private_key_id": self.key_id,
            "private_key": self.private_key,
            "client_email": ACCOUNT,
            "client_id": "107",
            "token_uri": f"{self.url}/token",
        }

    @property
    def user(self) -> dict[str, str]:
        """What `gcloud auth application-default login` leaves; its address is Google's, so only for BigQuery's sake."""
        return {
            "type": "authorized_user",
            "client_id": "764.apps.googleusercontent.com",
            "client_secret": self.client_secret,
            "refresh_token": self.refresh_token,
            "quota_project_id": "acme-dwh",
            "token_uri": f"{self.url}/token",
        }

    @property
    def external_account(self) -> dict[str, Any]:
        """What google-github-actions/auth leaves in the workspace."""
        return {
            "type": "external_account",
            "audience": AUDIENCE,
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": f"{self.url}/v1/token",
            "credential_source": {
                "url": f"{self.url}/oidc?api-version=2.0&audience=https:{AUDIENCE}",
                "headers": {"Authorization": f"Bearer {self.job_token}"},
                "format": {"type": "json", "subject_token_field_name": "value"},
            },
            "service_account_impersonation_url": f"{self.url}{IMPERSONATE}",
        }

    def _handle(self, request: Request) -> Answer:
        self.seen.append(request.path)
        if refusal := self.refusals.get(request.path):
            return refusal
        acts = {
            ("GET", "/oidc"): self._identity,
            ("POST", "/v1/token"): self._exchange,
            ("POST", IMPERSONATE): self._impersonate,
            ("POST", "/token"): self._grant,
        }
        try:
            if act := acts.get((request.method, request.path)):
                return act(request)
        except RefusedError as refused:
            return Answer(400, {"error": refused.error, "error_description": str(refused)})
        return Answer(
            404, {"error": {"code": 404, "message": f"{request.method} {request.path}", "status": "NOT_FOUND"}}
        )

    def _identity(self, request: Request) -> Answer:
        if request.token != self.job_token:
            return Answer(401, {"message": "The job's token is wrong."})
        now = int(time.time())
        claims = {"iss": "https://token.actions.githubusercontent.com", "sub": "repo:acme/shop:ref:refs/heads/main"}
        signed = {**claims, "aud": request.query["audience"], "iat": now, "exp": now + 300, "repository": "acme/shop"}
        return Answer(200, {"value": jwt.encode(signed, self._github, algorithm="RS256")})

    def _exchange(self, request: Request) -> Answer:
        form = dict(parse_qsl(str(request.body)))
        _require(form["grant_type"] == EXCHANGE, "unsupported_grant_type", form["grant_type"])
        _require(form["audience"] == AUDIENCE, "invalid_target", "The target service indicated by the audience")
        try:
            jwt.decode(form["subject_token"], self._github.public_key(), ["RS256"], audience=f"https:{AUDIENCE}")
        except jwt.PyJWTError as error:
            raise RefusedError("invalid_grant", str(error)) from None
        return Answer(
            200,
            {
                "access_token": self._mint("ya29.d."),
                "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
                "token_type": "Bearer",
                "expires_in": self.lifetime,
            },
        )

    def _impersonate(self, request: Request) -> Answer:
        if request.token not in self.tokens or not str(request.token).startswith("ya29.d."):
            said = {"code": 401, "message": "Not a federated token", "status": "UNAUTHENTICATED"}
            return Answer(401, {"error": said})
        expires = datetime.now(UTC) + timedelta(seconds=self.lifetime)
        return Answer(200, {"accessToken": self._mint("ya29.c."), "expireTime": expires.strftime("%Y-%m-%dT%H:%M:%SZ")})

    def _grant(self, request: Request) -> Answer:
        form = dict(parse_qsl(str(request.body)))
        if form["grant_type"] == JWT_BEARER:
            try:
                jwt.decode(
                    form["assertion"],
                    self._account.public_key(),
                    ["RS256"],
                    audience="https://oauth2.googleapis.com/token",  # Wherever the endpoint is.
                    issuer=ACCOUNT,
                    options={"require": ["iat", "exp"]},
                )
            except jwt.PyJWTError:
                raise RefusedError("invalid_grant", "Invalid JWT Signature.") from None
        else:
            given = (form["grant_type"], form["refresh_token"], form["client_secret"])
            known = ("refresh_token", self.refresh_token, self.client_secret)
            _require(given == known, "invalid_grant", "Token has been expired or revoked.")
        return Answer(200, {"access_token": self._mint("ya29.a."), "expires_in": self.lifetime, "token_type": "Bearer"})

    def _mint(self, beginning: str) -> str:
        token = beginning + secrets.token_urlsafe(48)
        self.tokens.add(token)
        return token


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _require(holds: bool, error: str, description: str) -> None:
    if not holds:
        raise RefusedError(error, description)


def key_material(identity: IdentityDouble) -> dict[str, str]:
    """All that nobody may find anywhere, by what it is."""
    lines = [line for line in identity.private_key.splitlines() if len(line) > 20 and "PRIVATE KEY" not in line]
    return {
        "job token": identity.job_token,
        "refresh token": identity.refresh_token,
        "client secret": identity.client_secret,
        "key id": identity.key_id,
        **{f"line {number} of the key": line for number, line in enumerate(lines)},
        **{f"access token {number}": token for number, token in enumerate(sorted(identity.tokens))},
        "the key as JSON": json.dumps(identity.private_key)[1:-1],
    }
