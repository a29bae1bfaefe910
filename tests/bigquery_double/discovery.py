"""Google's own description of BigQuery's API, as the judge of every request and every answer."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from tests.github_double.exchange import Answer, Request

Json = Mapping[str, Any]

_BASE: Final = "/bigquery/v2/"
# What Google's client sends and the description does not name.
_TOLERATED: Final = {"projection", "uploadType"}
_NUMBER: Final = re.compile(r"-?\d+")


@dataclass(frozen=True)
class Description:
    """The parsed description."""

    document: Json

    def request_breaches(self, request: Request) -> Iterator[str]:
        """What of a request is not as Google describes it."""
        if _is_piece(request):
            return
        method = self._method(request)
        if method is None:
            yield "BigQuery has no such method"
            return
        known = {*method["parameters"], *self.document["parameters"], *_TOLERATED}
        yield from (f"BigQuery knows no parameter {name!r}" for name in request.query.keys() - known)
        if isinstance(request.body, dict) and "request" in method:
            yield from self._against(request.body, method["request"], "request")

    def answer_breaches(self, request: Request, answer: Answer) -> Iterator[str]:
        """What of a good answer is not as Google describes it."""
        method = None if _is_piece(request) else self._method(request)
        if method and answer.status == 200 and answer.body is not None:
            yield from self._against(answer.body, method["response"], "answer")

    def _method(self, request: Request) -> Json | None:
        path = request.path.removeprefix("/upload").removeprefix(_BASE)
        for resource in self.document["resources"].values():
            for method in resource["methods"].values():
                pattern = re.sub(r"{\w+}", "[^/:]+", method["flatPath"])
                if method["httpMethod"] == request.method and re.fullmatch(pattern, path):
                    return dict(method)
        return None

    def _against(self, value: object, schema: Json, where: str) -> Iterator[str]:
        """Fields that are unknown, and values of another type; Google takes numbers as text, too."""
        schema = self.document["schemas"][schema["$ref"]] if "$ref" in schema else schema
        match schema["type"], value:
            case "object", dict():
                yield from self._fields_against(value, schema, where)
            case "array", list():
                for index, each in enumerate(value):
                    yield from self._against(each, schema["items"], f"{where}[{index}]")
            case "string", str():
                yield from _text_against(value, schema, where)
            case ("integer" | "number", (int() | float())) | ("boolean", bool()) | ("any", _):
                pass
            case ("integer" | "number", str()) if _NUMBER.fullmatch(value):
                pass
            case kind, _:
                yield f"{where} is {value!r}, and no {kind}"

    def _fields_against(self, value: Json, schema: Json, where: str) -> Iterator[str]:
        for name, each in value.items():
            inner = schema.get("properties", {}).get(name) or schema.get("additionalProperties")
            if inner:
                yield from self._against(each, inner, f"{where}.{name}")
            else:
                yield f"{where}.{name} is unknown to BigQuery"


def _is_piece(request: Request) -> bool:
    """A piece of a resumable upload, whose protocol is described nowhere."""
    return request.method == "PUT" and request.path.startswith("/upload/")


def _text_against(value: str, schema: Json, where: str) -> Iterator[str]:
    if value not in schema.get("enum", [value]):
        yield f"{where} is {value!r}, and none of {', '.join(schema['enum'])}"
    if schema.get("format") == "int64" and not _NUMBER.fullmatch(value):
        yield f"{where} is {value!r}, and no number"


@cache
def bigquery_description() -> Description:
    """The description that lies in google-api-python-client, of which nothing else is used."""
    package = find_spec("googleapiclient")
    if package is None or package.origin is None:
        raise FileNotFoundError("The tests need google-api-python-client: run `make dev`")
    file = Path(package.origin).parent / "discovery_cache/documents/bigquery.v2.json"
    return Description(json.loads(file.read_text("utf-8")))
