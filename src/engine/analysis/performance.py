"""Figures of closed trades, in exact decimals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import groupby

from engine.domain.positions import Position
from engine.domain.results import Performance, Tally, TradeStats

_NOTHING = Decimal(0)


def expectancy(nets: Sequence[Decimal]) -> Decimal | None:
    """What a trade brings on average, in the currency of ``nets``; ``None`` without trades.

    Win rate x mean win - loss rate x mean loss, as ``calculate_expectancy`` of freqtrade has it
    (https://github.com/freqtrade/freqtrade/blob/develop/freqtrade/data/metrics.py): that is the mean of all nets.
    """
    return sum(nets, _NOTHING) / len(nets) if nets else None


def profit_factor(nets: Sequence[Decimal]) -> Decimal | None:
    """What was won for each unit that was lost: gross profit / gross loss, fees taken off each trade before.

    As in TradeStation's strategy performance report
    (https://help.tradestation.com/10_00/eng/tradestationhelp/subsystems/spr_topics/report/profit_factor__strategy_performance_report_.htm).

    Returns:
        ``None`` where nothing was lost: there is nothing to divide by.
    """
    lost = -sum((net for net in nets if net < 0), _NOTHING)
    return sum((net for net in nets if net > 0), _NOTHING) / lost if lost else None


def losing_streak(nets: Iterable[Decimal]) -> int:
    """The largest number of losses in a row; a trade that came to nothing ends a row."""
    return max((len(list(row)) for lost, row in groupby(nets, lambda net: net < 0) if lost), default=0)


def tally(trades: Sequence[Position]) -> Tally:
    """Closed trades counted together."""
    return Tally(
        trades=len(trades),
        won=sum(trade.net > 0 for trade in trades),
        net=sum((trade.net for trade in trades), _NOTHING),
        cost=sum((trade.cost for trade in trades), _NOTHING) if all(trade.cost > 0 for trade in trades) else None,
    )


def tallies(trades: Sequence[Position], key: Callable[[Position], str]) -> list[tuple[str, Tally]]:
    """Closed trades counted by something they have in common, in the order in which that first appears."""
    names = dict.fromkeys(map(key, trades))
    return [(name, tally([trade for trade in trades if key(trade) == name])) for name in names]


def own_and_external(trades: Iterable[Position]) -> tuple[list[Position], list[Position]]:
    """The trades that the bot opened, and those that somebody else did; both in their order."""
    own, external = list[Position](), list[Position]()
    for trade in trades:
        (external if trade.is_external else own).append(trade)
    return own, external


def performance(trades: Sequence[Position], quote: str) -> Performance:
    """Closed trades by market and by context; the best are those that brought most."""
    own, external = own_and_external(trades)
    by_market, by_context = (tallies(own, key) for key in (lambda t: t.symbol, lambda t: t.context))
    return Performance(
        quote=quote,
        total=tally(own),
        markets=_best_first(by_market),
        contexts=_best_first(by_context),
        external=tally(external),
    )


def _best_first(counted: Iterable[tuple[str, Tally]]) -> tuple[tuple[str, Tally], ...]:
    return tuple(sorted(counted, key=lambda each: (-each[1].net, each[0])))


def trade_stats(trades: Sequence[Position], quote: str) -> TradeStats:
    """How closed trades ended, given in the order in which they were closed."""
    own, external = own_and_external(trades)
    nets = [trade.net for trade in own]
    endings = tallies(own, lambda trade: trade.closed_by)
    streak, loser = _longest_streak(own)
    return TradeStats(
        quote=quote,
        total=tally(own),
        endings=tuple(sorted(endings, key=lambda each: (-each[1].trades, each[0]))),
        won_after=_mean_time([trade for trade in own if trade.net > 0]),
        lost_after=_mean_time([trade for trade in own if trade.net < 0]),
        expectancy=expectancy(nets),
        profit_factor=profit_factor(nets),
        best=max(own, key=lambda trade: trade.net, default=None),
        worst=min(own, key=lambda trade: trade.net, default=None),
        losing_streak=streak,
        losing_context=loser,
        external=tally(external),
    )


def _longest_streak(trades: Sequence[Position]) -> tuple[int, str]:
    """The longest row of losses that one context had, and which; the first of those that are as long."""
    by_context = (
        (context, [trade.net for trade in trades if trade.context == context]) for context in _contexts(trades)
    )
    rows = ((losing_streak(nets), context) for context, nets in by_context)
    length, context = max(rows, key=lambda row: row[0], default=(0, ""))
    return (length, context) if length else (0, "")


def _contexts(trades: Sequence[Position]) -> Iterable[str]:
    return dict.fromkeys(trade.context for trade in trades)


def _mean_time(trades: Sequence[Position]) -> timedelta | None:
    held = [trade.closed_at - trade.opened_at for trade in trades if trade.closed_at is not None]
    return sum(held, timedelta(0)) / len(held) if held else None
