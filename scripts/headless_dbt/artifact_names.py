"""The names under which runs are uploaded to GitHub, and found again. Pure."""

import json
import re
from hashlib import sha256

from headless_dbt.inputs import DEFAULTS
from headless_dbt.model import Request


def unique_artifact_name(name: str, request: Request, nonce: str) -> str:
    """The name to upload under: GitHub takes each name once per workflow run, over all attempts and jobs.

    The first part after the name stands for what was asked for and stays the same from night to night; the
    nonce keeps a matrix, a second call in the job and a re-run apart.
    """
    return f"{safe_artifact_name(name)}-{standing_for(request)}-{nonce}"


def standing_for(request: Request) -> str:
    """What stands for a request in the name of its artifact.

    A default stands for itself, so that an input that comes with a new version changes nothing.
    """
    inputs = {
        given: text for given, text in request.inputs.items() if given != "resume-from" and text != DEFAULTS.get(given)
    }
    asked = json.dumps([request.context.workflow_file, inputs], sort_keys=True)
    return sha256(asked.encode()).hexdigest()[:6]


def request_in(uploaded: str, name: str) -> str:
    """What stands for the request in the name of an artifact that was uploaded under ``name``; else an empty text."""
    match = re.fullmatch(rf"{re.escape(safe_artifact_name(name))}-([0-9a-f]{{6}})-[0-9a-f]{{6}}", uploaded)
    return match[1] if match else ""


def safe_artifact_name(name: str) -> str:
    """A name that GitHub takes for an artifact."""
    return re.sub(r"[^A-Za-z0-9_. -]", "-", name)
