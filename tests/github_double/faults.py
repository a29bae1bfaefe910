"""Scripted trouble: what the next matching requests get in place of the true answer."""

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final

from tests.github_double.exchange import Answer, Request

FOREVER: Final = -1


@dataclass
class Fault:
    """Trouble for the next `times` requests whose method and path (`*` matches anything) fit.

    Without an answer the connection is cut. After the effect, the double has done what was asked and only
    its answer is lost: the case in which a blind retry files a second issue.
    """

    method: str
    path: str
    answer: Answer | None
    after_effect: bool
    times: int
    used: int = 0

    def strikes(self, request: Request) -> bool:
        """Whether this request is among the next ones to get the fault."""
        left = self.times == FOREVER or self.used < self.times
        return left and request.method == self.method and fnmatchcase(request.path, self.path)


@dataclass
class Script:
    """The faults in the order in which they were scripted; the first that fits strikes."""

    faults: list[Fault] = field(default_factory=list)

    def next_for(self, request: Request) -> Fault | None:
        """The fault that this request gets, now used once more."""
        for fault in self.faults:
            if fault.strikes(request):
                fault.used += 1
                return fault
        return None

    def never_used(self) -> list[str]:
        """Faults that no request met: the test did not test what it meant to."""
        return [f"no {fault.method} {fault.path} came for its fault" for fault in self.faults if not fault.used]
