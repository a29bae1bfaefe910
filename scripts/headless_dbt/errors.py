"""The vocabulary of errors: each class has its exit code, and its message is one readable sentence.

Exit codes 0, 1, 2, 3, 124 and 130 are the published ones of ``headless-dbt run``.
"""

import errno
import tempfile
import traceback
from typing import ClassVar

_NO_WRITING = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EIO}


class HeadlessDbtError(Exception):
    """What a user is shown instead of a traceback.

    ``str(error)`` is complete by itself: it names what was wrong and what to do next.
    """

    exit_code: ClassVar[int]
    title: ClassVar[str]


class RequestError(HeadlessDbtError):
    """What was asked for cannot be meant: a bad input, no such project, selector or target."""

    exit_code = 2
    title = "The request is wrong"

    def __init__(self, subject: str, *, given: str, allowed: str, advice: str) -> None:
        """Say which input (``subject``) was ``given`` what, what is ``allowed``, and what to do next."""
        super().__init__(f"{subject}: got {' '.join(given.split())}; allowed: {allowed}. {advice}")


class DbtUnusableError(HeadlessDbtError):
    """dbt could not work at all: install, connection, parse or compile, before any node ran."""

    exit_code = 3
    title = "dbt could not work"


class CheckFailedError(DbtUnusableError):
    """The warehouse refused something that a run needs."""

    title = "The check failed"


class CostLimitError(HeadlessDbtError):
    """The queries of the run have cost more than they may; what had begun was finished, the rest was not begun."""

    exit_code = 1
    title = "The cost limit ended the run"


class RunFolderError(HeadlessDbtError):
    """A file of the run folder is missing or cannot be read as what it should be."""

    exit_code = 4
    title = "The run folder cannot be read"


class GitHubError(HeadlessDbtError):
    """GitHub refused, or could not be reached. It never changes the verdict of a build."""

    exit_code = 5
    title = "GitHub could not be told"


class InternalError(HeadlessDbtError):
    """A bug of headless-dbt. The traceback is in a file, for the bug report."""

    exit_code = 3
    title = "headless-dbt failed"

    def __init__(self, bug: Exception) -> None:
        """Write the traceback of ``bug`` to a file under the system's temporary folder, and name it.

        Its message is not in the file: it may quote a secret, and what is shown is clean of them.
        """
        try:
            with tempfile.NamedTemporaryFile("w", prefix="headless-dbt-crash-", suffix=".txt", delete=False) as file:
                begins = "Traceback (most recent call last):\n"
                file.writelines([begins, *traceback.format_tb(bug.__traceback__), type(bug).__name__, "\n"])
            where = f"Please report it with {file.name}."
        except OSError as error:
            where = f"Please report it; its traceback could not be written ({error.strerror})."
        super().__init__(f"This is a bug of headless-dbt ({type(bug).__name__}: {bug}). {where}")


class DiskError(HeadlessDbtError):
    """A file could not be written: the disk is full, or lets nobody write."""

    exit_code = 3
    title = "The disk does not take more"

    def __init__(self, error: OSError) -> None:
        """Say which file it was."""
        super().__init__(f"{error.strerror}: {error.filename or 'a file of the run'}. Make room, and run again.")


class TimeLimitError(HeadlessDbtError):
    """The time limit ended the run."""

    exit_code = 124
    title = "The time limit ended the run"


class CancelledError(HeadlessDbtError):
    """Somebody, or the runner, ended the run with a signal."""

    exit_code = 130
    title = "The run was cancelled"


def told_as(error: Exception) -> HeadlessDbtError:
    """Any exception as what a user is shown."""
    if isinstance(error, HeadlessDbtError):
        return error
    if isinstance(error, OSError) and error.errno in _NO_WRITING:
        return DiskError(error)
    return InternalError(error)
