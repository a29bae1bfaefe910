"""The commits of the checkout, by git itself: where the history is there, GitHub need not be asked."""

import re
import subprocess
from pathlib import Path

from headless_dbt.suspects import Commit

_SECONDS = 30
_MOST = 200
_SHA = re.compile("[0-9a-f]{40,64}")
# %x1e begins a commit, %x1f ends each field of its header.
_FORMAT = "%x1e%H%x1f%an%x1f%s%x1f"


def commits_between(workspace: Path, base: str, head: str) -> list[Commit] | None:
    """The commits after ``base`` up to ``head``, the newest first; None where this checkout does not have them.

    GitHub's own checkout is of depth 1, and has them only where somebody asked for more.
    """
    log = [
        "log",
        f"--max-count={_MOST}",
        "--no-show-signature",
        "--format=%x1e%H%x1f%an%x1f%s%x1f",
        "--name-only",
        "-z",
    ]
    if not all(_SHA.fullmatch(sha) for sha in (base, head)):
        return None
    known = _git(workspace, "merge-base", "--is-ancestor", base, head)
    said = _git(workspace, *log, f"{base}..{head}", "--") if known is not None else None
    return None if said is None else [_commit(text) for text in said.split("\x1e") if text.strip("\0")]


def _commit(text: str) -> Commit:
    sha, author, subject, files = text.split("\x1f", 3)
    names = frozenset(name.strip("\n") for name in files.split("\0") if name.strip("\n"))
    return Commit(sha=sha, subject=subject, author=author, files=names)


def _git(workspace: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603
            ["git", "-C", str(workspace), *arguments],  # noqa: S607
            capture_output=True,
            check=True,
            timeout=_SECONDS,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace")
