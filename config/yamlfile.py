"""Reads a YAML file into nodes that know their lines.

Plain scalars are read as YAML 1.2 has them: ``12:30`` is a text and ``no`` is a text, not 750 and false.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from config.kinds import passwords_in
from config.nodes import KeyPath, Node, Place, Problem, dotted
from config.shape import is_mapping, is_secret, variable

_DEEPEST = 8
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_REAL = re.compile(r"[-+]?([0-9]{1,18}\.[0-9]{0,18}|\.[0-9]{1,18}|[0-9]{1,18}(?=[eE]))([eE][-+]?[0-9]{1,3})?")
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_URL_PATH = ("database", "url")
_EXTENDS = "extends"


@dataclass(slots=True)
class YamlFile:
    """What a file said.

    Attributes:
        root: A mapping; empty where the file could not be read.
        extends: The profile or file it builds on, with its place; ``None`` where it does not say.
        problems: What was wrong with it.
        readable: Whether anything could be read at all.
    """

    root: Node
    extends: Node | None = None
    problems: list[Problem] = field(default_factory=list)
    readable: bool = True


def read_yaml(file: Path, shown: str) -> YamlFile:
    """Read a file; whatever is wrong with it becomes a problem, nothing is raised.

    Args:
        file: The file.
        shown: The file as people know it.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        return _unreadable(Place(shown), "this is not a UTF-8 text file")
    except OSError as error:
        return _unreadable(Place(shown), f"cannot be read: {error.strerror}")
    try:
        tree = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:
        return _unreadable(Place(shown, _line(error)), f"this is not valid YAML: {_in_words(error)}")
    except RecursionError:
        return _unreadable(Place(shown), "is nested too deeply")
    if tree is None:
        return YamlFile(Node({}, Place(shown)))
    if not isinstance(tree, yaml.MappingNode):
        return _unreadable(Place(shown, tree.start_mark.line + 1), "a configuration is a mapping of sections")
    reader = _Reader(shown)
    root = reader.mapping(tree, (), Place(shown, 1))
    return YamlFile(root, root.value.pop(_EXTENDS, None), reader.problems)


@dataclass(slots=True)
class _Reader:
    shown: str
    problems: list[Problem] = field(default_factory=list)

    def node(self, node: yaml.Node, path: KeyPath, place: Place) -> Node | None:
        """The node as one of ours; ``None`` where it must not be used."""
        refusal = _refusal(node, path)
        if refusal:
            self._refuse(path, refusal, place)
            return None
        match node:
            case yaml.MappingNode():
                return self.mapping(node, path, place)
            case yaml.SequenceNode():
                children = [self.node(child, (*path, n), self._place(child)) for n, child in enumerate(node.value)]
                return Node(tuple(child for child in children if child), place)
            case yaml.ScalarNode():
                value = _value(node)
                return Node({} if value is None and is_mapping(path) else value, place)
            case _:
                return None

    def mapping(self, node: yaml.MappingNode, path: KeyPath, place: Place) -> Node:
        """A mapping, whose values have the lines of their names."""
        children: dict[str, Node] = {}
        for key, value in node.value:
            here = self._place(key)
            if not isinstance(key, yaml.ScalarNode):
                self._refuse(path, "has a name that is not plain text", here)
            elif key.value in children:
                twice = f"is written twice; the first time in line {children[key.value].place.line}"
                self._refuse((*path, key.value), twice, here)
            elif child := self.node(value, (*path, key.value), here):
                children[key.value] = child
        return Node(children, place)

    def _refuse(self, path: KeyPath, message: str, place: Place) -> None:
        self.problems.append(Problem(dotted(path[:_DEEPEST]), message, str(place)))

    def _place(self, node: yaml.Node) -> Place:
        return Place(self.shown, node.start_mark.line + 1)


def _refusal(node: yaml.Node, path: KeyPath) -> str:
    """Why a node must not be used; empty where it may."""
    if len(path) > _DEEPEST:
        return "is nested too deeply"
    if not node.tag.startswith("tag:yaml.org,2002:"):
        return "has a tag (!); tags mean nothing here"
    written = not isinstance(node, yaml.ScalarNode) or _value(node) is not None
    if is_secret(path) and written:
        return _elsewhere("a secret", path)
    if path == _URL_PATH and passwords_in(str(node.value)):
        return _elsewhere("a password", path)
    return ""


def _elsewhere(what: str, path: KeyPath) -> str:
    return f"{what} does not belong in a YAML file; set {variable(path)} in the environment or in .env instead"


def _value(node: yaml.ScalarNode) -> Any:
    text: str = node.value
    if node.style is not None:
        return text
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _REAL.fullmatch(text) else text


def _unreadable(place: Place, message: str) -> YamlFile:
    return YamlFile(Node({}, place), problems=[Problem("", message, str(place))], readable=False)


def _line(error: yaml.YAMLError) -> int:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    return mark.line + 1 if mark else 0


def _in_words(error: yaml.YAMLError) -> str:
    """What the parser complains of; only the scanner's words, since the others repeat what stands there."""
    if isinstance(error, yaml.scanner.ScannerError) and error.problem:
        return str(error.problem)
    return "look at the indentation, and for a missing '-', ':', quote or bracket"
