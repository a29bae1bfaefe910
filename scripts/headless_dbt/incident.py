"""The failure issue as a plan: a Run and what the issue says now give what to do. Pure.

One open issue per pipeline: workflow file, target and project-dir. It is found by a hidden marker in its
body, whatever became of its title and labels. The marker also keeps the nodes that are broken, so that a run
which did not select them says nothing about them.
"""

import base64
import json
import posixpath
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from headless_dbt.errors import RequestError
from headless_dbt.model import Outcome, Request, Run, Verdict
from headless_dbt.render.issue import OUR_TITLE, render_body, render_healed, render_title

# What is broken when no node is: the project, the request, the installation.
WHOLE_RUN = "run"
# What stands for more broken nodes than a marker holds. Only a green run of the whole project heals it.
TOO_MANY = "too many to name"

# The state is base64, so nothing in it can end the comment early.
_MARKER = re.compile(r"<!-- headless-dbt:v1:([0-9a-f]{16}):([A-Za-z0-9+/=]*) -->")
_END = "<!-- headless-dbt:end -->"
# GitHub takes 65,536 characters a body; render/issue.py leaves this much of them.
_MOST_STATE = 12_000


@dataclass(frozen=True)
class Issue:
    """An open issue as GitHub has it."""

    number: int
    body: str
    title: str = OUR_TITLE


@dataclass(frozen=True)
class CreateIssue:
    """Open an issue."""

    title: str
    body: str
    labels: tuple[str, ...]
    assignees: tuple[str, ...]


@dataclass(frozen=True)
class UpdateIssue:
    """Write the issue's body anew, and its title, unless it is None: then a person has changed it."""

    number: int
    title: str | None
    body: str


@dataclass(frozen=True)
class CloseIssue:
    """Comment on the issue, and close it."""

    number: int
    comment: str


Plan = CreateIssue | UpdateIssue | CloseIssue | None


def pipeline_key(request: Request) -> str:
    """What identifies a pipeline: 16 hexadecimal characters."""
    project_dir = posixpath.normpath(request.inputs.get("project-dir") or ".")
    parts = [request.context.workflow_file, request.inputs.get("target"), project_dir]
    return sha256(json.dumps(parts).encode()).hexdigest()[:16]


def marker(key: str, broken: Iterable[str]) -> str:
    """The hidden comment of a pipeline's issue, with the unique ids that are broken."""
    state = _encode(broken)
    return f"<!-- headless-dbt:v1:{key}:{state if len(state) <= _MOST_STATE else _encode([TOO_MANY])} -->"


def read_marker(body: str, key: str) -> frozenset[str] | None:
    """What the marker of this pipeline calls broken, or None where the body has no such marker."""
    for match in _MARKER.finditer(body):
        if match[1] == key:
            return _broken(match[2])
    return None


def plan_incident(
    run: Run, issues: Iterable[Issue], labels: tuple[str, ...], assignees: tuple[str, ...], artifact_url: str
) -> Plan:
    """What to do about the issue of this run's pipeline; None is nothing. ``issues`` are the open ones."""
    if run.status is Verdict.CANCELLED or _slip(run):
        return None
    key = pipeline_key(run.request)
    issue, before = _find(issues, key)
    now = broken_by(run)
    still_open = before - healed_by(run, before) - now
    if issue is None:
        if not now:
            return None
        return CreateIssue(render_title(run), _body(run, key, now, still_open, artifact_url), labels, assignees)
    if not now and not still_open:
        return CloseIssue(issue.number, render_healed(run))
    if not now and still_open == before:
        return None
    body = _keep_around(issue.body, key, _body(run, key, now, still_open, artifact_url))
    title = render_title(run, _named(still_open)) if issue.title.startswith(OUR_TITLE) else None
    return UpdateIssue(issue.number, title, body)


def _slip(run: Run) -> bool:
    """Somebody pressed the button with a wrong input: they see it, and no later run could heal it."""
    wrong = run.problem is not None and run.problem.exit_code == RequestError.exit_code
    return wrong and run.request.context.event == "workflow_dispatch"


def _find(issues: Iterable[Issue], key: str) -> tuple[Issue | None, frozenset[str]]:
    """The pipeline's issue, the oldest where there are several, and what it calls broken."""
    for issue in sorted(issues, key=lambda issue: issue.number):
        broken = read_marker(issue.body, key)
        if broken is not None:
            return issue, broken
    return None, frozenset()


def _body(run: Run, key: str, now: frozenset[str], still_open: frozenset[str], artifact_url: str) -> str:
    return f"{marker(key, now | still_open)}\n{render_body(run, _named(still_open), artifact_url)}\n\n{_END}"


def _keep_around(before: str, key: str, generated: str) -> str:
    """The generated part in place of the one in ``before``; what people wrote around it stays."""
    found = next((match for match in _MARKER.finditer(before) if match[1] == key), None)
    if found is None:
        return generated
    # The last end is ours: an earlier one may stand in a message.
    above, (_, end, below) = before[: found.start()], before[found.start() :].rpartition(_END)
    return above + generated + (below if end else "")


def _named(broken: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(broken))


def broken_by(run: Run) -> frozenset[str]:
    """What this run shows to be broken: failed nodes, or the run itself."""
    if run.status not in (Verdict.FAILURE, Verdict.ERROR, Verdict.TIMEOUT):
        return frozenset()
    return frozenset(node.unique_id for node in run.failed) or frozenset({WHOLE_RUN})


def healed_by(run: Run, broken: Iterable[str]) -> frozenset[str]:
    """Which of the broken things this run shows to be whole: nodes that it ran and that did not fail.

    A run that got as far as a verdict on nodes heals what an earlier run as a whole suffered from. A green run
    of the whole project heals everything, also what is no longer in it.
    """
    if run.whole_project and run.status in (Verdict.SUCCESS, Verdict.WARN):
        return frozenset(broken)
    well = {node.unique_id for node in run.nodes if node.outcome in (Outcome.PASSED, Outcome.WARNED)}
    if run.problem is None and any(node.outcome is not Outcome.SKIPPED for node in run.nodes):
        well.add(WHOLE_RUN)
    return frozenset(broken) & well


def _encode(broken: Iterable[str]) -> str:
    return base64.b64encode(zlib.compress(json.dumps({"broken": sorted(broken)}).encode())).decode()


def _broken(state: str) -> frozenset[str]:
    try:
        content = json.loads(zlib.decompress(base64.b64decode(state, validate=True)))
        return frozenset(str(unique_id) for unique_id in content["broken"])
    except (ValueError, KeyError, TypeError, zlib.error):
        # Somebody edited the marker: the issue is still this pipeline's, and what it knew is lost.
        return frozenset({WHOLE_RUN})
