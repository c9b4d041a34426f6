"""Reads a YAML file into a source that knows its lines.

Plain scalars are read as YAML 1.2 has them: ``12:30`` is a text and ``no`` is a text, not 750 and false.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from config.kinds import passwords_in
from config.naming import KeyPath, place, problem_line
from config.shape import is_mapping, is_secret, variable
from config.sources import Source, read_text
from config.strategy_names import beside

_NUMBERS = (
    (int, re.compile(r"-?(0|[1-9][0-9]{0,17})")),
    (float, re.compile(r"[-+]?([0-9]{1,18}\.[0-9]{0,18}|\.[0-9]{1,18}|[0-9]{1,18}(?=[eE]))([eE][-+]?[0-9]{1,3})?")),
)
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_TAGS = (yaml.BaseLoader.DEFAULT_SCALAR_TAG, yaml.BaseLoader.DEFAULT_SEQUENCE_TAG, yaml.BaseLoader.DEFAULT_MAPPING_TAG)
"""What nodes have that were not given another."""


def read_yaml(file: Path, shown: str) -> Source:
    """Read a file, as people know it; whatever is wrong with it becomes a problem, nothing is raised."""
    reader, where = _Reader(shown, file.parent), shown
    try:
        tree = _compose(read_text(file))
        if tree is not None and not isinstance(tree, yaml.MappingNode):
            where, wrong = place(shown, _line(tree)), "a configuration is a mapping of sections"
        else:
            values = reader.value(tree, (), 0) if tree else {}
            return Source(values=values, places=reader.places, problems=reader.problems)
    except yaml.YAMLError as error:
        # Of others than the scanner, words repeat what stands there.
        told = isinstance(error, yaml.scanner.ScannerError) and error.problem
        wrong = f"this is not valid YAML: {told or 'look at the indentation, and for what is missing: - : quote or ]'}"
        if mark := getattr(error, "problem_mark", None) or getattr(error, "context_mark", None):
            where = place(shown, mark.line + 1)
    except ValueError as error:
        wrong = str(error)
    except RecursionError:
        wrong = "is nested too deeply"
    return Source.wrong(where, (), wrong, readable=False)


@dataclass(slots=True)
class _Reader:
    """Reads nodes, and keeps the line of each value and what must not stand there."""

    shown: str
    folder: Path
    places: dict[KeyPath, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def value(self, node: yaml.Node, path: KeyPath, line: int) -> Any:
        """What a node says; a value has the line of its name."""
        self.places[path] = place(self.shown, line)
        if node.tag not in _TAGS:
            self._refuse(path, line, "has a tag (!); tags mean nothing here")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(each, (*path, number), _line(each)) for number, each in enumerate(node.value)]
        value = _scalar(node)
        for kind, misplaced in (
            ("a secret", is_secret(path) and value is not None),
            ("a password", path == ("database", "url") and passwords_in(node.value)),
        ):
            if misplaced:
                instead = f"set {variable(path)} in the environment or in .env instead"
                self._refuse(path, line, f"{kind} does not belong in a YAML file; {instead}")
        if isinstance(value, str) and path[::2] == ("contexts", "strategy"):
            return beside(value.strip(), self.folder)
        return {} if value is None and is_mapping(path) else value

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        said: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._refuse(path, _line(key), "has a name that is not plain text")
            elif key.value in said:
                first = self.places[*path, key.value]
                self._refuse((*path, key.value), _line(key), f"is written twice; the first time in {first}")
            else:
                said[key.value] = self.value(value, (*path, key.value), _line(key))
        return said

    def _refuse(self, path: KeyPath, line: int, message: str) -> None:
        self.problems.append(problem_line(place(self.shown, line), path, message))


def _compose(text: str) -> yaml.Node | None:
    """The tree of a text: libyaml is six times as fast, where it is there; of what is wrong, the other one tells."""
    try:
        return yaml.compose(text, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))
    except yaml.YAMLError:
        return yaml.compose(text, Loader=yaml.BaseLoader)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _scalar(node: yaml.Node) -> Any:
    text = node.value
    if getattr(node, "style", None):
        return text
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    return next((number(text) for number, form in _NUMBERS if form.fullmatch(text)), text)
