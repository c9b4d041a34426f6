"""A provider of models on a script, with a bill of its own, and what is needed to ask it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from pydantic import BaseModel

from engine.domain.days import Period
from engine.domain.errors import GreenlightError, ModelError
from engine.domain.model_calls import ModelFault, ModelReply, ModelRequest, StopReason, Usage
from engine.domain.model_ledger import Cap
from engine.llm.answers import Link
from engine.llm.breakers import Breakers
from engine.llm.ledger import CostLedger
from engine.llm.live_calls import LiveCalls
from engine.llm.manager import LLMManager
from engine.ports import ModelProvider
from engine.store.database import Database
from engine.timing.clocks import WallClock

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
Step = Callable[[ModelRequest], Awaitable[ModelReply]]


class Opinion(BaseModel):
    """What the tests ask for."""

    symbol: str
    confidence: float


GOOD = '{"symbol": "SOL/EUR", "confidence": 0.6}'


def reply(text: str = GOOD, stop: StopReason = StopReason.END, usage: Usage | None = None) -> ModelReply:
    return ModelReply(
        text=text, stop=stop, usage=usage or Usage(input_tokens=1000, output_tokens=100), model="served-2026"
    )


def says(text: str = GOOD, stop: StopReason = StopReason.END, usage: Usage | None = None) -> Step:
    async def step(_: ModelRequest) -> ModelReply:
        return reply(text, stop, usage)

    return step


def fails(fault: ModelFault, *, retry_after: float | None = None, usage: Usage | None = None) -> Step:
    async def step(_: ModelRequest) -> ModelReply:
        raise ModelError(f"it {fault}s.", fault=fault, retry_after=retry_after, usage=usage)

    return step


def hangs() -> Step:
    async def step(_: ModelRequest) -> ModelReply:
        await asyncio.Event().wait()
        raise AssertionError

    return step


@dataclass
class FakeProvider:
    """Does what its script says, one step a call, the last one again and again; without one it answers well."""

    name: str = "openai"
    script: Sequence[Step] = ()
    asked: list[ModelRequest] = field(default_factory=list)
    opens: float = 0.0
    """Seconds until it can be asked."""

    async def open(self) -> None:
        await asyncio.sleep(self.opens)
        self.opens = 0.0

    async def ask(self, request: ModelRequest) -> ModelReply:
        self.asked.append(request)
        if not self.script:
            return reply()
        return await self.script[min(len(self.asked), len(self.script)) - 1](request)

    async def close(self) -> None:
        """Nothing is open."""


@dataclass(frozen=True)
class FakePricing:
    """Dollars a token, by model: read and written at the same price; the most a call reads is a token a letter."""

    prices: dict[str, str] = field(default_factory=lambda: {"big": "0.00001", "small": "0.000001", "rules": "0"})

    def _price(self, model: str) -> Decimal:
        if model not in self.prices:
            raise GreenlightError(f"nobody knows the price of {model}")
        return Decimal(self.prices[model])

    def cost(self, provider: str, model: str, usage: Usage) -> Decimal:  # noqa: ARG002 - all ask the same
        return self._price(model) * (usage.input_tokens + usage.output_tokens)

    def worst(self, provider: str, request: ModelRequest) -> Decimal:  # noqa: ARG002 - all ask the same
        letters = len(request.prompt) + len(request.system_message)
        return self._price(request.model) * (letters + request.max_tokens)


@dataclass
class FakeWall:
    """A clock that is set."""

    at: datetime = NOW

    def __call__(self) -> datetime:
        return self.at


BIG, SMALL = Link(provider="openai", model="big"), Link(provider="local", model="small")
OFFLINE = Link(provider="offline", model="rules", is_offline=True)
MONTH = Cap(period=Period.MONTH, usd=Decimal(100))


@dataclass(frozen=True)
class Models:
    """A manager with all below it at hand."""

    manager: LLMManager
    ledger: CostLedger
    wall: FakeWall
    breakers: Breakers


def models(
    store: Database,
    *providers: ModelProvider,
    chain: Iterable[Link] = (BIG,),
    caps: Sequence[Cap] = (MONTH,),
    cache_ttl: timedelta = timedelta(0),
    deadline: float = 5.0,
    pricing: FakePricing | None = None,
    breakers: Breakers | None = None,
    wall: FakeWall | None = None,
) -> Models:
    """A manager over providers of the tests."""
    wall, links, prices, breakers = wall or FakeWall(), tuple(chain), pricing or FakePricing(), breakers or Breakers()
    ledger = CostLedger(store=store, caps=caps, clock=WallClock(), wall=wall)
    calls = LiveCalls(
        store=store,
        ledger=ledger,
        providers={each.name: each for each in providers},
        pricing=prices,
        breakers=breakers,
        cache_ttl=cache_ttl,
        wall=wall,
    )
    manager = LLMManager(calls=calls, chain=lambda *_: links, pricing=prices, deadline=deadline, max_tokens={"": 500})
    return Models(manager=manager, ledger=ledger, wall=wall, breakers=breakers)
