"""Scripted trouble: what the next matching requests meet before, or in place of, the true answer."""

from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final

from tests.github_double.exchange import Answer, Request

FOREVER: Final = -1
# What GitHub's load balancers say when nothing behind them answers: no JSON at all.
UNICORN: Final = """<!DOCTYPE html>
<html>
  <head><title>Unicorn! &middot; GitHub</title></head>
  <body>
    <p><strong>We had issues producing the response to your request.</strong></p>
    <p>Sorry about that. Please try refreshing and contact us if the problem persists.</p>
  </body>
</html>
"""


@dataclass
class Scripted:
    """Something for the next `times` requests whose method and path (`*` matches anything) fit."""

    method: str
    path: str
    times: int = field(default=1, kw_only=True)
    used: int = field(default=0, kw_only=True)

    def fits(self, request: Request) -> bool:
        """Whether it is about this kind of request."""
        return fnmatchcase(request.method, self.method) and fnmatchcase(request.within, self.path)

    def strikes(self, request: Request) -> bool:
        """Whether this request is among the next ones to get it; if so, it is used once more."""
        struck = self.fits(request) and (self.times == FOREVER or self.used < self.times)
        self.used += struck
        return struck


@dataclass
class Fault(Scripted):
    """An answer in place of the true one; without an answer the connection is cut, after so many seconds.

    After the effect, the double has done what was asked and only its answer is lost: the case in which a
    blind retry files a second issue.
    """

    answer: Answer | None
    after_effect: bool = False
    seconds: float = 0


@dataclass
class Hook(Scripted):
    """Something that happens when a request has arrived, and before it takes effect."""

    action: Callable[[], object]


@dataclass
class Script:
    """What was scripted, in that order; the first fault that fits strikes."""

    faults: list[Fault] = field(default_factory=list)
    hooks: list[Hook] = field(default_factory=list)

    def fault_for(self, request: Request) -> Fault | None:
        """The fault that this request gets."""
        return next((fault for fault in self.faults if fault.strikes(request)), None)

    def hooks_for(self, request: Request) -> list[Hook]:
        """All that is to happen before this request takes effect."""
        return [hook for hook in self.hooks if hook.strikes(request)]

    def never_used(self) -> list[str]:
        """What no request met: the test did not test what it meant to."""
        kinds: dict[str, list[Fault] | list[Hook]] = {"fault": self.faults, "hook": self.hooks}
        return [
            f"no {each.method} {each.path} came for its {kind}"
            for kind, scripted in kinds.items()
            for each in scripted
            if not each.used
        ]
