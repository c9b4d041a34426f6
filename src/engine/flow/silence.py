"""Contexts that want nothing of their markets at a close, decided on beside one another.

What they hold by is the same for all that look at a market: it is put into its record once. Each decision is the one
that ``deciding.decide_at_close`` would make, and its record the same to the letter.
"""

from __future__ import annotations

from datetime import datetime

from engine.ai.fusion import Fused
from engine.domain.decisions import Decision, Stance
from engine.domain.snapshots import MarketSnapshot
from engine.flow.proposed import key_of
from engine.flow.proposing import reasons_of, signals_of
from engine.flow.services import CycleServices
from engine.flow.weighing import with_weights
from engine.store.decisions import MadeFrom, made_from
from engine.store.unit_of_work import UnitOfWork
from engine.strategies.context import StrategyContext


class Silence:
    """What was seen of markets at one close, for contexts that have nothing to say there.

    Args:
        services: What the cycle asks and uses.
        at: When the candle closed.
    """

    def __init__(self, services: CycleServices, at: datetime) -> None:
        self._services = services
        self._at = at
        self._seen: dict[int, tuple[MarketSnapshot, MadeFrom, Fused]] = {}

    def hold(self, uow: UnitOfWork, context: StrategyContext, seen: MarketSnapshot) -> bool:
        """Write down that a context holds; not where it speaks: then it has to be decided on as any other.

        At a close that was not decided on, for a market that no halt of its data stops, and where the strategy leaves
        nothing that is held.
        """
        seen = with_weights(self._services, uow, context, seen)
        signals = signals_of(context, seen)
        if signals.triggered or not seen.quality.usable or seen.quality.changes:
            return False
        _, kept, left = self._of(seen)
        decision = Decision(
            id=uow.decisions.next_id(),
            key=key_of(context.name, seen.market.symbol, self._at, Stance.ENTER),
            context=context.name,
            strategy=context.strategy.name,
            symbol=seen.market.symbol,
            at=self._at,
            stance=Stance.HOLD,
            confidence=min(signals.confidence, left.confidence),
            conditions=signals.conditions,
            reasons=reasons_of(context, seen, signals),
            timeframe=context.timeframe,
        )
        uow.decisions.add_held(decision, kept)
        return True

    def _of(self, seen: MarketSnapshot) -> tuple[MarketSnapshot, MadeFrom, Fused]:
        """A market, how it is kept, and what its outlook leaves; each is held here, so that no other gets its id."""
        if (known := self._seen.get(id(seen))) is None:
            kept = made_from(
                inputs=seen.inputs,
                signals=tuple(frame.signals for frame in seen.frames.values()),
                quality=seen.quality,
                market_context=seen.market_context,
            )
            known = self._seen[id(seen)] = seen, kept, self._services.fusion.fuse(seen.insight.outlook, ())
        return known
