"""Reads a YAML file into a source that knows its lines.

Plain scalars are read as YAML 1.2 has them: ``12:30`` is a text and ``no`` is a text, not 750 and false.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from config.kinds import passwords_in
from config.places import KeyPath, place, problem_line
from config.shape import is_mapping, is_secret, variable
from config.sources import Source

_DEEPEST = 8
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_REAL = re.compile(r"[-+]?([0-9]{1,18}\.[0-9]{0,18}|\.[0-9]{1,18}|[0-9]{1,18}(?=[eE]))([eE][-+]?[0-9]{1,3})?")
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}


def read_yaml(file: Path, shown: str) -> Source:
    """Read a file, as people know it; whatever is wrong with it becomes a problem, nothing is raised."""
    try:
        tree = yaml.compose(file.read_text(encoding="utf-8-sig"), Loader=yaml.BaseLoader)
    except UnicodeDecodeError:
        return _unreadable(shown, "this is not a UTF-8 text file")
    except OSError as error:
        return _unreadable(shown, f"cannot be read: {error.strerror}")
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        where = place(shown, mark.line + 1 if mark else 0)
        return _unreadable(where, f"this is not valid YAML: {_in_words(error)}")
    except RecursionError:
        return _unreadable(shown, "is nested too deeply")
    if tree is not None and not isinstance(tree, yaml.MappingNode):
        return _unreadable(place(shown, tree.start_mark.line + 1), "a configuration is a mapping of sections")
    reader = _Reader(shown)
    return Source(reader.mapping(tree, ()) if tree else {}, reader.places, reader.problems)


@dataclass(slots=True)
class _Reader:
    shown: str
    places: dict[KeyPath, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        """What a mapping says; its values have the lines of their names."""
        said: dict[str, Any] = {}
        first: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                self._refuse(path, "has a name that is not plain text", line)
            elif key.value in said:
                twice = f"is written twice; the first time in line {first[key.value]}"
                self._refuse((*path, key.value), twice, line)
            else:
                first[key.value] = line
                for found in self._value(value, (*path, key.value), line):
                    said[key.value] = found
        return said

    def _value(self, node: yaml.Node, path: KeyPath, line: int) -> Iterable[Any]:
        """The one value of a node; none where it must not be used."""
        if refusal := _refusal(node, path):
            return self._refuse(path, refusal, line)
        self.places[path] = place(self.shown, line)
        match node:
            case yaml.MappingNode():
                return (self.mapping(node, path),)
            case yaml.SequenceNode():
                items = [(each, (*path, number), each.start_mark.line + 1) for number, each in enumerate(node.value)]
                return ([found for item in items for found in self._value(*item)],)
            case _:
                value = _scalar(node)
                return ({} if value is None and is_mapping(path) else value,)

    def _refuse(self, path: KeyPath, message: str, line: int) -> tuple[()]:
        self.problems.append(problem_line(place(self.shown, line), path[:_DEEPEST], message))
        return ()


def _refusal(node: yaml.Node, path: KeyPath) -> str:
    """Why a node must not be used; empty where it may."""
    if len(path) > _DEEPEST:
        return "is nested too deeply"
    if not node.tag.startswith("tag:yaml.org,2002:"):
        return "has a tag (!); tags mean nothing here"
    has_password = path == ("database", "url") and passwords_in(str(node.value))
    if has_password or (is_secret(path) and _scalar(node) is not None):
        what = "a password" if has_password else "a secret"
        return f"{what} does not belong in a YAML file; set {variable(path)} in the environment or in .env instead"
    return ""


def _scalar(node: yaml.Node) -> Any:
    """The value of a scalar; of anything else what it is made of."""
    text = node.value
    if not isinstance(node, yaml.ScalarNode) or node.style is not None:
        return text
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _REAL.fullmatch(text) else text


def _unreadable(where: str, message: str) -> Source:
    return Source({}, {}, [problem_line(where, (), message)], readable=False)


def _in_words(error: yaml.YAMLError) -> str:
    """What the parser complains of; only the scanner's words, since the others repeat what stands there."""
    if isinstance(error, yaml.scanner.ScannerError) and error.problem:
        return str(error.problem)
    return "look at the indentation, and for a missing '-', ':', quote or bracket"
