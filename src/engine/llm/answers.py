"""What is asked of whom, and what of an answer is believed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from engine.domain.model_calls import ModelReply, ModelRequest, StopReason, Usage
from engine.domain.model_ledger import ModelCall, Verdict
from engine.llm.validating import Unfit

Validate = Callable[[str], Any | Unfit]
"""Makes what was asked for of what a model wrote, or says why that cannot be done. Quick, and without any I/O."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One model of a chain.

    Attributes:
        provider: Its provider, as the settings call it.
        model: As its provider calls it.
        within: Wall seconds that one answer may take.
        is_offline: Whether rules answer, and no model: at once, and labelled so.
    """

    provider: str
    model: str
    within: float = 30.0
    is_offline: bool = False

    def __str__(self) -> str:
        return self.provider if self.is_offline else f"{self.provider} {self.model}"


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedAnswer:
    """What an answer was found to be, and what was made of it.

    Attributes:
        probability: That of the value that was asked about, in [0, 1]; ``None`` where the provider does not tell it.
    """

    value: Any
    verdict: Verdict
    reason: str = ""
    probability: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What came of asking one model once.

    Attributes:
        judged: What its answer was found to be.
        call: The call in the ledger; ``None`` where none was made.
        is_cached: Whether an earlier answer was good for it.
        again_in: Wall seconds after which the provider may be asked again, where it says so.
    """

    judged: JudgedAnswer
    call: ModelCall | None = None
    is_cached: bool = False
    again_in: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question to one model, on its way.

    Attributes:
        key: See ``call_keys``; empty for rules, whose answers nobody keeps.
        context: The strategy context it is for; empty for none.
        asked_once: Whether any earlier answer stands, however old, and whatever it was worth: it is about one moment,
            and comes again only where the program was started anew.
    """

    link: Link
    request: ModelRequest
    key: str
    context: str
    asked_once: bool = False


class Calls(Protocol):
    """How a question reaches a model: on the wire, or a tape that answers in its place."""

    async def ask(self, question: Question, judge: Callable[[ModelReply], JudgedAnswer], within: float) -> Tried:
        """Ask once, for at most so many wall seconds; trouble of the provider is told, not raised."""
        ...

    async def is_short(self, purpose: str, context: str) -> bool:
        """Whether so little is left of a cap that cheaper models are asked in place of dear ones."""
        ...


class Pricing(Protocol):
    """What calls cost, in US dollars."""

    def cost(self, provider: str, model: str, usage: Usage) -> Decimal:
        """What a call has cost.

        Raises:
            GreenlightError: Nobody knows the price.
        """
        ...

    def worst(self, provider: str, request: ModelRequest) -> Decimal:
        """The most that a call can cost.

        Raises:
            GreenlightError: Nobody knows the price.
        """
        ...


def judge_answer(reply: ModelReply, validate: Validate) -> JudgedAnswer:
    """Say what an answer is worth; one that was cut or refused is not looked at, however it reads."""
    match reply.stop:
        case StopReason.REFUSED:
            return JudgedAnswer(value=None, verdict=Verdict.REFUSED, reason="the model would not answer")
        case StopReason.LENGTH:
            return JudgedAnswer(value=None, verdict=Verdict.TRUNCATED, reason="the answer was cut at its length")
        case StopReason.TOOL | StopReason.OTHER:
            return JudgedAnswer(value=None, verdict=Verdict.INVALID, reason=f"the answer ended with {reply.stop}")
    found = validate(reply.text)
    if isinstance(found, Unfit):
        return JudgedAnswer(value=None, verdict=Verdict.INVALID, reason=found.reason)
    return JudgedAnswer(value=found, verdict=Verdict.VALID, probability=reply.probability)
