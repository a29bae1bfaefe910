"""A small GitHub that lives on a loopback port, for tests that want real HTTP and no network.

    with GitHubDouble() as github:
        github.add_noise(70)
        client = Github(base_url=github.url, auth=Auth.Token(github.token))
        ...
        assert [issue.title for issue in github.open_issues] == ["dbt failed"]

Every request and every answer is held against GitHub's own OpenAPI description. Whatever breaks it is
kept as a violation, and leaving the `with` block (or the end of the test, for the fixture) fails on it.
"""

from tests.github_double.double import GitHubDouble
from tests.github_double.exchange import Answer, Request
from tests.github_double.faults import FOREVER, UNICORN
from tests.github_double.state import (
    Artifact,
    AuthorAssociation,
    Comment,
    Commit,
    Issue,
    Label,
    Permission,
    Workflow,
    WorkflowRun,
)

__all__ = [
    "FOREVER",
    "UNICORN",
    "Answer",
    "Artifact",
    "AuthorAssociation",
    "Comment",
    "Commit",
    "GitHubDouble",
    "Issue",
    "Label",
    "Permission",
    "Request",
    "Workflow",
    "WorkflowRun",
]
