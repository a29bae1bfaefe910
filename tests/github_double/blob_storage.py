"""Where GitHub keeps the bytes of artifacts: another host, which takes a signed address and no token."""

import hashlib
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
        return Answer(200, artifact.content)


def _path(artifact: Artifact) -> str:
    return f"{BLOBS}{artifact.id}.zip"


def _signature(artifact: Artifact) -> str:
    return b64encode(hashlib.sha256(str(artifact.id).encode()).digest()).decode()
