"""A member of a panel: a prompt, and whom to ask. Whether a model or the offline analyst answers is the chain's."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from engine.ai.brief import safe, with_opinions, written
from engine.ai.prompt_files import Prompt
from engine.ai.schemas import OpinionShape
from engine.ai.votes import agreed
from engine.domain.briefs import Brief, BriefField
from engine.domain.decisions import Opinion, Verdict
from engine.domain.figures import plain
from engine.domain.market import Book
from engine.llm.manager import Answer, LLMManager
from engine.llm.validating import Facts, Validator

VERDICT = "verdict"
"""The field of an opinion by whose probability its confidence is measured."""
LATE = "it did not answer in time"
_HEARD = 0.98
"""The part of its time after which the votes that have come are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """Who is asked for an opinion.

    Attributes:
        name: As the settings call it; figures of cost and the chain of models go by it.
        prompt: How it is asked; ``prompts`` how in strategy contexts that have one of their own, by their names.
        votes: How often it is asked, at once: how far its answers agree is its confidence; ``own_votes`` how often in
            strategy contexts that say so themselves, by their names.
        last_word: Whether it hears the others first: the supervisor.
    """

    name: str
    prompt: Prompt
    manager: LLMManager
    votes: int = 1
    last_word: bool = False
    prompts: Mapping[str, Prompt] = field(default_factory=dict)
    own_votes: Mapping[str, int] = field(default_factory=dict)

    async def opinion(
        self, brief: Brief, *, context: str, within: float, heard: Sequence[Opinion] = (), book: Book | None
    ) -> Opinion:
        """What it says of a brief; it abstains where nobody answers in time, or what comes is not believed.

        Args:
            brief: What it is told.
            context: The strategy context that the proposal is of.
            within: Wall seconds that it has.
            heard: What the others said, where it has the last word.
            book: What prices in its answer are held against.
        """
        told = with_opinions(brief, heard) if heard else brief
        facts = Facts(symbol=brief.symbol, book=book, figures=told.figures)
        asked = self._votes(context)
        votes = [self._vote(number + 1, told, facts, context, within) for number in range(asked)]
        return await votes[0] if asked == 1 else self._counted(await _in_time(votes, within), asked)

    async def _vote(self, number: int, told: Brief, facts: Facts, context: str, within: float) -> Opinion:
        """One of its answers; no other answers for it."""
        prompt = self._prompt(context)
        answer = await self.manager.generate(
            prompt.asked(symbol=told.symbol, brief=written(told)),
            prompt.system,
            OpinionShape,
            self.name,
            context=context,
            deadline=within,
            validate=Validator(shape=OpinionShape, facts=facts),
            vote=number,
            probability_of=VERDICT,
            asked_once=True,
        )
        return self._opinion(answer, told, prompt)

    def _counted(self, votes: Sequence[Opinion], asked: int) -> Opinion:
        """One opinion of the votes that came of those asked for; where nobody could say, why the first could not."""
        believed = [vote for vote in votes if vote.by]
        cost = sum((vote.cost for vote in votes), Decimal(0))
        if not believed:
            return replace(votes[0] if votes else self.abstains(LATE), cost=cost)
        return replace(agreed(believed, asked), cost=cost)

    def expected_cost(self, brief: Brief, context: str) -> Decimal:
        """What asking it of a brief usually costs, in US dollars, where its first model answers at once."""
        prompt = self._prompt(context)
        asked = prompt.asked(symbol=brief.symbol, brief=written(brief))
        once = self.manager.expected_cost(asked, prompt.system, OpinionShape, self.name, context=context)
        return once * self._votes(context)

    def _prompt(self, context: str) -> Prompt:
        return self.prompts.get(context, self.prompt)

    def _votes(self, context: str) -> int:
        return self.own_votes.get(context, self.votes)

    def abstains(self, reason: str) -> Opinion:
        """That it says nothing, and why."""
        return Opinion(agent=self.name, verdict=Verdict.ABSTAIN, reasons=(reason,), last_word=self.last_word)

    def _opinion(self, answer: Answer, told: Brief, prompt: Prompt) -> Opinion:
        if answer.abstains:
            return replace(self.abstains(answer.reason), cost=answer.cost)
        said: OpinionShape = answer.value
        fields = {field.id: field for field in told.fields}
        cited = dict.fromkeys(each for reason in said.reasons for each in reason.fields)
        return Opinion(
            agent=self.name,
            verdict=Verdict(said.verdict),
            confidence=1.0 if answer.probability is None else answer.probability,
            share=float(said.share),
            stop=said.stop,
            reasons=tuple(safe(reason.text) for reason in said.reasons),
            evidence=tuple(as_told(fields, each) for each in cited),
            flip=safe(said.flip),
            by=speaker(answer),
            last_word=self.last_word,
            cost=answer.cost,
            prompt="" if answer.is_offline else prompt.label,
        )


async def _in_time(votes: Iterable[Coroutine[Any, Any, Opinion]], within: float) -> list[Opinion]:
    """The votes that come in time, in the order in which they were asked for; the others are stopped."""
    tasks = [asyncio.create_task(vote) for vote in votes]
    try:
        await asyncio.wait(tasks, timeout=within * _HEARD)
    finally:
        for task in tasks:
            task.cancel()
    return [task.result() for task in tasks if task.done() and not task.cancelled()]


def speaker(answer: Answer) -> str:
    """Who answered, as people are told."""
    return answer.model if answer.is_offline else f"{answer.provider} {answer.model}"


def as_told(fields: Mapping[str, BriefField], each: str, digits: int = 3) -> str:
    """A field as it stood in the brief: the figure is the brief's, whatever the answer says of it."""
    field = fields[each]
    name = field.name.replace(".", " ").replace("_", " ")
    return f"{name} {field.text if field.figure is None else plain(field.figure, digits)}"
