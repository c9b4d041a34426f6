"""Rules beyond the form of the settings: what must hold for what is to be done with them, e.g. for a run.

The form is checked by the models, for every command. A rule knows more than they do, such as the strategies that there
are, and is asked by those alone to whom it matters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from config.nodes import Node, Problem
from config.problems import path_of, places
from config.settings import Settings
from engine.domain.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that must hold.

    Attributes:
        needs: The sections that it looks at; where one of them is wrong by itself, it is not asked.
        broken: Everything that speaks against the settings; each names its key.
    """

    needs: tuple[str, ...]
    broken: Callable[[Settings], Iterable[ConfigError]]


def broken(rules: Sequence[Rule], sections: Mapping[str, Any], tree: Node) -> Iterator[Problem]:
    """What the rules have to say about those sections that are right by themselves.

    Args:
        rules: What must hold.
        sections: By name, as the models have read them.
        tree: The values with their places.
    """
    settings = Settings.model_construct(None, **sections)
    for rule in rules:
        if all(name in sections for name in rule.needs):
            yield from (placed(error, tree) for error in rule.broken(settings))


def placed(error: ConfigError, tree: Node) -> Problem:
    """An error about a setting as a problem that says where it was written."""
    return Problem("", str(error), places(tree, path_of(error.key), error.other))
