"""A small question to each model at the start: some servers take a schema and do not keep to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from pydantic import BaseModel

from engine.domain.model_ledger import Verdict
from engine.llm.answers import Link
from engine.llm.manager import LLMManager

PURPOSE = "canary"
_SYSTEM = "You answer with one JSON object of the schema that you are given, and nothing else."
_PROMPT = 'Answer with the word "canary" and the number 17.'


class Canary(BaseModel):
    """What is asked for."""

    word: Literal["canary"]
    number: Literal[17]


async def canary(manager: LLMManager, links: Iterable[Link]) -> dict[str, str]:
    """Ask each model, one after the other; what is wrong with those providers whose model did not answer well."""
    wrong: dict[str, str] = {}
    for link in links:
        alone = replace(manager, chain=lambda *_, link=link: (link,))
        answer = await alone.generate(_PROMPT, _SYSTEM, Canary, PURPOSE)
        if answer.verdict is Verdict.INVALID:
            wrong[link.provider] = f"{link.model} does not keep to a schema: {answer.reason}"
        elif answer.abstains:
            wrong[link.provider] = f"{link.model} did not answer: {answer.reason}"
    return wrong
