"""A panel whose model says what a test wrote down, and proposals to ask it about."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from engine.ai.agent_panel import AgentPanel, AskAccount, nothing_beside
from engine.ai.agents import Agent
from engine.ai.gate import Gate
from engine.ai.prompt_files import shipped_prompt
from engine.ai.questions import Asker
from engine.ai.rules import RULES
from engine.domain.decisions import QualityReport, TechnicalSignals
from engine.domain.insights import NO_INSIGHT, Insight
from engine.domain.market import Timeframe
from engine.domain.model_calls import ModelReply, ModelRequest, StopReason, Usage
from engine.domain.model_ledger import ModelCall
from engine.domain.proposals import Proposal
from engine.domain.sentiment import Headline, SentimentData, SentimentPart
from engine.llm.answers import Link, Question, Tried
from engine.llm.live_calls import Judge
from engine.llm.manager import LLMManager
from engine.llm.prices import FREE, Price, PriceList
from engine.ports import MarketDataAt
from engine.timing.clocks import WallClock
from tests.fakes import engine, reports

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NO_GATE = Gate(min_change=Decimal(0))
LINK = Link(provider="scripted", model="m1")
Says = Callable[[ModelRequest], Mapping[str, Any] | str]


@dataclass
class Script:
    """Calls that a test answers, by what they are for; the rules answer what it leaves out.

    Attributes:
        says: What is said for a purpose: an object, or any text.
        takes: Wall seconds that it takes.
        probability: That of the value that is asked about, by the purpose.
        cost: What each call is booked with, in US dollars.
    """

    says: dict[str, Mapping[str, Any] | str | Says] = field(default_factory=dict)
    takes: dict[str, float] = field(default_factory=dict)
    asked: list[ModelRequest] = field(default_factory=list)
    probability: dict[str, float] = field(default_factory=dict)
    cost: Decimal = Decimal(0)

    async def ask(self, question: Question, judge: Judge, within: float) -> Tried:
        del within
        request = question.request
        self.asked.append(request)
        await asyncio.sleep(self.takes.get(request.purpose, 0))
        said = self.says.get(request.purpose, RULES.get(request.purpose, lambda _: "nothing"))
        told = said(request) if callable(said) else said
        text = told if isinstance(told, str) else json.dumps(told)
        usage = Usage(input_tokens=1, output_tokens=1)
        probability = self.probability.get(request.purpose)
        reply = ModelReply(text=text, stop=StopReason.END, usage=usage, model="m1", probability=probability)
        return Tried(judged=judge(reply), call=self._booked(request))

    def _booked(self, request: ModelRequest) -> ModelCall | None:
        if not self.cost:
            return None
        return ModelCall(
            id=f"L{len(self.asked)}",
            at=NOON,
            purpose=request.purpose,
            context="",
            provider=LINK.provider,
            model=LINK.model,
            key="",
            system_message=request.system_message,
            prompt=request.prompt,
            schema_name="",
            json_schema="",
            max_tokens=request.max_tokens,
            reserved_usd=self.cost,
        )

    async def is_short(self, purpose: str, context: str) -> bool:
        del purpose, context
        return False

    def manager(self, price: Price = FREE) -> LLMManager:
        """A manager that asks this alone."""
        prices = PriceList(own={("scripted", "m1"): price}, sources={}, clock=WallClock())
        chain = lambda purpose, context: (LINK,)  # noqa: E731, ARG005 - one model for all
        return LLMManager(calls=self, chain=chain, pricing=prices, deadline=60, max_tokens={"": 100})


def an_opinion(verdict: str = "approve", share: float = 1, stop: Any = None, **more: Any) -> dict[str, Any]:
    """What a model might say of BTC/USDT, citing the first field."""
    reasons = [{"text": f"I would {verdict}", "fields": ["f1"]}]
    usual = {"symbol": "BTC/USDT", "verdict": verdict, "share": share, "stop": stop}
    return usual | {"reasons": reasons, "flip": "a better price"} | more


def a_panel(
    script: Script,
    *,
    gate: Gate = NO_GATE,
    supervisor: bool = True,
    price: Price = FREE,
    beside: AskAccount = nothing_beside,
    votes: int = 1,
    markets: MarketDataAt | None = None,
) -> AgentPanel:
    """Analyst, risk, devil's advocate and supervisor, all of them asked of a script."""
    manager = script.manager(price)
    first = [
        Agent(name=name, prompt=shipped_prompt(name), manager=manager, votes=votes)
        for name in ("analyst", "risk", "devils_advocate")
    ]
    prompt = shipped_prompt("supervisor")
    last = Agent(name="supervisor", prompt=prompt, manager=manager, votes=votes, last_word=True)
    return AgentPanel(
        agents=first,
        supervisor=last if supervisor else None,
        patience=timedelta(seconds=30),
        gate=gate,
        beside=beside,
        markets=markets or {},
    )


def a_proposal(*readings: TechnicalSignals, insight: Insight = NO_INSIGHT, **changes: Any) -> Proposal:
    """An entry into BTC/USDT that a strategy wants."""
    usual: dict[str, Any] = {
        "context": "trend",
        "strategy": "ma_cross",
        "venue": "paper",
        "symbol": "BTC/USDT",
        "timeframe": Timeframe.H1,
        "candle_at": NOON,
        "signals": engine.signals(0.7),
        "reasons": ("speaks for it",),
        "exits": (),
        "close": 20_000.0,
        "inputs": (),
        "readings": readings or (reports.signals(),),
        "quality": QualityReport(),
        "insight": insight,
    }
    return Proposal(**(usual | changes))


def said_of_it(*titles: str, score: float = 0.4) -> Insight:
    """What people say, with headlines."""
    headlines = tuple(Headline(title=title, source="news", url="", at=NOON, score=score) for title in titles)
    part = SentimentPart(source="news", score=score, count=max(len(titles), 1), weight=1, at=NOON)
    data = SentimentData(symbol="BTC/USDT", at=NOON, parts=(part,), mentions={}, trending=(), headlines=headlines)
    return Insight(sentiment=data)


def rules_alone() -> Asker:
    """Who answers questions where no model is asked."""
    return Asker(manager=Script().manager())
