"""What is wrong with prompts of one's own, before anybody is asked by them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from config.naming import nearest
from config.settings import Settings
from engine.ai.predictor import PLACES, PURPOSE
from engine.ai.prompt_files import NEEDED, prompt_from
from engine.domain.errors import ConfigError, DataError

_Asked = tuple[str, Path | None, Collection[str]]
"""A key of the settings, the file that it names, and the places that a question there needs."""


def prompt_faults(settings: Settings) -> Iterator[ConfigError]:
    """What is wrong with them, as far as anybody is asked; each names its key and its file."""
    if not settings.asks_models:
        return
    for key, path, needed in (*_of_ai(settings), *_of_contexts(settings)):
        try:
            if path is not None:
                prompt_from(path, needed)
        except DataError as error:
            yield ConfigError(error.message, error.remedy, key=key)
    yield from _of_nobody(settings)


def _of_ai(settings: Settings) -> Iterator[_Asked]:
    asked = settings.ai
    if asked.prediction.enabled:
        yield "ai.prediction.prompt", asked.prediction.prompt, PLACES
    if asked.panel.enabled:
        for number, each in enumerate(asked.panel.agents):
            yield f"ai.panel.agents.{number}.prompt", each.prompt, NEEDED
        if asked.panel.supervisor:
            yield "ai.panel.supervisor.prompt", asked.panel.supervisor.prompt, NEEDED


def _of_contexts(settings: Settings) -> Iterator[_Asked]:
    asked = settings.ai
    for number, context in enumerate(settings.contexts):
        for name, path in context.prompts.items():
            if name == PURPOSE and asked.prediction.enabled:
                yield f"contexts.{number}.prompts.{name}", path, PLACES
            elif name in _members(settings) and asked.panel.enabled:
                yield f"contexts.{number}.prompts.{name}", path, NEEDED


def _of_nobody(settings: Settings) -> Iterator[ConfigError]:
    known = (*_members(settings), PURPOSE)
    for number, context in enumerate(settings.contexts):
        for name in context.prompts:
            if name not in known:
                near = nearest(name, known)
                remedy = f"{f'Did you mean {near}? ' if near else ''}There are {', '.join(known)} (ai.panel)."
                yield ConfigError("is of nobody.", remedy, key=f"contexts.{number}.prompts.{name}")


def _members(settings: Settings) -> tuple[str, ...]:
    panel = settings.ai.panel
    return tuple(each.name for each in (*panel.agents, *((panel.supervisor,) if panel.supervisor else ())))
