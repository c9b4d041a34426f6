"""Turns what pydantic refuses into lines that name the setting and its place, and never repeat a value."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from config.kinds import UNREADABLE
from config.naming import KeyPath, did_you_mean, dotted, nearest, problem_line, undotted
from config.shape import MOVED, leaves, names_at
from config.sources import Source, find, places

_KEY = "[key]"
"""What pydantic appends where the name in a mapping is wrong, not the value."""
_IN_WORDS = {
    "missing": "is missing",
    "bool": "must be true or false",
    "int": "must be a whole number",
    "float": "must be a number",
    "decimal": "must be a number",
    "finite": "must be a number",
    "string_type": "must be text",
    "string_unicode": UNREADABLE,
    "string_too_short": "must not be empty",
    "tuple": "must be a list",
    "dict": "must be a mapping of names to values",
    "model": "must be a section: a mapping of names to values",
    "datetime": "must be a date or time such as 2022-05-01 or 2022-05-01T12:00Z",
    "path": "must be a path",
    "too_short": "must not be empty",
    "string_pattern_mismatch": "must be written like BTC/USDT",
}
"""By pydantic's name of what is wrong, or by that of the type that something is not."""


def problems_of(error: ValidationError, sources: Sequence[Source]) -> list[str]:
    """Every refusal as people read it, in the order of the settings; one for each setting.

    Args:
        error: What pydantic refused.
        sources: What was refused, the strongest first.
    """
    found: dict[KeyPath, str] = {}
    for detail in error.errors(include_url=False):
        path, other = _path(detail, sources), str(detail.get("ctx", {}).get("other", ""))
        found.setdefault(path, problem_line(places(sources, path, other), path, _message(detail, path)))
    return list(found.values())


def _path(detail: ErrorDetails, sources: Sequence[Source]) -> KeyPath:
    """The path of the setting; pydantic appends the member of a union that it tried, which nobody wrote."""
    location = detail["loc"]
    if at := detail.get("ctx", {}).get("at"):
        return undotted(str(at))
    if location[-1] == _KEY:
        return location[:-1]
    known, _ = find(sources, location)
    return known if detail["type"] != "missing" and known and not names_at(known) else location


def _message(detail: ErrorDetails, path: KeyPath) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "setting":
        return str(context["text"])
    if kind == "extra_forbidden":
        return MOVED.get(path) or f"there is no such setting{_nearest_setting(path)}"
    if kind in ("enum", "literal_error"):
        choices = str(context["expected"]).replace(" or ", ", ").replace("'", "").split(", ")
        return f"must be {context['expected']}{did_you_mean(str(detail['input']), choices)}"
    if path == detail["loc"][:-1] and detail["loc"][-1] != _KEY:
        return "must be a single value: a number, text, or true or false"
    words = _IN_WORDS.get(kind)
    if words is None and ("type" in kind or "parsing" in kind or kind in ("int_from_float", "finite_number")):
        words = _IN_WORDS.get(kind.partition("_")[0])
    return words or detail["msg"].replace("Input should be", "must be")


def _nearest_setting(path: KeyPath) -> str:
    """The nearest name in the same section, else the nearest in any."""
    section, word = path[:-1], str(path[-1])
    if near := nearest(word, names_at(section)):
        return f"; did you mean {dotted((*section, near))}?"
    same_name = [dotted(leaf) for leaf in leaves() if leaf[-1] == word]
    return f"; did you mean {same_name[0]}?" if same_name else did_you_mean(dotted(path), map(dotted, leaves()))
