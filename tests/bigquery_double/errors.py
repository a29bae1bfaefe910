"""Google's errors: their shape, and the status that belongs to each reason."""

from typing import Any, Final

from tests.github_double.exchange import Answer

# https://cloud.google.com/bigquery/docs/error-messages
STATUS_OF: Final = {
    "accessDenied": 403,
    "authError": 401,
    "backendError": 503,
    "badGateway": 502,
    "billingNotEnabled": 403,
    "blocked": 403,
    "bytesBilledLimitExceeded": 400,
    "duplicate": 409,
    "internalError": 500,
    "invalid": 400,
    "invalidQuery": 400,
    "notFound": 404,
    "notImplemented": 501,
    "quotaExceeded": 403,
    "rateLimitExceeded": 403,
    "resourceInUse": 400,
    "resourcesExceeded": 400,
    "stopped": 200,
}
_NAME_OF: Final = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
}
# What a failed job is called where only its results are asked for: its reason alone would blame the asking.
_OF_A_JOB: Final = {name: f"job{name[0].upper()}{name[1:]}" for name in ("backendError", "internalError")} | {
    "rateLimitExceeded": "jobRateLimitExceeded"
}


def error(reason: str, message: str, status: int | None = None) -> Answer:
    """An answer that refuses."""
    code = status or STATUS_OF.get(reason, 400)
    item = {"message": message, "domain": "global", "reason": reason}
    if code == 401:
        item |= {"location": "Authorization", "locationType": "header"}
    name = _NAME_OF.get(code, "UNKNOWN")
    return Answer(code, {"error": {"code": code, "message": message, "errors": [item], "status": name}})


def not_found(what: str) -> Answer:
    """What is not there, by kind and name."""
    return error("notFound", f"Not found: {what}")


def already_exists(what: str) -> Answer:
    """What cannot be made twice."""
    return error("duplicate", f"Already Exists: {what}")


def failed_job(result: dict[str, Any]) -> Answer:
    """What is answered when the results of a failed job are asked for."""
    reason = result["reason"]
    renamed = _OF_A_JOB.get(reason)
    status = 400 if renamed or reason == "stopped" else None
    return error(renamed or reason, result["message"], status)
