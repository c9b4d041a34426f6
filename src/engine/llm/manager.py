"""Asking language models: the one door for whoever wants an answer of them.

chain of the role or strategy ─▶ each model in turn: ask ─▶ (not what was asked for: once more) ─▶ the next ─▶ abstain
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import structlog
from pydantic import BaseModel, ValidationError

from engine.domain.errors import GreenlightError, StoreError
from engine.domain.model_calls import ModelReply, ModelRequest
from engine.domain.model_ledger import Verdict
from engine.llm.answers import Calls, JudgedAnswer, Link, Pricing, Question, Tried, Validate, judge_answer
from engine.llm.call_keys import call_key
from engine.llm.prices import usual_tokens
from engine.llm.schemas import schema_of
from engine.llm.validating import Unfit, only_object
from engine.support.faults import fault_id
from engine.timing.clocks import monotonic

_log = structlog.get_logger(__name__)

OFF = "language models are off (ai.enabled)"
_AGAIN = (
    "\n\nYour last answer to this could not be used: {reason}. Answer once more, with nothing but what is asked for."
)
_MOST_WORDS = 300
"""The most letters of a reason that a model is told."""

ChainOf = Callable[[str, str], Sequence[Link]]
"""The models to ask, in order, for a purpose in a strategy context."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of a question.

    Attributes:
        value: What was asked for; ``None`` where nobody could say, which is no answer and never a no or a yes.
        reason: Why nobody could, each model's reason by itself; empty where there is a value.
        provider: Who answered, as the settings call it; empty where nobody did.
        model: Its model.
        is_offline: Whether rules answered, and no model.
        cost: What all tries are booked with, in US dollars.
        is_cached: Whether an earlier answer was good for it.
        latency: Wall seconds from the question to this.
        verdict: What the last answer was found to be.
        calls: The ids of the calls in the ledger.
        probability: That of the value that was asked about, in [0, 1]; ``None`` where nobody told it.
    """

    value: Any
    reason: str = ""
    provider: str = ""
    model: str = ""
    is_offline: bool = False
    cost: Decimal = Decimal(0)
    is_cached: bool = False
    latency: float = 0.0
    verdict: Verdict = Verdict.NONE
    calls: tuple[str, ...] = ()
    probability: float | None = None

    @property
    def abstains(self) -> bool:
        """Whether nobody could say."""
        return self.value is None


@dataclass(frozen=True, slots=True, kw_only=True)
class LLMManager:
    """Asks the models of a chain until one gives what was asked for.

    Attributes:
        calls: How a question reaches a model.
        chain: The models to ask, in order.
        pricing: What calls cost at most, for which is cheaper.
        deadline: Wall seconds for all tries together, where the caller says nothing else.
        max_tokens: The most that an answer may have, by purpose; ``""`` for those that are not named.
        is_on: Whether anybody is asked at all.
        on_tape: Whether a tape answers: it takes no time that would pass on a replay's market.
    """

    calls: Calls
    chain: ChainOf
    pricing: Pricing
    deadline: float
    max_tokens: Mapping[str, int]
    is_on: bool = True
    on_tape: bool = False

    async def generate(
        self,
        prompt: str,
        system_message: str,
        schema: type[BaseModel] | None = None,
        purpose: str = "",
        *,
        context: str = "",
        deadline: float | None = None,
        validate: Validate | None = None,
        vote: int = 1,
        probability_of: str = "",
        asked_once: bool = False,
    ) -> Answer:
        """Ask for one object, or for text. Trouble of providers is a reason to abstain, and is never raised.

        Args:
            prompt: The question.
            system_message: Who the model is to be, and its rules.
            schema: What the answer is to be; ``None`` where any text will do.
            purpose: What it is for, e.g. ``analyst``: it chooses the chain, and figures are kept by it.
            context: The strategy context it is for; empty for none.
            deadline: Wall seconds for all tries; the settings' where it is not given.
            validate: Makes the value of what a model wrote, or says why it cannot; by ``schema`` where not given.
            vote: Which of several answers to the very same question is wanted: none answers for another.
            probability_of: The field of the object whose value's probability is asked for, where a provider tells it.
            asked_once: Whether any earlier answer stands: see ``Question``.
        """
        began = monotonic()
        if not self.is_on:
            return Answer(value=None, reason=OFF)
        asked = _Asked(
            manager=self,
            request=replace(
                self._request(prompt, system_message, schema, purpose), vote=vote, probability_of=probability_of
            ),
            context=context,
            validate=validate or _by_schema(schema),
            until=began + (self.deadline if deadline is None else deadline),
            asked_once=asked_once,
        )
        try:
            tries = await asked.along(await self._links(asked.request, context))
        except StoreError as error:
            return Answer(value=None, reason=f"{error.message} Nobody is asked what cannot be booked.")
        return replace(_answer(tries), latency=monotonic() - began)

    def by_rules(self, purpose: str, context: str = "") -> Link | None:
        """Who answers where rules alone do, at once and asking nobody; ``None`` where a model may be asked."""
        links = self.chain(purpose, context) if self.is_on else ()
        return links[0] if links and all(link.is_offline for link in links) else None

    def expected_cost(
        self, prompt: str, system_message: str, schema: type[BaseModel] | None, purpose: str, *, context: str = ""
    ) -> Decimal:
        """What a question would usually cost at the first model of the chain, in US dollars."""
        links = self.chain(purpose, context) if self.is_on else ()
        if not links or links[0].is_offline:
            return Decimal(0)
        usage = usual_tokens(self._request(prompt, system_message, schema, purpose))
        try:
            return self.pricing.cost(links[0].provider, links[0].model, usage)
        except GreenlightError:
            return Decimal(0)  # it says so where it is asked

    def _request(self, prompt: str, system_message: str, schema: type[BaseModel] | None, purpose: str) -> ModelRequest:
        return ModelRequest(
            purpose=purpose,
            model="",
            system_message=system_message,
            prompt=prompt,
            schema_name=schema.__name__ if schema else "",
            schema=schema_of(schema) if schema else None,
            max_tokens=self.max_tokens.get(purpose, self.max_tokens[""]),
        )

    async def _links(self, request: ModelRequest, context: str) -> Sequence[Link]:
        """The models to ask; where little is left of a cap, of those that cost something the cheapest alone."""
        links = self.chain(request.purpose, context)
        if all(link.is_offline for link in links):
            return links
        worst = {link: self._worst(link, request) for link in links}
        paid = [each for each in worst.values() if each]
        if len(set(paid)) < 2 or not await self.calls.is_short(request.purpose, context):  # noqa: PLR2004 - one has no choice
            return links
        return [link for link in links if not worst[link] or worst[link] == min(paid)]

    def _worst(self, link: Link, request: ModelRequest) -> Decimal:
        try:
            return self.pricing.worst(link.provider, replace(request, model=link.model))
        except GreenlightError:
            return Decimal(0)  # it says so where it is asked


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """One question on its way along the chain."""

    manager: LLMManager
    request: ModelRequest
    context: str
    validate: Validate
    until: float
    asked_once: bool

    async def along(self, links: Sequence[Link]) -> list[tuple[Link, Tried]]:
        """Every try, the last one good where one was."""
        tries: list[tuple[Link, Tried]] = []
        for number, link in enumerate(links):
            is_last = all(each.is_offline for each in links[number + 1 :])
            async for tried in self._at(link, is_last=is_last and not link.is_offline):
                tries.append((link, tried))
                if tried.judged.verdict is Verdict.VALID:
                    return tries
        return tries

    async def _at(self, link: Link, *, is_last: bool) -> Any:
        """The tries at one model: one, and a second where that may help."""
        tried = await self._once(link, self.request)
        yield tried
        if tried.judged.verdict is Verdict.INVALID and tried.call is not None and not link.is_offline:
            remark = _AGAIN.format(reason=tried.judged.reason[:_MOST_WORDS])
            yield await self._once(link, replace(self.request, prompt=self.request.prompt + remark))
        elif tried.again_in is not None and is_last and tried.again_in < self._left():
            await asyncio.sleep(tried.again_in)
            yield await self._once(link, self.request)

    async def _once(self, link: Link, request: ModelRequest) -> Tried:
        left = self._left()
        if left <= 0 and not link.is_offline:
            return Tried(judged=JudgedAnswer(value=None, verdict=Verdict.FAILED, reason="the time was up"))
        request = replace(request, model=link.model)
        question = Question(
            link=link,
            request=request,
            key="" if link.is_offline else call_key(link.provider, request),
            context=self.context,
            asked_once=self.asked_once,
        )
        within = link.within if link.is_offline else min(link.within, left)
        return await self.manager.calls.ask(question, self._judge, within)

    def _judge(self, reply: ModelReply) -> JudgedAnswer:
        """What an answer is; one over which its validator fails is not good, and its bill is booked all the same."""
        try:
            return judge_answer(reply, self.validate)
        except Exception:  # noqa: BLE001 - whatever it is: nothing may be believed, or lost, for it
            fault = fault_id()
            _log.exception("an answer of a model could not be judged", fault=fault)
            return JudgedAnswer(value=None, verdict=Verdict.INVALID, reason=f"it could not be judged (fault {fault})")

    def _left(self) -> float:
        return self.until - monotonic()


def _answer(tries: Sequence[tuple[Link, Tried]]) -> Answer:
    """What the tries came to: the last one decides, for a good one is the last."""
    made = [tried.call for _, tried in tries if tried.call is not None and not tried.is_cached]
    cost = sum((call.booked for call in made), Decimal(0))
    calls = tuple(call.id for _, tried in tries if (call := tried.call) is not None)
    if not tries:
        return Answer(value=None, reason="no model is configured for it (llm.chain)")
    link, last = tries[-1]
    if last.judged.verdict is not Verdict.VALID:
        reasons = dict.fromkeys(f"{link}: {tried.judged.reason}" for link, tried in tries)
        return Answer(value=None, reason="; ".join(reasons), cost=cost, verdict=last.judged.verdict, calls=calls)
    return Answer(
        value=last.judged.value,
        provider=link.provider,
        model=link.model,
        is_offline=link.is_offline,
        cost=cost,
        is_cached=last.is_cached,
        verdict=Verdict.VALID,
        calls=calls,
        probability=last.judged.probability,
    )


def _by_schema(schema: type[BaseModel] | None) -> Validate:
    """The plainest validator: an object of the schema, or any text that is not empty."""

    def validate(text: str) -> Any | Unfit:
        if schema is None:
            return text if text.strip() else Unfit(reason="the answer is empty")
        found = only_object(text)
        if isinstance(found, Unfit):
            return found
        try:
            return schema.model_validate(found)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"]))
            return Unfit(reason=f"{place}: {first['msg']}" if place else str(first["msg"]))

    return validate
