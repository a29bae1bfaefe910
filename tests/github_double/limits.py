"""GitHub's two rate limits. Both hold for every request until they are over, however often one asks.

Source: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import ceil
from time import time

from tests.github_double.exchange import Answer, Request
from tests.github_double.faults import Scripted

_LIMIT = 5000
_LEFT = 4990
_DOCS = "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api"
_DOCS_OF_SECONDARY = _DOCS.replace("com/", "com/free-pro-team@latest/") + "#about-secondary-rate-limits"
_SUPPORT = (
    "If you reach out to GitHub Support for help, please include the request ID 4C32:E66A2:27EF37:4E976C:683F3085"
)


@dataclass
class Limit(Scripted):
    """A limit that the first request that fits reaches, and that holds for so many seconds from then on."""

    seconds: float
    is_primary: bool
    status: int = 403
    tells_when: bool = True
    until: float = field(default=0, init=False)

    def holds(self, request: Request) -> bool:
        """Whether this request is refused."""
        if self.strikes(request):
            self.until = time() + self.seconds
        return time() < self.until

    def end(self) -> None:
        """Let it be over now."""
        self.until = 0

    def refusal(self) -> Answer:
        """What GitHub says: of the first limit in all headers, of the second in `retry-after`, or nowhere."""
        stamp = f"and timestamp {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC."
        if self.is_primary:
            message, docs = f"API rate limit exceeded for installation. {_SUPPORT} {stamp}", _DOCS
        else:
            message = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. "
            message, docs = f"{message}{_SUPPORT} {stamp}", _DOCS_OF_SECONDARY
        later = {"retry-after": str(max(1, ceil(self.until - time())))} if self._says_retry_after else {}
        return Answer(self.status, {"message": message, "documentation_url": docs, "status": str(self.status)}, later)

    @property
    def _says_retry_after(self) -> bool:
        return self.tells_when and not self.is_primary


def standing(limit: Limit | None) -> Mapping[str, str]:
    """The headers with which every answer tells how far the caller is from the first limit."""
    used_up = limit is not None and limit.is_primary
    left = 0 if used_up else _LEFT
    reset = limit.until if limit is not None and used_up else time() + 3600
    return {
        "x-ratelimit-limit": str(_LIMIT),
        "x-ratelimit-remaining": str(left),
        "x-ratelimit-used": str(_LIMIT - left),
        "x-ratelimit-reset": str(ceil(reset)),
        "x-ratelimit-resource": "core",
    }
