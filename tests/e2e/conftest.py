"""The fixtures of the end-to-end tests."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

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


@pytest.fixture
def broken_service() -> Iterator[str]:
    """A service that answers nothing but 501: as `ACTIONS_CACHE_URL`, a cache that is down."""
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
