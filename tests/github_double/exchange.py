"""What goes over the wire: one request, one answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Request:
    """One request as it arrived; `path` is without the base path and still percent-encoded.

    `within` is the path inside of the repository, or `path` itself for what is not in it.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: object
    within: str = ""

    @property
    def token(self) -> str | None:
        """The token of the Authorization header; GitHub takes `token X` and `Bearer X` alike."""
        scheme, _, credentials = self.headers.get("authorization", "").partition(" ")
        return credentials if scheme.lower() in ("token", "bearer") else None


@dataclass(frozen=True)
class Answer:
    """One answer: a body is sent as JSON, `str` and `bytes` as they stand, and None sends nothing."""

    status: int
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
