"""Reads the environment and ``.env`` into nodes that know their variable.

Values are taken as they stand: ``.env`` expands no ``$``, because secrets may contain it.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dotenv.parser import Binding, parse_stream

from config.nodes import Node, Place, Problem, did_you_mean, grow, merge, plant, speakable
from config.shape import PREFIX, is_structured, leaves, path_of, variable

ENVIRONMENT = "environment"


@dataclass(slots=True)
class Variables:
    """What variables said, and what was wrong with them."""

    root: Node
    problems: list[Problem] = field(default_factory=list)


def read_environment(environ: Mapping[str, str]) -> Variables:
    """Read every ``BOT_`` variable of an environment."""
    return _read((name, text, Place(ENVIRONMENT, variable=speakable(name))) for name, text in environ.items())


def read_dotenv(file: Path, shown: str) -> Variables:
    """Read every ``BOT_`` line of a ``.env`` file; one that does not exist says nothing.

    Args:
        file: The file.
        shown: The file as people know it.
    """
    if not file.exists():
        return Variables(Node({}, Place(shown)))
    try:
        bindings = list(parse_stream(io.StringIO(file.read_text(encoding="utf-8-sig"))))
    except UnicodeDecodeError:
        return Variables(Node({}, Place(shown)), [Problem("", "this is not a UTF-8 text file", shown)])
    except OSError as error:
        return Variables(Node({}, Place(shown)), [Problem("", f"cannot be read: {error.strerror}", shown)])
    said = _read(
        (binding.key, binding.value, Place(shown, _line(binding), speakable(binding.key)))
        for binding in bindings
        if binding.key and binding.value is not None
    )
    broken = [
        Problem("", "this line is not NAME=value", str(Place(shown, _line(binding))))
        for binding in bindings
        if binding.error or (binding.value is None and (binding.key or "").startswith(PREFIX))
    ]
    return Variables(said.root, broken + said.problems)


def _read(variables: Iterable[tuple[str, str, Place]]) -> Variables:
    """Read variables, those of whole sections first, so that those of single settings are laid over them."""
    said = Variables(Node({}, Place(ENVIRONMENT)))
    ours = [(name, text.strip(), place) for name, text, place in variables if name.startswith(PREFIX) and text.strip()]
    for name, text, place in sorted(ours, key=lambda each: each[0].count("__")):
        found = _value(name, text, place)
        if isinstance(found, Problem):
            said.problems.append(found)
        else:
            said.root = merge(said.root, found)
    return said


def _value(name: str, text: str, place: Place) -> Node | Problem:
    path = path_of(name)
    if path is None:
        known = [variable(leaf) for leaf in leaves()]
        return Problem("", f"there is no such setting{did_you_mean(name, known)}", str(place))
    if not is_structured(path):
        return plant(path, Node(text, place))
    try:
        return plant(path, grow(json.loads(text), place))
    except (ValueError, RecursionError):
        return Problem(".".join(path), "is not valid JSON, which a list or a mapping must be here", str(place))


def _line(binding: Binding) -> int:
    """The line where it begins; the parser counts from the blank lines before it."""
    string = binding.original.string
    return binding.original.line + string[: len(string) - len(string.lstrip())].count("\n")
