"""The panel: its members on one brief at once, then the supervisor who has heard them; one deadline over both rounds.

proposal ─▶ brief ─▶ gate ─┬▶ analyst ──────────┐
                           ├▶ risk ─────────────┼▶ supervisor ─▶ opinions
                           └▶ devil's advocate ─┘
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from engine.ai.agents import Agent
from engine.ai.brief import Line, brief_of
from engine.ai.gate import Gate, PanelAnswer, told_in
from engine.clocks import monotonic
from engine.domain.briefs import Brief
from engine.domain.decisions import Opinion
from engine.domain.errors import GreenlightError
from engine.domain.proposals import Proposal
from engine.faults import fault_id

_log = structlog.get_logger(__name__)

FIRST_ROUND = 0.6
"""The part of the time that the first round may take where somebody speaks after it."""
_LATE = "it did not answer in time"

Beside = Callable[[Proposal], Awaitable[Sequence[Line]]]
"""Tells what the account says of a proposal's market: what is held, how earlier ones ended."""


async def nothing_beside(proposal: Proposal) -> Sequence[Line]:
    """Nothing."""
    del proposal
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentPanel:
    """Members that are asked about each entry.

    Attributes:
        agents: Those who speak first, all at once.
        supervisor: Who has the last word; ``None`` where nobody has.
        patience: How long both rounds may take together.
        gate: When nobody is asked again.
    """

    agents: Sequence[Agent]
    supervisor: Agent | None
    patience: timedelta
    gate: Gate
    beside: Beside = nothing_beside
    _last: dict[tuple[str, str], PanelAnswer] = field(default_factory=dict, init=False)

    async def opinions(self, proposal: Proposal, within: float) -> tuple[Opinion, ...]:
        """What its members say of a proposal; what they said last where nothing has changed since."""
        until = monotonic() + within
        brief = brief_of(proposal, await self.beside(proposal))
        last = self._last.get((proposal.context, proposal.symbol))
        if last is not None and self.gate.is_the_same(brief, last):
            return last.opinions
        heard = await self._first_round(brief, proposal.context, until)
        if self.supervisor is not None:
            heard += (await _in_time(self.supervisor, brief, proposal.context, until, heard),)
        self._last[proposal.context, proposal.symbol] = PanelAnswer(
            context=proposal.context, symbol=proposal.symbol, at=proposal.candle_at, told=told_in(brief), opinions=heard
        )
        return heard

    async def _first_round(self, brief: Brief, context: str, until: float) -> tuple[Opinion, ...]:
        left = until - monotonic()
        end = monotonic() + left * FIRST_ROUND if self.supervisor is not None else until
        return tuple(await asyncio.gather(*(_in_time(agent, brief, context, end) for agent in self.agents)))


async def _in_time(agent: Agent, brief: Brief, context: str, until: float, heard: Sequence[Opinion] = ()) -> Opinion:
    """What a member says by a time; whatever goes wrong with it, it abstains."""
    left = until - monotonic()
    if left <= 0:
        return agent.abstains(_LATE)
    try:
        async with asyncio.timeout(left):
            return await agent.opinion(brief, context=context, within=left, heard=heard)
    except TimeoutError:
        return agent.abstains(_LATE)
    except GreenlightError as error:
        return agent.abstains(error.message)
    except Exception:  # noqa: BLE001 - whatever is wrong with one member, the others are heard all the same
        fault = fault_id()
        _log.exception("a member of the panel failed", agent=agent.name, reference=fault)
        return agent.abstains(f"it failed (fault {fault})")
