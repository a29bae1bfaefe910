"""A warehouse that cannot be reached, and one that refuses: dbt-bigquery with Google's own client on real sockets."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from tests.integration.conftest import Project

PROFILE = """\
little:
  target: prod
  outputs:
    prod: {type: bigquery, method: oauth-secrets, token: wrong, project: p, dataset: d, threads: 2, location: EU}
"""
# https://cloud.google.com/bigquery/docs/error-messages: what BigQuery says to a wrong token.
REFUSAL = {
    "error": {
        "code": 401,
        "message": "Request had invalid authentication credentials.",
        "errors": [{"message": "Invalid Credentials", "domain": "global", "reason": "authError"}],
        "status": "UNAUTHENTICATED",
    }
}


class _Refusing(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        content = json.dumps(REFUSAL).encode()
        self.send_response(401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def refusing() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Refusing) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def nobody() -> str:
    """An address at which nobody listens any more."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Refusing) as server:
        return f"http://127.0.0.1:{server.server_port}"


def attempts(project: Project, address: str) -> tuple[int, list[list[str]], str]:
    project.write({"profiles.yml": PROFILE})
    around = {"BIGQUERY_EMULATOR_HOST": address, "GOOGLE_CLOUD_PROJECT": "p"}
    done = project.run("--retries", "1", "--retry-delay", "0.1", target="prod", **around)  # type: ignore[arg-type]
    return done.exit_code, [attempt["causes"] for attempt in done.read("run.json")["attempts"]], done.output


def test_a_warehouse_that_cannot_be_reached_is_tried_again(project: Project, nobody: str) -> None:
    exit_code, causes, said = attempts(project, nobody)
    assert (exit_code, causes) == (3, [["connection refused"], []])
    assert "dbt build could not begin" in said


def test_a_wrong_password_is_not(project: Project, refusing: str) -> None:
    exit_code, causes, said = attempts(project, refusing)
    assert (exit_code, causes) == (3, [[]])
    assert "Unable to generate access token" in said
