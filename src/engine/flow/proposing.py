"""From what was seen of a market to what a strategy wants of it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from engine.domain.decisions import Exit, Signals
from engine.domain.positions import Position
from engine.domain.proposals import Proposal
from engine.domain.snapshots import MarketSnapshot
from engine.ports import Frames
from engine.strategies.context import StrategyContext
from engine.strategies.outlooks import why_unknown, with_outlook

NO_SIGNALS = Signals(trigger="", conditions=())


def propose(context: StrategyContext, seen: MarketSnapshot, held: Sequence[Position]) -> Proposal:
    """What a context's strategy wants of a market: what to leave, and whether to enter.

    Args:
        context: The strategy at work.
        seen: What was seen of the market.
        held: What the context holds of it.
    """
    own = seen.frames.get(context.timeframe)
    frames = _shown(context, seen)
    signals = signals_of(context, seen)
    return Proposal(
        context=context.name,
        strategy=context.strategy.name,
        venue=context.venue,
        symbol=seen.market.symbol,
        timeframe=context.timeframe,
        candle_at=seen.candle_at,
        signals=signals,
        reasons=reasons_of(context, seen, signals),
        exits=_exits(context, frames, held),
        close=own.signals.close if own is not None else None,
        inputs=seen.inputs,
        readings=tuple(frame.signals for frame in seen.frames.values()),
        quality=seen.quality,
        market_context=seen.market_context,
        insight=seen.insight,
    )


def _shown(context: StrategyContext, seen: MarketSnapshot) -> Frames:
    """What the strategy sees: what is expected is shown to those alone that trade on it."""
    if not context.strategy.reads_predictions:
        return seen.frames
    return with_outlook(seen.frames, context.timeframe, seen.insight.outlook, seen.insight.outlook_before)


def _exits(context: StrategyContext, frames: Frames, held: Sequence[Position]) -> tuple[Exit, ...]:
    if context.timeframe not in frames:
        return ()
    return context.strategy.update_positions(tuple(held), frames)


def _is_fresh(context: StrategyContext, seen: MarketSnapshot) -> bool:
    """Whether there is a candle that closed just now; an older one was decided on already."""
    own = seen.frames.get(context.timeframe)
    return own is not None and own.signals.at == seen.candle_at


def signals_of(context: StrategyContext, seen: MarketSnapshot) -> Signals:
    """What a context's strategy says of a market; nothing where no candle has closed just now."""
    return context.strategy.generate_signals(_shown(context, seen)) if _is_fresh(context, seen) else NO_SIGNALS


def reasons_of(context: StrategyContext, seen: MarketSnapshot, signals: Signals) -> tuple[str, ...]:
    """Why it wants what its signals say: what holds, or why it wants nothing."""
    if not seen.quality.usable:
        return tuple(f"bad data: {issue.detail}" for issue in seen.quality.refused)
    own, strategy = seen.frames.get(context.timeframe), context.strategy
    if own is not None and not _is_fresh(context, seen):
        return ("the candle that should have closed now is missing",)
    if own is None or len(own.candles) < strategy.warmup:
        return (f"{strategy.name} needs {strategy.warmup} closed candles first",)
    if strategy.reads_predictions and (unknown := why_unknown(seen.insight.outlook)):
        return (unknown,)
    if not signals.triggered:
        return (f"the {strategy.name} set-up has not appeared",)
    return tuple(condition.name for condition in signals.conditions if condition.holds)
