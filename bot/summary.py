"""What a replay came to, for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bot.engine_room import Engine
from engine.domain.figures import cents, plain
from engine.store.history import history


async def summary(engine: Engine, since: datetime, took: float) -> str:
    """The figures of a run: candles and their pace, what was decided, asked and traded, and its fingerprint.

    Args:
        engine: The engine that ran.
        since: The market time at which this run began.
        took: Wall seconds it took.
    """
    told = await engine.store.read(lambda uow: history(uow.connection))
    status = await engine.views.status()
    markets = {symbol for context in engine.market.contexts for symbol in context.markets}
    candles = int((engine.clock.now() - since) / engine.market.feed.timeframe.duration) * len(markets)
    return "\n".join(
        (
            f"Replayed {engine.market.label} from {since:%Y-%m-%d %H:%M} to {engine.clock.now():%Y-%m-%d %H:%M} UTC",
            f"candles    {candles} in {took:.1f} s, {candles / took if took else 0:.0f} a second",
            f"decisions  {_counts(told.decisions)}",
            f"approvals  {_counts(told.approvals)}",
            f"orders     {_counts(told.orders)}; {told.fills} fills",
            f"trades     {_counts(told.trades)}",
            f"equity     {plain(cents(status.equity))} {status.quote}, drawdown {status.drawdown:.1%}",
            f"history    {told.events} events, fingerprint {told.fingerprint}",
        )
    )


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {status}" for status, count in counts.items()) or "none"
