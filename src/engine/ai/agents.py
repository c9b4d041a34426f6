"""A member of a panel: a prompt, and whom to ask. Whether a model or the offline analyst answers is the chain's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from engine.ai.brief import safe, with_opinions, written
from engine.ai.prompt_files import Prompt
from engine.ai.schemas import OpinionShape
from engine.domain.briefs import Brief, BriefField
from engine.domain.decisions import Opinion, Verdict
from engine.domain.figures import plain
from engine.domain.market import Book
from engine.llm.manager import Answer, LLMManager
from engine.llm.validating import Facts, Validator


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """Who is asked for an opinion.

    Attributes:
        name: As the settings call it; figures of cost and the chain of models go by it.
        last_word: Whether it hears the others first: the supervisor.
    """

    name: str
    prompt: Prompt
    manager: LLMManager
    last_word: bool = False

    async def opinion(
        self, brief: Brief, *, context: str, within: float, heard: Sequence[Opinion] = (), book: Book | None = None
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
        answer = await self.manager.generate(
            self.prompt.asked(symbol=brief.symbol, brief=written(told)),
            self.prompt.system,
            OpinionShape,
            self.name,
            context=context,
            deadline=within,
            validate=Validator(shape=OpinionShape, facts=Facts(symbol=brief.symbol, book=book, figures=told.figures)),
        )
        return self._opinion(answer, told)

    def worst_cost(self, brief: Brief, context: str) -> Decimal:
        """What asking it of a brief may cost at most, in US dollars, where its first model answers at once."""
        prompt = self.prompt.asked(symbol=brief.symbol, brief=written(brief))
        return self.manager.worst_cost(prompt, self.prompt.system, OpinionShape, self.name, context=context)

    def abstains(self, reason: str) -> Opinion:
        """That it says nothing, and why."""
        return Opinion(agent=self.name, verdict=Verdict.ABSTAIN, reasons=(reason,), last_word=self.last_word)

    def _opinion(self, answer: Answer, told: Brief) -> Opinion:
        if answer.abstains:
            return self.abstains(answer.reason)
        said: OpinionShape = answer.value
        fields = {field.id: field for field in told.fields}
        cited = dict.fromkeys(each for reason in said.reasons for each in reason.fields)
        return Opinion(
            agent=self.name,
            verdict=Verdict(said.verdict),
            share=float(said.share),
            stop_share=float(said.stop_share),
            reasons=tuple(safe(reason.text) for reason in said.reasons),
            evidence=tuple(as_told(fields, each) for each in cited),
            flip=safe(said.flip),
            by=speaker(answer),
            last_word=self.last_word,
            cost=answer.cost,
        )


def speaker(answer: Answer) -> str:
    """Who answered, as people are told."""
    return answer.model if answer.is_offline else f"{answer.provider} {answer.model}"


def as_told(fields: Mapping[str, BriefField], each: str) -> str:
    """A field as it stood in the brief: the figure is the brief's, whatever the answer says of it."""
    field = fields[each]
    name = field.name.replace(".", " ").replace("_", " ")
    return f"{name} {field.text if field.figure is None else plain(field.figure, 3)}"
