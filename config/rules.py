"""Rules beyond the form of the settings: what must hold for what is to be done with them, e.g. for a run.

The form is checked by the models, for every command. A rule knows more than they do, such as the strategies that there
are, and is asked by those alone to whom it matters.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from config.naming import problem_line, undotted
from config.settings import Settings
from config.sources import Source, places
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


def broken(
    rules: Sequence[Rule], settings: Settings, wrong: Collection[str], sources: Sequence[Source]
) -> Iterator[str]:
    """What the rules have to say about those sections that are right by themselves.

    Args:
        rules: What must hold.
        settings: What to ask them of.
        wrong: The sections in which something is wrong by itself: in ``settings`` they are the default.
        sources: Where the values are written.
    """
    for rule in rules:
        if not any(name in wrong for name in rule.needs):
            yield from (placed(error, sources) for error in rule.broken(settings))


def placed(error: ConfigError, sources: Sequence[Source]) -> str:
    """An error about a setting, beginning with where that was written."""
    return problem_line(places(sources, undotted(error.key), error.other), (), str(error))
