"""Workflow runs on GitHub and the artifacts that they left, through PyGithub and, for the download itself, requests.

Source: https://docs.github.com/en/rest/actions/artifacts and https://docs.github.com/en/rest/actions/workflow-runs
"""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import requests
from github.File import File
from github.GithubException import GithubException
from github.WorkflowRun import WorkflowRun

from headless_dbt.archive_parts import Part, TooLargeError, read_entry
from headless_dbt.github import TIMEOUT_SECONDS, Patience, connect
from headless_dbt.suspects import Commit

_CHUNK = 1 << 20
# An earlier run, and who may be to blame, are worth less waiting than the issue.
PATIENCE_SECONDS = 60.0
# How many commits are looked at, one request each.
MOST_COMMITS = 30
# How many runs back anything is looked for.
MOST_RUNS = 50


@dataclass(frozen=True)
class Artifact:
    """An artifact of a workflow run. ``created_at`` is in ISO 8601."""

    number: int
    name: str
    created_at: str
    expired: bool
    address: str


class WorkflowRuns:
    """The workflow runs of one repository."""

    def __init__(self, token: str, api_url: str, repository: str, patience: Patience | None = None) -> None:
        """Talk to ``api_url`` about ``repository`` (owner/name)."""
        self._token = token
        self._name = repository
        self._patience = patience or Patience(seconds=PATIENCE_SECONDS)
        self._repository = connect(token, api_url, repository, lazy=True)

    def artifacts_of(self, run_id: int) -> list[Artifact]:
        """All artifacts of a run, over all its attempts, the newest first."""
        run = self._repository.get_workflow_run(run_id)
        found = [
            Artifact(each.id, each.name, each.created_at.isoformat(), each.expired, each.archive_download_url)
            for each in self._patience.ask(lambda: list(run.get_artifacts()))
        ]
        return sorted(found, key=lambda each: (each.created_at, each.number), reverse=True)

    def is_own(self, run_id: int) -> bool:
        """Whether a run's code came from this repository; anybody may run a fork's in a pull request."""
        run = self._repository.get_workflow_run(run_id)
        self._patience.ask(run.update)
        return self._is_own(run)

    def runs_of(self, workflow_file: str, branch: str) -> list[int]:
        """The ids of the runs of a workflow on a branch (empty: on any), the newest first."""
        if not workflow_file:  # Outside of GitHub Actions.
            return []
        workflow = self._repository.get_workflow(Path(workflow_file).name)
        found = self._patience.ask(
            lambda: list(islice(workflow.get_runs(branch=branch) if branch else workflow.get_runs(), MOST_RUNS))
        )
        return [run.id for run in found if self._is_own(run)]

    def commits_between(self, base: str, head: str) -> tuple[list[Commit], bool]:
        """The commits after ``base`` up to ``head``, the newest first, with the files of each; and whether all are."""
        every = self._patience.ask(lambda: list(self._repository.compare(base, head).commits))
        newest = every[-MOST_COMMITS:]
        commits = [
            Commit(
                sha=each.sha,
                subject=each.commit.message.split("\n", 1)[0],
                author=each.author.login if each.author else each.commit.author.name,
                files=frozenset(file.filename for file in self._files_of(each.sha)),
            )
            for each in reversed(newest)
        ]
        return commits, len(newest) == len(every)

    def download(self, artifact: Artifact, file: Path) -> None:
        """Download an artifact, a zip archive. The token stays with GitHub; the storage behind it gets none."""
        self._patience.ask(lambda: self._download(artifact, file))

    def _download(self, artifact: Artifact, file: Path) -> None:
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/vnd.github+json"}
        with (
            requests.get(artifact.address, headers=headers, timeout=TIMEOUT_SECONDS, stream=True) as answer,
            file.open("wb") as stream,
        ):
            answer.raise_for_status()
            for chunk in answer.iter_content(_CHUNK):
                stream.write(chunk)

    def read_file(self, artifact: Artifact, name: str, most_bytes: int) -> bytes | None:
        """One file of an artifact, and no more of it than needed; None where it is not in it.

        Raises TooLargeError, and zipfile's errors.
        """
        address = self._patience.ask(lambda: self._storage_of(artifact))
        return read_entry(
            lambda first, last: self._patience.ask(lambda: _part_of(address, first, last, most_bytes)), name, most_bytes
        )

    def _storage_of(self, artifact: Artifact) -> str:
        """Where the bytes of an artifact are: an address of another host, which opens for whoever has it."""
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/vnd.github+json"}
        with requests.get(
            artifact.address, headers=headers, timeout=TIMEOUT_SECONDS, stream=True, allow_redirects=False
        ) as answer:
            answer.raise_for_status()
            return answer.headers["location"]

    def _files_of(self, sha: str) -> list[File]:
        return self._patience.ask(lambda: list(self._repository.get_commit(sha).files))

    def _is_own(self, run: WorkflowRun) -> bool:
        home = run.head_repository
        return home is not None and home.full_name.lower() == self._name.lower()


def _part_of(address: str, first: int, last: int, most_bytes: int) -> Part:
    """A part of what a storage holds; the whole where it does not hand out parts."""
    headers = {"Range": f"bytes={first}-{last}", "Accept-Encoding": "identity"}
    with requests.get(address, headers=headers, timeout=TIMEOUT_SECONDS, stream=True) as answer:
        answer.raise_for_status()
        content = bytearray()
        for chunk in answer.iter_content(_CHUNK):
            content += chunk
            if len(content) > most_bytes:
                raise TooLargeError
        if answer.status_code != requests.codes.partial_content:
            return Part(0, bytes(content), len(content))
        # "bytes 0-65535/1234567"
        place, _, total = answer.headers["content-range"].rpartition(" ")[2].partition("/")
        return Part(int(place.partition("-")[0]), bytes(content), int(total))


def why_not(error: Exception) -> str:
    """Why GitHub did not give an earlier run: a clause that reads on after a colon."""
    if isinstance(error, GithubException):
        status, said = error.status, error.data.get("message", "") if isinstance(error.data, dict) else ""
    elif isinstance(error, requests.HTTPError) and error.response is not None:
        status, said = error.response.status_code, error.response.reason
    else:
        return f"GitHub could not be reached ({error})"
    if status == 404:
        return "GitHub knows no such run, or does not show it to this token"
    if status == 410:
        return "its artifact has expired"
    if status in (401, 403) and "rate limit" not in str(said).lower():
        return f"GitHub refused it ({status}, {said}); add `actions: read` to the `permissions:` of the calling job"
    return f"GitHub answered with status {status} ({said})"
