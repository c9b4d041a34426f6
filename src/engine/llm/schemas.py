"""The JSON schema of a wanted answer, made of its pydantic model, and as OpenAI takes it.

What a provider's schema mode does not know (lengths; Anthropic's, all bounds) stands in the description, where the
model reads it. It is no promise: answers are validated again, whoever gave them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

Json = dict[str, Any]
_REFERENCE = "#/$defs/"
_FOR_PEOPLE = ("title", "default", "examples", "deprecated", "readOnly", "writeOnly", "$comment")
_OPENAI = frozenset(
    {
        *("type", "description", "enum", "const", "anyOf", "items", "properties", "required", "additionalProperties"),
        *("format", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        *("minItems", "maxItems"),
    }
)
_BOUNDS = {
    "ge": "minimum",
    "le": "maximum",
    "gt": "exclusiveMinimum",
    "lt": "exclusiveMaximum",
    "multiple_of": "multipleOf",
}
_IN_WORDS = {"minLength": "characters at least", "maxLength": "characters at most"}


class _Numbers(GenerateJsonSchema):
    """A Decimal is a number, not a number or a text."""

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        bounds = {_BOUNDS[name]: float(str(limit)) for name, limit in schema.items() if name in _BOUNDS}
        return {"type": "number", **bounds}


@lru_cache(maxsize=256)
def schema_of(shape: type[BaseModel]) -> Mapping[str, Any]:
    """The strict JSON schema of an answer: nothing is left out of it or put into it, and no part refers to another.

    Raises:
        ValueError: The shape contains itself, or may have fields of any name: no provider takes that.
    """
    found = shape.model_json_schema(schema_generator=_Numbers)
    strict: Json = _strict(found, found.get("$defs", {}), ())
    return strict


def for_openai(schema: Mapping[str, Any]) -> Json:
    """A strict schema as OpenAI, and servers that follow it, take it."""
    limited: Json = _limited(schema)
    return limited


def _strict(part: Any, named: Mapping[str, Any], within: tuple[str, ...]) -> Any:
    if isinstance(part, list):
        return [_strict(each, named, within) for each in part]
    if not isinstance(part, Mapping):
        return part
    if (reference := part.get("$ref")) is not None:
        name = str(reference).removeprefix(_REFERENCE)
        if name in within:
            raise ValueError(f"The shape {name} contains itself, which no provider takes.")
        beside = {key: value for key, value in part.items() if key != "$ref"}
        return _strict({**named[name], **beside}, named, (*within, name))
    kept = {key: value for key, value in part.items() if key not in _FOR_PEOPLE and key != "$defs"}
    if "properties" in part:
        properties = {name: _strict(each, named, within) for name, each in part["properties"].items()}
        rest = {key: _strict(value, named, within) for key, value in kept.items() if key != "properties"}
        return {**rest, "properties": properties, "required": list(properties), "additionalProperties": False}
    if kept.get("type") == "object":
        if kept.get("additionalProperties", True) is not False:
            raise ValueError("Fields of any name are taken by no provider: use a list of objects.")
        return {**kept, "properties": {}, "required": []}
    if "oneOf" in kept:
        kept["anyOf"] = kept.pop("oneOf")
        kept.pop("discriminator", None)
    return {key: _strict(value, named, within) for key, value in kept.items()}


def _limited(part: Any) -> Any:
    if isinstance(part, list):
        return [_limited(each) for each in part]
    if not isinstance(part, Mapping):
        return part
    kept = {key: value for key, value in part.items() if key in _OPENAI}
    for name, inside in kept.items():
        if name == "properties":
            kept[name] = {field: _limited(each) for field, each in inside.items()}
        elif name in {"items", "anyOf"}:
            kept[name] = _limited(inside)
    told = [f"{part[name]} {words}" for name, words in _IN_WORDS.items() if name in part]
    if told:
        kept["description"] = " ".join(filter(None, (part.get("description"), f"({', '.join(told)})")))
    return kept
