"""Stands between GitHub's artifact client and act's artifact server, which disagree in three small things.

act does not know the field `mime_type` (nektos/act#6021), loses the padding of the signature in the upload's
address (nektos/act#6022), and takes a second artifact of the same name, which GitHub refuses.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import quote, unquote

_LENGTHS = ("content-length", "transfer-encoding", "connection")


@contextmanager
def artifact_proxy(port: int, taken: Iterable[str] = ()) -> Iterator[str]:
    """Serve in front of act's artifact server on `port`; `taken` are names of earlier attempts' artifacts."""

    class Handler(_Handler):
        pass

    Handler.names, Handler.upstream = set(taken), port
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.block_on_close = False
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    names: set[str]
    upstream: int

    def forward(self) -> None:
        """Hand the request on, mended."""
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path.endswith("/CreateArtifact"):
            request = json.loads(body)
            request.pop("mime_type", None)
            if request["name"] in self.names:
                conflict = "Conflict: an artifact with this name already exists on the workflow run"
                self._send(409, [], json.dumps({"code": "already_exists", "msg": conflict}).encode())
                return
            self.names.add(request["name"])
            body = json.dumps(request).encode()
        elif self.path.endswith("/DeleteArtifact"):
            self.names.discard(json.loads(body)["name"])
        upstream = HTTPConnection("127.0.0.1", self.upstream)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _LENGTHS}
        upstream.request(self.command, _padded(self.path), body, headers)
        response = upstream.getresponse()
        kept = [(name, value) for name, value in response.getheaders() if name.lower() not in _LENGTHS]
        self._send(response.status, kept, response.read())
        upstream.close()

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = forward  # noqa: N815

    def _send(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep the test's output clean."""


def _padded(path: str) -> str:
    """Restore the `=` at the end of the signature."""
    address, mark, query = path.partition("?")
    return address + mark + "&".join(map(_padded_signature, query.split("&")))


def _padded_signature(parameter: str) -> str:
    name, _, value = parameter.partition("=")
    if name != "sig":
        return parameter
    signature = unquote(value)
    return f"sig={quote(signature + '=' * (-len(signature) % 4), safe='')}"
