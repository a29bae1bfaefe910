"""What a run of act came to, read from its JSON lines."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

_RESULT = re.compile(r"^\s*\S+\s+(?:Success|Failure) - Main (.*?)(?: \[[^\[\]]*\])?\s*$", re.DOTALL)
_SKIPPED = re.compile(r"^Skipping step '(.*)' due to ", re.DOTALL)
_LEVELS = ("error", "warning", "notice")


@dataclass(frozen=True)
class Annotation:
    """An ::error::, ::warning:: or ::notice::, unescaped."""

    level: str
    message: str
    title: str | None
    file: str | None
    line: int | None


@dataclass
class Job:
    """One job; act names it `<calling job>/<workflow>/<job>`, and numbers those of a matrix."""

    name: str
    matrix: Mapping[str, Any]
    result: str | None = None
    steps: dict[str, str] = field(default_factory=dict)
    """Name (or the first line of the script) to success, failure or skipped; also of the inner steps."""
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    """Outputs by id of the step; an inner step's is `outer.inner`."""
    annotations: list[Annotation] = field(default_factory=list)
    summary: str = ""
    log: str = ""

    @property
    def failed_steps(self) -> list[str]:
        """The red steps; a composite action is red with its inner step."""
        return [name for name, result in self.steps.items() if result == "failure"]


@dataclass
class Outcome:
    """The whole run. `exit_code` is act's own, and 0 even if no job could run: look at the jobs."""

    exit_code: int
    jobs: list[Job]
    log: str
    artifacts: dict[str, dict[str, bytes]]

    @property
    def job(self) -> Job:
        """The only job that ran steps."""
        if len(self.jobs) != 1:
            raise AssertionError(f"{len(self.jobs)} jobs ran, not one.\n{self.log}")
        return self.jobs[0]

    @property
    def succeeded(self) -> bool:
        """Whether act was content and at least one job ran, and all of them are green."""
        return self.exit_code == 0 and bool(self.jobs) and all(job.result == "success" for job in self.jobs)


def read_jobs(lines: Iterable[str]) -> list[Job]:
    """The jobs in act's JSON lines, in the order in which they began."""
    jobs: dict[str, Job] = {}
    for event in map(json.loads, lines):
        if "jobID" in event:
            name, matrix = event["job"].strip(), event.get("matrix") or {}
            job = jobs.setdefault(f"{name} {json.dumps(matrix)}", Job(name, matrix))
            _read(event, job)
    return [job for job in jobs.values() if job.result or job.steps]  # A job that calls a workflow has neither.


def _read(event: Mapping[str, Any], job: Job) -> None:
    """Add what one event tells."""
    message, command = event.get("msg", ""), event.get("command")
    if "jobResult" in event:
        job.result = event["jobResult"]
    elif "unsupported platform" in message:
        job.result = "unsupported"
    elif event.get("stage") == "Main" and "stepResult" in event:
        _read_step(event["stepResult"], message, job)
    elif command == "set-output":
        job.outputs.setdefault(".".join(event["stepID"]), {})[event["name"]] = event["arg"]
    elif command == "summary":
        job.summary += event["content"]
    elif command in _LEVELS:
        job.annotations.append(_annotation(event))
    elif event.get("raw_output"):
        job.log += message


def _read_step(result: str, message: str, job: Job) -> None:
    match = _RESULT.match(message) or _SKIPPED.match(message)
    if match is None:
        raise AssertionError(f"act words a step's result in a new way: {message!r}")
    name = match[1].strip().partition("\n")[0]
    job.steps[name] = "failure" if job.steps.get(name) == "failure" else result


def _annotation(event: Mapping[str, Any]) -> Annotation:
    properties = event.get("kvPairs") or {}
    line = properties.get("line")
    return Annotation(
        level=event["command"],
        message=event["arg"],
        title=properties.get("title"),
        file=properties.get("file"),
        line=int(line) if line else None,
    )
