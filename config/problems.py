"""Turns what pydantic refuses into problems that name the setting and its place, and never repeat a value."""

from __future__ import annotations

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from config.nodes import KeyPath, Node, Problem, did_you_mean, dotted, find, nearest
from config.shape import leaves, names_at

_KEY = "[key]"
"""What pydantic appends where the name in a mapping is wrong, not the value."""
_IN_WORDS = {
    "missing": "is missing",
    "bool": "must be true or false",
    "int": "must be a whole number",
    "float": "must be a number",
    "decimal": "must be a number",
    "string_type": "must be text",
    "string_too_short": "must not be empty",
    "tuple": "must be a list",
    "list": "must be a list",
    "dict": "must be a mapping of names to values",
    "model": "must be a section: a mapping of names to values",
    "datetime": "must be a date or time such as 2022-05-01 or 2022-05-01T12:00Z",
    "path_type": "must be a path",
    "too_short": "must not be empty",
    "string_pattern_mismatch": "must be written like BTC/USDT",
}


def problems_of(error: ValidationError, tree: Node) -> list[Problem]:
    """Every refusal as a problem, in the order of the settings; one for each setting.

    Args:
        error: What pydantic refused.
        tree: The values that were refused, with their places.
    """
    found: dict[KeyPath, Problem] = {}
    for detail in error.errors(include_url=False, include_input=True):
        path = _path(detail, tree)
        found.setdefault(path, Problem(dotted(path), _message(detail, path), places(tree, path, _other(detail))))
    return list(found.values())


def path_of(key: str) -> KeyPath:
    """The path of a dotted key."""
    return tuple(int(part) if part.isdecimal() else part for part in key.split("."))


def places(tree: Node, path: KeyPath, other: str = "") -> str:
    """Where a setting was written; both places where a rule is about two of them.

    Args:
        tree: The values with their places.
        path: The setting's.
        other: The second one's key; empty where there is none.
    """
    place = _place(tree, path)
    second = _place(tree, path_of(other)) if other else place
    return place if second == place else f"{place} and {second}"


def _place(tree: Node, path: KeyPath) -> str:
    """Of the setting, or of the section that it would stand in; ``default`` where nobody wrote anything of it."""
    known, place = find(tree, path)
    return str(place) if known else "default"


def _other(detail: ErrorDetails) -> str:
    return str(detail.get("ctx", {}).get("other") or "")


def _path(detail: ErrorDetails, tree: Node) -> KeyPath:
    """The path of the setting; pydantic appends the member of a union that it tried, which nobody wrote."""
    at = detail.get("ctx", {}).get("at")
    if at:
        return path_of(str(at))
    location = detail["loc"]
    if location[-1:] == (_KEY,):
        return location[:-1]
    known, _ = find(tree, location)
    return known if detail["type"] != "missing" and known and not names_at(known) else location


def _message(detail: ErrorDetails, path: KeyPath) -> str:
    kind = detail["type"]
    context = detail.get("ctx", {})
    if kind == "setting":
        return str(context["text"])
    if kind == "extra_forbidden":
        return f"there is no such setting{_nearest_setting(path)}"
    if kind in ("enum", "literal_error"):
        return f"must be {context['expected']}{_nearest_choice(detail)}"
    if path == detail["loc"][:-1] and detail["loc"][-1] != _KEY:
        return "must be a single value: a number, text, or true or false"
    words = _IN_WORDS.get(kind)
    stem = kind.partition("_")[0]
    if words is None and ("type" in kind or "parsing" in kind or kind == "int_from_float"):
        words = _IN_WORDS.get(stem)
    return words or detail["msg"].replace("Input should be", "must be")


def _nearest_setting(path: KeyPath) -> str:
    """The nearest name in the same section, else the nearest in any."""
    section, word = path[:-1], str(path[-1])
    near = nearest(word, names_at(section))
    if near:
        return f"; did you mean {dotted((*section, near))}?"
    same_name = [dotted(leaf) for leaf in leaves() if leaf[-1] == word]
    return f"; did you mean {same_name[0]}?" if same_name else did_you_mean(dotted(path), map(dotted, leaves()))


def _nearest_choice(detail: ErrorDetails) -> str:
    choices = str(detail.get("ctx", {})["expected"]).replace(" or ", ", ").replace("'", "").split(", ")
    return did_you_mean(str(detail["input"]), choices)
