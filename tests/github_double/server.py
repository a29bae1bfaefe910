"""The HTTP part: a threaded server on a free loopback port."""

import json
import sys
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR
from threading import Thread
from urllib.parse import parse_qsl, urlsplit

from tests.github_double.exchange import Answer, Request


class Cut(Exception):  # noqa: N818
    """The connection is to be cut in place of an answer."""


class LoopbackServer:
    """Hands every request to one function and sends back what that returns."""

    def __init__(self, base_path: str, handle: Callable[[Request], Answer]) -> None:
        class Handler(_Handler):
            pass

        Handler.base_path, Handler.answer_to = base_path, staticmethod(handle)
        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.block_on_close = False
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and free the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    # Who asks for much at once is not to be turned away.
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Print what went wrong, unless it is only that a client waits no longer."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    base_path: str
    answer_to: Callable[[Request], Answer]

    def serve(self) -> None:
        """Read one request, answer it."""
        try:
            self._send(type(self).answer_to(self._request()))
        except Cut:
            self.close_connection = True
            with suppress(OSError):  # The client may have gone already.
                self.connection.shutdown(SHUT_RDWR)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = serve  # noqa: N815

    def _request(self) -> Request:
        address = urlsplit(self.path)
        content = self.rfile.read(int(self.headers.get("content-length", 0)))
        return Request(
            method=self.command,
            path=address.path.removeprefix(self.base_path),
            query=dict(parse_qsl(address.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=_parsed(content),
        )

    def _send(self, answer: Answer) -> None:
        kind, body = _encoded(answer.body)
        self.send_response(answer.status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep the test's output clean."""


def _encoded(body: object) -> tuple[str, bytes]:
    """The media type of a body, and its bytes."""
    match body:
        case bytes():
            return "application/zip", body
        case str():
            return "text/html", body.encode()
        case _:
            return "application/json; charset=utf-8", b"" if body is None else json.dumps(body).encode()


def _parsed(content: bytes) -> object:
    """The JSON of a body, or its plain text, which then breaks the description."""
    try:
        return json.loads(content) if content else None
    except ValueError:
        return content.decode(errors="replace")
