"""A question on the wire: answered before? left alone? within the caps? Then asked, booked and judged.

the same under way? ─▶ cache ─▶ breaker ─▶ reserve ─▶ provider ─▶ judge ─▶ settle, or keep the reservation
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

import structlog

from engine.domain.errors import GreenlightError, ModelError, StoreError
from engine.domain.figures import plain
from engine.domain.model_calls import UNBILLED, ModelFault, ModelReply, StopReason, Usage
from engine.domain.model_ledger import SHORT, CallState, ModelCall, OverCap, Verdict
from engine.llm.answers import JudgedAnswer, Pricing, Question, Tried
from engine.llm.breakers import CLOSED, Breakers, IsOpen
from engine.llm.call_keys import schema_text
from engine.llm.ledger import CostLedger
from engine.llm.single_flight import Flight, SingleFlight
from engine.ports import ModelProvider
from engine.store.database import Database
from engine.support.faults import fault_id
from engine.timing.clocks import monotonic

_log = structlog.get_logger(__name__)

LEFT_ALONE_AT_MOST = 3600.0
"""Wall seconds for which a provider is left alone because it says so; it may say anything."""
_UNTOLD = JudgedAnswer(value=None, verdict=Verdict.NONE, reason="nobody waited for the answer")

Judge = Callable[[ModelReply], JudgedAnswer]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveCalls:
    """Asks providers, and books each call before and after.

    Attributes:
        cache_ttl: How long a good answer is good for the same question.
        wall: The wall clock, by which providers bill and answers age.
    """

    store: Database
    ledger: CostLedger
    providers: Mapping[str, ModelProvider]
    pricing: Pricing
    breakers: Breakers
    cache_ttl: timedelta
    wall: Callable[[], datetime]
    _not_before: dict[str, float] = field(default_factory=dict, init=False)
    _last_failure: dict[str, str] = field(default_factory=dict, init=False)
    _answered: set[str] = field(default_factory=set, init=False)
    _flights: SingleFlight = field(default_factory=SingleFlight, init=False)

    def trouble(self, provider: str) -> str:
        """What is wrong with a provider that is left alone, or is about to be tried again; empty where nothing is."""
        return "" if self.breakers.state(provider) == CLOSED else self._last_failure.get(provider, "it failed")

    def has_answered(self, provider: str) -> bool:
        """Whether a provider has answered anything since the start."""
        return provider in self._answered

    async def is_short(self, purpose: str, context: str) -> bool:
        """Whether so little is left of a cap that cheaper models are asked in place of dear ones."""
        return await self.ledger.share(purpose, context) >= Decimal(SHORT) / 100

    async def ask(self, question: Question, judge: Judge, within: float) -> Tried:
        """Ask once, for at most so many wall seconds; trouble of the provider is told, not raised.

        Who asks what is under way already waits for that answer. Where it is no good to them, they ask themselves.

        Raises:
            StoreError: It cannot be written down, so it was not asked.
        """
        if question.link.is_offline:
            self._answered.add(question.link.provider)
            return await by_rules(self.providers[question.link.provider], question, judge)
        until = monotonic() + within
        while (flight := self._flights.of(question.key)) is not None:
            if not await _ends(flight, until - monotonic()):
                return _not_asked(f"the same was asked already, and had no answer within {within:.3g} s")
            if (shared := await self._again(flight.call, question, judge)) is not None:
                return shared
        with self._flights.first(question.key) as flight:
            tried = await self._ask_first(question, judge, until - monotonic())
            flight.call = tried.call
        return tried

    async def _ask_first(self, question: Question, judge: Judge, within: float) -> Tried:
        if (known := await self._answered_before(question, judge)) is not None:
            return known
        provider = question.link.provider
        if (left := self._not_before.get(provider, 0.0) - monotonic()) > 0:
            return _not_asked(f"{provider} asks to be left alone", again_in=left)
        if await self.breakers.leaves_alone(provider):
            return _not_asked(f"{provider} is left alone: it failed again and again")
        try:
            worst = self.pricing.worst(provider, question.request)
        except GreenlightError as error:
            return _not_asked(error.message)
        began = monotonic()
        if not await self._is_ready(provider, within):
            return _not_asked(f"{provider} was not ready within {within:.3g} s")
        within -= monotonic() - began
        reserved = await self.ledger.reserve(_planned(question, worst, self.wall()))
        if isinstance(reserved, OverCap):
            return _not_asked(_over(reserved))
        return await self._on_the_wire(question, reserved, judge, within)

    async def _is_ready(self, provider: str, within: float) -> bool:
        """Whether a provider can be asked in time: what it loads before is no call, and nothing is set aside for it."""
        try:
            async with asyncio.timeout(within):
                await self.providers[provider].open()
        except TimeoutError:
            return False
        except ModelError:
            return True  # the call says what is wrong with it
        return True

    async def _answered_before(self, question: Question, judge: Judge) -> Tried | None:
        """An earlier answer, where it is fresh, or stands however old it is."""
        if question.asked_once:
            call = await self.store.read(lambda uow: uow.model_calls.last_answer(question.key))
            return await self._again(call, question, judge)
        if not self.cache_ttl:
            return None
        since = self.wall() - self.cache_ttl
        call = await self.store.read(lambda uow: uow.model_calls.good_answer(question.key, since))
        return await self._again(call, question, judge)

    async def _again(self, call: ModelCall | None, question: Question, judge: Judge) -> Tried | None:
        """An answer to the same question, where it is still found good: the world it is judged by goes on."""
        if call is None or not call.stop:
            return None
        judged = judge(reply_of(call))
        if judged.verdict is not Verdict.VALID and not question.asked_once:
            return None
        at, purpose, context = self.wall(), question.request.purpose, question.context
        await self.store.transact(lambda uow: uow.model_calls.reuse(call, at, purpose, context))
        return Tried(judged=judged, call=call, is_cached=True)

    async def _on_the_wire(self, question: Question, call: ModelCall, judge: Judge, within: float) -> Tried:
        """The call itself; whatever becomes of it is booked, also where nobody waits for it any more."""
        began = monotonic()
        ended, judged, again_in = _kept(call, _UNTOLD), _UNTOLD, None
        try:
            reply = await self._answer(question, within)
            self._answered.add(question.link.provider)
            judged = judge(reply)
            ended = self._settled(_with_answer(call, reply, judged), reply.usage)
        except IsOpen as error:
            error.__traceback__ = None
            judged = _failed(f"{question.link.provider} is left alone: it failed again and again")
            ended = self._settled(_kept(call, judged), UNBILLED)
        except ModelError as error:
            judged, again_in = _failed(error.message), self._hold_off(question.link.provider, error)
            self._last_failure[question.link.provider] = error.message
            ended = self._settled(_kept(call, judged), error.usage)
        finally:
            booked = await self._book(replace(ended, latency=monotonic() - began))
        return Tried(judged=judged, call=booked, again_in=again_in)

    async def _answer(self, question: Question, within: float) -> ModelReply:
        """What the provider answers in time.

        Raises:
            ModelError: Nothing.
            IsOpen: It is left alone since a moment ago.
        """
        provider = self.providers[question.link.provider]
        async with await self.breakers.of(provider.name):
            try:
                async with asyncio.timeout(within):
                    return await provider.ask(question.request)
            except TimeoutError:
                message = f"{provider.name} did not answer within {within:.3g} s."
                raise ModelError(message, fault=ModelFault.TIME) from None
            except ModelError:
                raise
            except Exception as error:
                fault = fault_id()
                _log.exception("a provider of models failed in a way that nobody has foreseen", fault=fault)
                message = f"{provider.name} failed in a way that nobody has foreseen (fault {fault})."
                raise ModelError(message, fault=ModelFault.NONSENSE) from error

    def _settled(self, call: ModelCall, usage: Usage | None) -> ModelCall:
        """A call by what was used; where nobody says, or knows what that costs, with its reservation for good."""
        if usage is None:
            return call
        try:
            cost = self.pricing.cost(call.provider, call.model, usage)
        except GreenlightError as error:
            return replace(call, usage=usage, reason=call.reason or error.message)
        return replace(call, usage=usage, cost_usd=cost, state=CallState.SETTLED)

    async def _book(self, call: ModelCall) -> ModelCall:
        """Keep what became of a call; where that cannot be written, its reservation stands."""
        try:
            await asyncio.shield(self.ledger.end(call))
        except StoreError:
            _log.warning("what a call of a model has cost was not written down", call=call.id)
        return call

    def _hold_off(self, provider: str, error: ModelError) -> float | None:
        """For how long a provider that says so is left alone."""
        asked = error.retry_after
        if asked is None or not asked >= 0:  # NaN too
            return None
        left = min(asked, LEFT_ALONE_AT_MOST)
        self._not_before[provider] = monotonic() + left
        return left


async def by_rules(rules: ModelProvider, question: Question, judge: Judge) -> Tried:
    """What rules say: it is free and always the same, so there is nothing to book and nothing to keep."""
    try:
        return Tried(judged=judge(await rules.ask(question.request)))
    except ModelError as error:
        return _not_asked(error.message)


def reply_of(call: ModelCall) -> ModelReply:
    """What a model answered, as it is on the tape."""
    return ModelReply(
        text=call.answer,
        stop=StopReason(call.stop),
        usage=call.usage,
        model=call.served,
        request_id=call.id,
        probability=call.probability,
    )


async def _ends(flight: Flight, within: float) -> bool:
    """Whether a question that somebody else has asked ends in time."""
    try:
        async with asyncio.timeout(within):
            await flight.ended.wait()
    except TimeoutError:
        return False
    return True


def _planned(question: Question, worst: Decimal, at: datetime) -> ModelCall:
    request = question.request
    return ModelCall(
        id="",
        at=at,
        purpose=request.purpose,
        context=question.context,
        provider=question.link.provider,
        model=request.model,
        key=question.key,
        system_message=request.system_message,
        prompt=request.prompt,
        schema_name=request.schema_name,
        json_schema=schema_text(request),
        max_tokens=request.max_tokens,
        reserved_usd=worst,
    )


def _with_answer(call: ModelCall, reply: ModelReply, judged: JudgedAnswer) -> ModelCall:
    return replace(
        _kept(call, judged), answer=reply.text, stop=reply.stop, served=reply.model, probability=reply.probability
    )


def _kept(call: ModelCall, judged: JudgedAnswer) -> ModelCall:
    return replace(call, state=CallState.KEPT, verdict=judged.verdict, reason=judged.reason)


def _failed(reason: str) -> JudgedAnswer:
    return JudgedAnswer(value=None, verdict=Verdict.FAILED, reason=reason)


def _not_asked(reason: str, again_in: float | None = None) -> Tried:
    return Tried(judged=_failed(reason), again_in=again_in)


def _over(over: OverCap) -> str:
    cap = over.cap
    about = f" for {cap.about}" if cap.about else ""
    left, worst = (plain(each, 2) for each in (max(cap.usd - over.used, Decimal(0)), over.worst))
    return f"the {cap.period}'s budget{about} has ${left} left, and the call could cost ${worst}"
