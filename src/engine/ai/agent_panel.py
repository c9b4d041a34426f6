"""The panel: its members on one brief at once, then the supervisor who has heard them; one deadline over both rounds.

proposal ─▶ brief ─▶ gate ─┬▶ analyst ──────────┐
                           ├▶ risk ─────────────┼▶ supervisor ─▶ opinions
                           └▶ devil's advocate ─┘
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal

import structlog

from engine.ai.account import AccountFacts
from engine.ai.agents import LATE, Agent
from engine.ai.brief import brief_of
from engine.ai.gate import Gate, PanelAnswer, told_in
from engine.domain.briefs import Brief
from engine.domain.decisions import Opinion
from engine.domain.errors import GreenlightError
from engine.domain.figures import plain
from engine.domain.market import Book, Listing
from engine.domain.proposals import Proposal
from engine.ports import MarketDataAt, market_data_of
from engine.support.faults import fault_id
from engine.timing.clocks import monotonic

_log = structlog.get_logger(__name__)

FIRST_ROUND = 0.6
"""The part of the time that the first round may take where somebody speaks after it."""
_FOR_THE_BOOK = 0.1
"""The part of the time that a venue may take to tell its order book."""

AskAccount = Callable[[Proposal], Awaitable[AccountFacts]]
"""Tells what the account says of a proposal's market."""


async def nothing_beside(proposal: Proposal) -> AccountFacts:
    """Nothing."""
    del proposal
    return AccountFacts()


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentPanel:
    """Members that are asked about each entry.

    Attributes:
        agents: Those who speak first, all at once.
        supervisor: Who has the last word; ``None`` where nobody has.
        patience: How long both rounds may take together.
        gate: When nobody is asked again.
        beside: What is told beside a proposal.
        markets: Whose order books prices in an answer are held against.
    """

    agents: Sequence[Agent]
    supervisor: Agent | None
    patience: timedelta
    gate: Gate
    beside: AskAccount = nothing_beside
    markets: MarketDataAt = field(default_factory=dict)
    _last: dict[tuple[str, str], PanelAnswer] = field(default_factory=dict, init=False)

    async def opinions(self, proposal: Proposal, within: float) -> tuple[Opinion, ...]:
        """What its members say of a proposal; what they said last where nothing has changed and asking costs."""
        until = monotonic() + within
        beside = await self.beside(proposal)
        brief = brief_of(proposal, beside.lines)
        last = self._last.get((proposal.context, proposal.symbol))
        cost = self._expected_cost(brief, proposal.context)
        # What is free is always asked: what was said last is in memory alone, and a restart is to change no decision.
        if cost and last is not None and self.gate.is_the_same(brief, last):
            return tuple(replace(opinion, cost=Decimal(0)) for opinion in last.opinions)
        if self.gate.is_too_dear(cost, beside.at_risk):
            return tuple(agent.abstains(_dear(cost, beside.at_risk, proposal.symbol)) for agent in self._members())
        book = await self._book(proposal.listing, within * _FOR_THE_BOOK)
        heard = await self._first_round(brief, proposal.context, until, book)
        if self.supervisor is not None:
            heard += (await self._last_word(self.supervisor, brief, proposal.context, until, heard, book=book),)
        # Silence is no answer that could hold for the next time: whoever was late is asked again.
        if any(opinion.by for opinion in heard):
            self._last[proposal.context, proposal.symbol] = PanelAnswer(
                context=proposal.context,
                symbol=proposal.symbol,
                at=proposal.candle_at,
                told=told_in(brief),
                opinions=heard,
            )
        return heard

    async def _last_word(
        self,
        supervisor: Agent,
        brief: Brief,
        context: str,
        until: float,
        heard: tuple[Opinion, ...],
        *,
        book: Book | None,
    ) -> Opinion:
        """The supervisor's, who has heard the others; what is free is always asked."""
        spared = self.gate.spares_the_last_word(heard)
        if spared and supervisor.expected_cost(brief, context):
            return supervisor.abstains(spared)
        return await _in_time(supervisor, brief, context, until, heard, book=book)

    def _members(self) -> tuple[Agent, ...]:
        return (*self.agents, *((self.supervisor,) if self.supervisor else ()))

    def _expected_cost(self, brief: Brief, context: str) -> Decimal:
        """What asking all of them usually costs."""
        return sum((agent.expected_cost(brief, context) for agent in self._members()), Decimal(0))

    async def _book(self, listing: Listing, within: float) -> Book | None:
        """The order book of now; ``None`` where there is none in time: then no price in an answer is believed."""
        try:
            async with asyncio.timeout(within):
                return await market_data_of(self.markets, listing.venue).book(listing.symbol)
        except (TimeoutError, GreenlightError):
            return None

    async def _first_round(self, brief: Brief, context: str, until: float, book: Book | None) -> tuple[Opinion, ...]:
        left = until - monotonic()
        end = monotonic() + left * FIRST_ROUND if self.supervisor is not None else until
        return tuple(await asyncio.gather(*(_in_time(agent, brief, context, end, book=book) for agent in self.agents)))


def _dear(cost: Decimal, at_risk: Decimal | None, symbol: str) -> str:
    quote = symbol.partition("/")[2]
    return (
        f"it was not asked: that would cost about ${plain(cost, 2)}, and {plain(at_risk or 0, 4)} {quote} are at risk"
    )


async def _in_time(
    agent: Agent, brief: Brief, context: str, until: float, heard: Sequence[Opinion] = (), *, book: Book | None
) -> Opinion:
    """What a member says by a time; whatever goes wrong with it, it abstains."""
    left = until - monotonic()
    if left <= 0:
        return agent.abstains(LATE)
    try:
        async with asyncio.timeout(left):
            return await agent.opinion(brief, context=context, within=left, heard=heard, book=book)
    except TimeoutError:
        return agent.abstains(LATE)
    except GreenlightError as error:
        return agent.abstains(error.message)
    except Exception:  # noqa: BLE001 - whatever is wrong with one member, the others are heard all the same
        fault = fault_id()
        _log.exception("a member of the panel failed", agent=agent.name, reference=fault)
        return agent.abstains(f"it failed (fault {fault})")
