"""A small question to each model at the start: some servers take a schema and do not keep to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from pydantic import BaseModel

from engine.domain.model_ledger import Verdict
from engine.llm.answers import Link
from engine.llm.manager import Answer, LLMManager

PURPOSE = "canary"
_SYSTEM = "You answer with one JSON object of the schema that you are given, and nothing else."
_PROMPT = 'Answer with the word "canary" and the number 17.'


class Canary(BaseModel):
    """What is asked for."""

    word: Literal["canary"]
    number: Literal[17]


@dataclass(frozen=True, slots=True, kw_only=True)
class Canaries:
    """What was found at the start.

    Attributes:
        schemaless: The providers a model of which does not keep to a schema, and how that shows.
        silent: Those that did not answer, and why: they may answer later.
    """

    schemaless: Mapping[str, str]
    silent: Mapping[str, str]


NO_CANARIES = Canaries(schemaless={}, silent={})


async def ask_canary(manager: LLMManager, link: Link) -> Answer:
    """Ask one model, and nobody in its place."""
    alone = replace(manager, chain=lambda *_: (link,))
    return await alone.generate(_PROMPT, _SYSTEM, Canary, PURPOSE)


async def ask_canaries(manager: LLMManager, links: Iterable[Link]) -> Canaries:
    """Ask each model, one after the other. One that cannot be asked, as where a cap leaves no room, says nothing."""
    schemaless, silent = dict[str, str](), dict[str, str]()
    for link in links:
        answer = await ask_canary(manager, link)
        if answer.verdict is Verdict.INVALID:
            schemaless[link.provider] = f"{link.model} does not keep to a schema: {answer.reason}"
        elif answer.abstains and answer.calls:
            silent[link.provider] = f"no answer at the start: {answer.reason}"
    return Canaries(schemaless=schemaless, silent=silent)
