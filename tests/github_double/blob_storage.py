"""Where GitHub keeps the bytes of artifacts: another host, which takes a signed address and no token."""

import hashlib
import re
from base64 import b64encode
from dataclasses import dataclass
from urllib.parse import urlencode

from tests.github_double.exchange import Answer, Request
from tests.github_double.state import Artifact, Repository

BLOBS = "/actions-results/"


@dataclass(frozen=True)
class BlobStorage:
    """The blobs of one repository's artifacts."""

    repository: Repository
    url: str

    def address_of(self, artifact: Artifact) -> str:
        """The address that opens for whoever has it."""
        return f"{self.url}{_path(artifact)}?{urlencode({'sp': 'r', 'sig': _signature(artifact)})}"

    def answer(self, request: Request) -> Answer:
        """The zip, for an address as it was given out."""
        blobs = {_path(artifact): artifact for run in self.repository.runs for artifact in run.artifacts}
        artifact = blobs.get(request.path)
        if artifact is None or artifact.expired:
            return Answer(404, "<Error><Code>BlobNotFound</Code></Error>")
        if "authorization" in request.headers:
            return Answer(401, "<Error><Code>InvalidAuthenticationInfo</Code></Error>")
        if request.query.get("sig") != _signature(artifact):
            return Answer(403, "<Error><Code>AuthenticationFailed</Code></Error>")
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
        if wanted is None or not self.repository.hands_out_parts:
            return Answer(200, artifact.content)
        return _part(artifact.content, int(wanted[1]), int(wanted[2] or len(artifact.content)))


def _part(content: bytes, first: int, last: int) -> Answer:
    """A range of bytes, as Azure gives it; one that counts from the end it does not know, and gives the whole."""
    if first >= len(content):
        return Answer(416, "<Error><Code>InvalidRange</Code></Error>", {"content-range": f"bytes */{len(content)}"})
    part = content[first : last + 1]
    return Answer(206, part, {"content-range": f"bytes {first}-{first + len(part) - 1}/{len(content)}"})


def _path(artifact: Artifact) -> str:
    return f"{BLOBS}{artifact.id}.zip"


def _signature(artifact: Artifact) -> str:
    return b64encode(hashlib.sha256(str(artifact.id).encode()).digest()).decode()
