"""Where prices come from: candle files, the generator or a real venue, and which contexts trade what is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from pydantic import TypeAdapter, ValidationError

from bot.live_market import live_market, refuse_real_orders
from config.sections import ContextSettings
from config.settings import Settings
from engine.clocks import wall
from engine.domain.errors import ConfigError
from engine.domain.market import Market, Timeframe
from engine.exchanges.ccxt.refresh import Refresher
from engine.exchanges.replay import FileFeed, GeneratedFeed
from engine.ports import MarketFeed
from engine.simulation.generator import GeneratedMarket, MarketGenerator
from engine.strategies.base import StrategyBase
from engine.strategies.context import StrategyContext, StrategyContexts
from engine.strategies.ma_cross import MovingAverageCross
from engine.strategies.mean_reversion import MeanReversion
from engine.strategies.momentum import Momentum

STRATEGIES: Mapping[str, type[StrategyBase]] = {
    "ma_cross": MovingAverageCross,
    "momentum": Momentum,
    "mean_reversion": MeanReversion,
}
WARMUP_CANDLES = 300
"""Candles of a file left for the indicators where no start is set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A market to trade.

    Attributes:
        label: What it is, as a database is stamped with it.
        start: When trading begins.
        end: When the data ends; ``None`` for a market without end.
        notes: What people should know about it.
        live: What keeps a real venue's market up to date; ``None`` for a market that is all there.
    """

    feed: MarketFeed
    contexts: StrategyContexts
    label: str
    start: datetime
    end: datetime | None
    notes: tuple[str, ...] = ()
    live: Refresher | None = None


def source(settings: Settings) -> Source:
    """Open the market that the settings ask for.

    Raises:
        ConfigError: Nothing could be traded on it, or a strategy's parameters are wrong.
        DataError: A candle file cannot be used.
    """
    refuse_real_orders(settings)
    if settings.market.clock == "wall":
        _refuse_replay_on_the_wall(settings)
    if settings.market.source == "ccxt":
        return _live(settings)
    return _files(settings) if settings.replay.data else _generated(settings)


def _refuse_replay_on_the_wall(settings: Settings) -> None:
    asked = {
        "replay.data": settings.replay.data,
        "replay.start": settings.replay.start,
        "replay.end": settings.replay.end,
        "replay.until_end": settings.replay.until_end,
    }
    given = [key for key, value in asked.items() if value]
    if given:
        raise ConfigError(
            f"{given[0]} asks for a replay, and market.clock: wall for the time of this machine.",
            "Leave one of them out.",
        )


def _live(settings: Settings) -> Source:
    found = [(each, strategy_of(each, f"contexts.{number}")) for number, each in enumerate(settings.contexts)]
    wanted: dict[str, tuple[Timeframe, ...]] = {}
    for context, strategy in found:
        for symbol in context.markets:
            wanted[symbol] = tuple(dict.fromkeys((*wanted.get(symbol, ()), *strategy.timeframes)))
    if not wanted:
        raise ConfigError("No context trades anything.", "Add one under contexts: with its markets and timeframe.")
    live = live_market(settings, wanted)
    contexts, _ = _contexts(settings, live.feed)
    return Source(feed=live.feed, contexts=contexts, label=live.label, start=wall(), end=None, live=live.refresher)


def generated_feed(settings: Settings) -> GeneratedFeed:
    """The generated market of the settings.

    Raises:
        ConfigError: They name no market.
    """
    asked = settings.market
    recipes = [
        GeneratedMarket(
            market=Market(symbol=symbol, lot=each.lot, tick=each.tick, min_notional=each.min_notional),
            start_price=float(each.start_price),
            volatility=each.volatility,
        )
        for symbol, each in asked.markets.items()
    ]
    if not recipes:
        raise ConfigError("There is no market to trade.", "Set market.markets, or give candle files with --data.")
    generator = MarketGenerator(
        markets=recipes, timeframe=asked.timeframe, seed=asked.seed, start=asked.start - asked.history
    )
    return GeneratedFeed(generator)


def _generated(settings: Settings) -> Source:
    feed = generated_feed(settings)
    start = settings.replay.start or settings.market.start
    label = f"generated from seed {settings.market.seed}"
    return Source(feed=feed, contexts=_contexts(settings, feed)[0], label=label, start=start, end=settings.replay.end)


def _files(settings: Settings) -> Source:
    known = {
        symbol: Market(symbol=symbol, lot=each.lot, tick=each.tick, min_notional=each.min_notional)
        for symbol, each in settings.market.markets.items()
    }
    feed = FileFeed.load(settings.replay.data, known)
    contexts, idle = _contexts(settings, feed)
    first, last = feed.span
    start = settings.replay.start or first + WARMUP_CANDLES * feed.timeframe.duration
    end = min(settings.replay.end or last, last)
    if start >= end:
        raise ConfigError(
            f"The candle files reach from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}; nothing is left to replay.",
            "Set --start and --end within that.",
        )
    label = ", ".join(path.stem for path in settings.replay.data) + f" ({first:%Y-%m-%d} to {last:%Y-%m-%d})"
    notes = tuple(f"No context trades {symbol}: its file is not used." for symbol in idle)
    return Source(feed=feed, contexts=contexts, label=label, start=start, end=end, notes=notes)


def _contexts(settings: Settings, feed: MarketFeed) -> tuple[StrategyContexts, list[str]]:
    """The contexts with the markets that the feed has, and the feed's markets that none of them trades."""
    found = []
    for number, asked in enumerate(settings.contexts):
        markets = tuple(symbol for symbol in asked.markets if symbol in feed.markets)
        strategy = strategy_of(asked, f"contexts.{number}")
        if markets and asked.timeframe.duration >= feed.timeframe.duration:
            found.append(
                StrategyContext(name=asked.name, strategy=strategy, markets=markets, timeframe=asked.timeframe)
            )
    traded = {symbol for context in found for symbol in context.markets}
    if not found:
        there = ", ".join(f"{symbol} in {feed.timeframe} candles" for symbol in feed.markets)
        raise ConfigError(f"No context trades {there}.", "Add one under contexts: with these markets and timeframe.")
    return StrategyContexts(contexts=tuple(found)), [symbol for symbol in feed.markets if symbol not in traded]


def strategy_of(asked: ContextSettings, key: str) -> StrategyBase:
    """A context's strategy with its parameters, checked against the strategy's own typed fields.

    Raises:
        ConfigError: A parameter does not exist (the nearest is named), or has a wrong type or value.
    """
    kind = STRATEGIES[asked.strategy]
    names = [field.name for field in fields(kind) if field.name not in ("timeframe", "higher")]
    for name in asked.params:
        if name not in names:
            near = get_close_matches(name, names, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(names)}."
            raise ConfigError(f"{key}.params.{name}: {asked.strategy} has no such parameter.", hint)
    given: dict[str, Any] = {"timeframe": asked.timeframe, "higher": asked.higher, **asked.params}
    try:
        built: StrategyBase = TypeAdapter(kind).validate_python(given)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{key}.params.{where}: {first['msg']}.", "See the strategy's parameters.") from None
    return built


def quote_of(contexts: Sequence[StrategyContext], feed: MarketFeed) -> str:
    """The one currency that every traded market is priced in.

    Raises:
        ConfigError: There are several.
    """
    quotes = sorted({feed.markets[symbol].quote for context in contexts for symbol in context.markets})
    if len(quotes) > 1:
        raise ConfigError(f"The markets are priced in {', '.join(quotes)}.", "Trade one quote currency at a time.")
    return quotes[0]
