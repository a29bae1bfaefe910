"""GitHub's own OpenAPI description, as the judge of every request and every answer."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote

from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend
from openapi_schema_validator import OAS30Validator, oas30_format_checker
from referencing import Registry, Resource

Json = dict[str, Any]

DESCRIPTION = Path(__file__).parents[1] / "node_modules/@octokit/openapi/generated/api.github.com.json"
_NAME = "urn:github-rest-api"
# GitHub may give these on any route; its description names them on a few only.
_EVERYWHERE = {301, 307, 401, 403, 404, 410, 429}


class Description:
    """The parsed description; schemas are resolved only when something is held against them."""

    def __init__(self, document: Json) -> None:
        self.document = document
        self.registry: Any = Registry().with_resource(_NAME, Resource.opaque(document))
        self._templates: dict[int, list[tuple[str, ...]]] = {}
        for path in document["paths"]:
            segments = tuple(path.split("/"))
            self._templates.setdefault(len(segments), []).append(segments)

    def operation(self, method: str, path: str) -> "Operation | None":
        """The operation of a request; where two templates fit, the one with more literal parts."""
        actual = path.split("/")
        fitting = [each for each in self._templates.get(len(actual), []) if _fits(each, actual)]
        for template in sorted(fitting, key=lambda each: sum(map(_is_parameter, each))):
            if method.lower() in self.document["paths"]["/".join(template)]:
                parameters = {
                    name[1:-1]: unquote(value)
                    for name, value in zip(template, actual, strict=True)
                    if _is_parameter(name)
                }
                return Operation(self, method.upper(), "/".join(template), parameters)
        return None

    def example(self, name: str) -> Json:
        """A copy of one of the description's own example answers."""
        value = self.document["components"]["examples"][name]["value"]
        return cast(Json, json.loads(json.dumps(value)))

    def follow(self, node: Json) -> Json:
        """The node itself, or what its `$ref` points at."""
        while "$ref" in node:
            target: Any = self.document
            for key in node["$ref"].removeprefix("#/").split("/"):
                target = target[key.replace("~1", "/").replace("~0", "~")]
            node = target
        return node

    def breaches(self, schema: Json, value: Any, what: str) -> Iterator[str]:
        """In plain words, everything in which the value breaks the schema."""
        for error in _validator(self, json.dumps(schema)).iter_errors(value):
            yield f"{what} at {error.json_path}: {error.message[:300]}"


@dataclass(frozen=True)
class Operation:
    """One route of GitHub's, and the values that a request gave for the parameters in its path."""

    description: Description
    method: str
    template: str
    parameters: Mapping[str, str]

    def request_breaches(self, query: Mapping[str, str], body: object) -> Iterator[str]:
        """Everything in which a request breaks the description."""
        declared = [self.description.follow(each) for each in self._node.get("parameters", [])]
        for parameter in declared:
            given = self.parameters if parameter["in"] == "path" else query
            if parameter["name"] in given:
                value = _typed(given[parameter["name"]], self.description.follow(parameter["schema"]))
                what = f"parameter {parameter['name']}"
                yield from self.description.breaches(parameter["schema"], value, what)
        for name in query.keys() - {each["name"] for each in declared if each["in"] == "query"}:
            yield f"unknown query parameter {name!r}"
        yield from self._body_breaches(body)

    def answer_breaches(self, status: int, body: object) -> Iterator[str]:
        """Everything in which an answer breaks the description."""
        if status >= 500:
            return
        responses = self._node["responses"]
        if str(status) not in responses and status not in _EVERYWHERE:
            yield f"status {status} is none of {sorted(responses)}"
            return
        response = self.description.follow(responses.get(str(status), {"$ref": "#/components/responses/forbidden"}))
        content = response.get("content", {}).get("application/json")
        if content is None:
            if body is not None:
                yield f"status {status} has no body"
        else:
            yield from self.description.breaches(content["schema"], body, "answer")

    @property
    def _node(self) -> Json:
        return cast(Json, self.description.document["paths"][self.template][self.method.lower()])

    def _body_breaches(self, body: object) -> Iterator[str]:
        wanted = self._node.get("requestBody")
        if wanted is None:
            if body is not None:
                yield "a body where none belongs"
        elif body is not None or wanted.get("required"):
            schema = self._only_one(self.description.follow(wanted["content"]["application/json"]["schema"]))
            yield from self.description.breaches(schema, body, "body")
            if isinstance(body, dict) and "properties" in schema:
                for name in body.keys() - schema["properties"].keys():
                    yield f"unknown key {name!r} in the body"

    def _only_one(self, schema: Json) -> Json:
        """The schema itself, or the one alternative that it has."""
        alternatives = schema.get("oneOf", [])
        return self.description.follow(alternatives[0]) if len(alternatives) == 1 else schema


@cache
def github_description() -> Description:
    """The description, read once per process."""
    if not DESCRIPTION.exists():
        raise FileNotFoundError(f"{DESCRIPTION} is missing: run `npm ci --prefix tests --ignore-scripts`")
    return Description(json.loads(DESCRIPTION.read_bytes()))


@cache
def _validator(description: Description, schema: str) -> Validator:
    """A validator of one schema; references without a document name mean the description."""
    absolute = schema.replace('"$ref": "#/', f'"$ref": "{_NAME}#/')
    return _Validator(json.loads(absolute), registry=description.registry, format_checker=oas30_format_checker)


def _enum(validator: Validator, values: list[object], value: object, schema: Json) -> Iterator[ValidationError]:
    """GitHub leaves null out of a nullable enum's values, and means it nevertheless."""
    if value not in values and not (value is None and schema.get("nullable")):
        yield ValidationError(f"{value!r} is not one of {values}")


def _one_of(validator: Validator, alternatives: list[Json], value: object, schema: Json) -> Iterator[ValidationError]:
    """GitHub lets null be none of the alternatives of a nullable value, and means it nevertheless."""
    if value is not None or not schema.get("nullable"):
        yield from OAS30Validator.VALIDATORS["oneOf"](validator, alternatives, value, schema)


_NULLABLE = {"enum": _enum, "oneOf": _one_of}
_Validator = cast(type[Validator], extend(OAS30Validator, _NULLABLE))  # type: ignore[no-untyped-call]


def _is_parameter(segment: str) -> bool:
    return segment.startswith("{")


def _fits(template: tuple[str, ...], actual: list[str]) -> bool:
    return all(
        bool(value) if _is_parameter(name) else name == value for name, value in zip(template, actual, strict=True)
    )


def _typed(value: str, schema: Json) -> object:
    """Query and path values are text; a number is read as one where the description wants one."""
    if schema.get("type") == "integer" and value.lstrip("-").isdigit():
        return int(value)
    if schema.get("type") == "boolean" and value in ("true", "false"):
        return value == "true"
    return value
