"""GitHub's bad days, as a test scripts them: what goes wrong, for which requests, and how often."""

from collections.abc import Callable, Mapping
from threading import Barrier, BrokenBarrierError

from tests.github_double.exchange import Answer
from tests.github_double.faults import Fault, Hook, Script
from tests.github_double.limits import Limit


class BadDays:
    """The part of the double through which tests script trouble.

    Paths are written without the repository's part: `/issues`, `/issues/*/comments`; `*` matches anything, in
    methods too. The blobs of artifacts are at `/actions-results/*`. What is scripted and never met fails the
    test.
    """

    def __init__(self) -> None:
        self._script = Script()
        self._limits: list[Limit] = []

    def fail(  # noqa: PLR0913
        self,
        method: str,
        path: str,
        status: int,
        *,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        after_effect: bool = False,
        times: int = 1,
    ) -> None:
        """Give the next `times` requests that fit this answer; `body=UNICORN` is GitHub's own page of a 5xx."""
        content = {"message": f"scripted {status}"} if body is None else body
        answer = Answer(status, content, headers or {})
        self._script.faults.append(Fault(method, path, answer, after_effect, times=times))

    def cut(self, method: str, path: str, *, after_effect: bool = False, times: int = 1) -> None:
        """Close the connection in place of an answer to the next `times` requests that fit."""
        self._script.faults.append(Fault(method, path, None, after_effect, times=times))

    def stall(self, method: str, path: str, seconds: float, *, after_effect: bool = False, times: int = 1) -> None:
        """Let the next `times` requests that fit wait for an answer, and close their connections after that."""
        self._script.faults.append(Fault(method, path, None, after_effect, seconds, times=times))

    def exhaust_rate_limit(self, reset_in: float, method: str = "*", path: str = "*") -> Limit:
        """Refuse the next request that fits, and from then on every request until the limit is reset."""
        return self._limit(Limit(method, path, reset_in, is_primary=True))

    def exceed_secondary_limit(
        self, seconds: float, method: str = "*", path: str = "*", *, status: int = 403, retry_after: bool = True
    ) -> Limit:
        """Refuse the next request that fits, and from then on every request for so many seconds.

        GitHub answers with 403 or 429, and may leave the `retry-after` header out.
        """
        return self._limit(Limit(method, path, seconds, is_primary=False, status=status, tells_when=retry_after))

    def before(self, method: str, path: str, action: Callable[[], object], *, times: int = 1) -> None:
        """Call `action` when each of the next `times` requests that fit has arrived, before it takes effect.

        Other requests go on meanwhile, so the action may wait for one of them, or be somebody else who is faster.
        """
        self._script.hooks.append(Hook(method, path, action, times=times))

    def barrier(self, method: str, path: str, *, parties: int = 2, seconds: float = 10) -> None:
        """Hold the next requests that fit until as many as `parties` have arrived; none waits longer than that."""
        meeting = Barrier(parties)

        def meet() -> None:
            try:
                meeting.wait(seconds)
            except BrokenBarrierError:
                raise TimeoutError(f"fewer than {parties} of them came within {seconds} seconds") from None

        self.before(method, path, meet, times=parties)

    def _limit(self, limit: Limit) -> Limit:
        self._limits.append(limit)
        return limit

    def _never_met(self) -> list[str]:
        unmet = [f"no {limit.method} {limit.path} came for its limit" for limit in self._limits if not limit.used]
        return [*self._script.never_used(), *unmet]
