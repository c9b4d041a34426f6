"""Checks a JSON value against a schema of an OpenAPI document, as strictly as a generated client would."""

from __future__ import annotations

from datetime import datetime
from typing import Any

KINDS = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool}


def mismatch(value: Any, schema: dict[str, Any], document: dict[str, Any], where: str = "answer") -> str:
    """What is wrong with a value; empty when it is as the schema says. Fields it does not name are wrong too."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return mismatch(value, document["components"]["schemas"][name], document, where)
    if "anyOf" in schema:
        tried = [mismatch(value, choice, document, where) for choice in schema["anyOf"]]
        return "" if "" in tried else tried[0]
    if "const" in schema:
        return "" if value == schema["const"] else f"{where} is {value!r}, not {schema['const']!r}"
    if schema.get("type") == "null":
        return "" if value is None else f"{where} is not null"
    return _typed(value, schema, document, where)


def _typed(value: Any, schema: dict[str, Any], document: dict[str, Any], where: str) -> str:
    kind = schema["type"]
    if not isinstance(value, KINDS[kind]) or (kind in ("integer", "number") and isinstance(value, bool)):
        return f"{where} is {value!r}, not a {kind}"
    if "enum" in schema and value not in schema["enum"]:
        return f"{where} is {value!r}, none of {schema['enum']}"
    if schema.get("format") == "date-time" and not _utc(value):
        return f"{where} is {value!r}, not a UTC time"
    if kind == "array":
        items = [mismatch(item, schema["items"], document, f"{where}[{n}]") for n, item in enumerate(value)]
        return next(filter(None, items), "")
    return _fields(value, schema, document, where) if kind == "object" else ""


def _fields(value: dict[str, Any], schema: dict[str, Any], document: dict[str, Any], where: str) -> str:
    known = schema.get("properties", {})
    missing = [name for name in schema.get("required", []) if name not in value]
    strange = [name for name in value if name not in known]
    if missing or strange:
        return f"{where}: missing {missing}, unknown {strange}"
    found = [mismatch(value[name], known[name], document, f"{where}.{name}") for name in value]
    return next(filter(None, found), "")


def _utc(text: str) -> bool:
    return text.endswith("Z") and datetime.fromisoformat(text).utcoffset() is not None
