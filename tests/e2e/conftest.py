"""The fixtures of the end-to-end tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.act import Act
from tests.e2e.caller import Caller
from tests.e2e.product import ROOT, clean_copy
from tests.github_double import GitHubDouble


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean copy of this repository."""
    return clean_copy(ROOT, tmp_path_factory.mktemp("headless-dbt"))


@pytest.fixture
def github() -> Iterator[GitHubDouble]:
    """A GitHub with one empty repository, the caller's."""
    with GitHubDouble() as double:
        yield double


@pytest.fixture
def act(product: Path, github: GitHubDouble, tmp_path: Path) -> Act:
    """act, with this repository as the one that callers use."""
    folder = tmp_path / "runs"
    folder.mkdir()
    return Act(product, github, folder)


@pytest.fixture
def caller(tmp_path: Path) -> Caller:
    """An empty repository of somebody who will call this one."""
    return Caller(tmp_path / "warehouse")
