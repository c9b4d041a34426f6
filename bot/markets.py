"""Where prices come from: candle files, the generator or a real venue, and which contexts trade what is there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from bot.indicators import specs_of
from bot.run_rules import demand, no_market
from bot.strategies.registry import strategy_of
from bot.venues import goes_by, others_of, prices_of, venue_names, venue_of
from config.contexts import EntrySettings, FastSettings
from config.markets import MarketSettings
from config.settings import Settings
from engine.analysis.technical import TechnicalAnalyzer
from engine.data.feeds import FileFeed, GeneratedFeed
from engine.domain.errors import ConfigError
from engine.domain.market import Listing, Market, Timeframe
from engine.domain.plans import Entry, Slicing
from engine.domain.proposals import FastTier
from engine.exchanges.headers import Quiet
from engine.ports import MarketFeed, Strategy
from engine.simulation.generator import GeneratedMarket, MarketGenerator
from engine.simulation.intrabar import Intrabar
from engine.strategies.context import StrategyContext, StrategyContexts
from engine.strategies.reading_ahead import read_ahead
from engine.timing.clocks import wall

if TYPE_CHECKING:  # what is slow to import
    from bot.live_market import LiveMarket
    from engine.data.live.several import Refreshers

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
        live: What keeps real venues' markets up to date; ``None`` for a market that is all there.
        feeds: The prices that each venue of the account goes by, where they are not the same at all of them.
    """

    feed: MarketFeed
    contexts: StrategyContexts
    label: str
    start: datetime
    end: datetime | None
    notes: tuple[str, ...] = ()
    live: Refreshers | None = None
    feeds: Mapping[str, MarketFeed] = field(default_factory=dict)
    analyzer: TechnicalAnalyzer = field(default_factory=TechnicalAnalyzer)

    @property
    def history(self) -> int:
        """Closed candles that are asked for of each timeframe: what the analyzer and every strategy remember."""
        return history_of(self.analyzer, (context.strategy for context in self.contexts))

    def feed_at(self, venue: str) -> MarketFeed:
        """The prices that a venue of the account goes by."""
        return self.feeds.get(venue, self.feed)

    def quiet_at(self, venue: str) -> Quiet | None:
        """For how long the server that these come from wants to be left alone; ``None`` where they come from none."""
        return self.live.at(venue).quiet if self.live is not None else None


def source(settings: Settings, held: Collection[Listing] = ()) -> Source:
    """Open the market that the settings ask for.

    Args:
        settings: What is traded, and where its prices come from.
        held: The markets that something is held of: a real venue's are followed although no context trades them.

    Raises:
        ConfigError: Nothing could be traded on it, or a strategy's parameters are wrong.
        DataError: A candle file cannot be used.
    """
    demand(settings)
    analyzer = TechnicalAnalyzer(indicators=specs_of(settings))
    if settings.market.source == "ccxt":
        return _live(settings, held, analyzer)
    return replace(_files(settings) if settings.replay.data else _generated(settings), analyzer=analyzer)


def history_of(analyzer: TechnicalAnalyzer, strategies: Iterable[Strategy]) -> int:
    """Closed candles that are asked for of each timeframe."""
    return max((analyzer.history, *(strategy.history for strategy in strategies)))


def _live(settings: Settings, held: Collection[Listing], analyzer: TechnicalAnalyzer) -> Source:
    # Slow to import, and a backtest has no use for them.
    from bot.live_market import live_market
    from engine.data.live.several import FirstOfFeeds, Refreshers

    found = [strategy_of(each, f"contexts.{number}") for number, each in enumerate(settings.contexts)]
    history = history_of(analyzer, found)
    lives = {
        name: live_market(settings, name, _wanted(settings, name, found, held), history)
        for name in settings.price_venues
    }
    at: dict[str, LiveMarket] = {venue: lives[prices_of(settings, venue)] for venue in venue_names(settings)}
    feeds = [each.feed for each in lives.values()]
    feed: MarketFeed = feeds[0] if len(feeds) == 1 else FirstOfFeeds(feeds)
    return Source(
        feed=feed,
        contexts=_contexts(settings, feed)[0],
        label=f"{' and '.join(each.venue for each in lives.values())}, public data",
        start=wall(),
        end=None,
        live=Refreshers({venue: each.refresher for venue, each in at.items()}),
        feeds={venue: each.feed for venue, each in at.items()},
        analyzer=analyzer,
    )


def _wanted(
    settings: Settings, name: str, strategies: Sequence[Strategy], held: Collection[Listing]
) -> dict[str, tuple[Timeframe, ...]]:
    """The candles that are wanted of a venue, by symbol: for the contexts that go by its prices, and what is held."""
    wanted: dict[str, tuple[Timeframe, ...]] = {}
    for context, strategy in zip(settings.contexts, strategies, strict=True):
        if not goes_by(settings, context, name):
            continue
        for symbol in context.markets:
            own = (*wanted.get(symbol, ()), *strategy.timeframes, *settings.predicts)
            wanted[symbol] = tuple(dict.fromkeys(own))
    shortest = min((each for asked in wanted.values() for each in asked), key=lambda each: each.duration)
    there = [each.symbol for each in held if prices_of(settings, each.venue) == name]
    return wanted | {symbol: (shortest,) for symbol in there if symbol not in wanted}


def generated_feed(settings: Settings) -> GeneratedFeed:
    """The generated market of the settings.

    Raises:
        ConfigError: They name no market.
    """
    asked = settings.market
    recipes = [
        GeneratedMarket(
            market=market_of(symbol, each),
            start_price=float(each.start_price),
            volatility=each.volatility,
        )
        for symbol, each in asked.markets.items()
    ]
    if not recipes:
        raise no_market()
    generator = MarketGenerator(
        markets=recipes, timeframe=asked.timeframe, seed=asked.seed, start=asked.start - asked.history
    )
    return GeneratedFeed(generator, Intrabar(settings.venue.intrabar))


def market_of(symbol: str, asked: MarketSettings) -> Market:
    """A generated market, or the steps that a file's is told to have."""
    market = Market(symbol=symbol, lot=asked.lot, tick=asked.tick)
    return market if asked.min_notional is None else replace(market, min_notional=asked.min_notional)


def _generated(settings: Settings) -> Source:
    feed = generated_feed(settings)
    start = settings.replay.start or settings.market.start
    label = f"generated from seed {settings.market.seed}"
    return Source(
        feed=feed,
        contexts=read_ahead(_contexts(settings, feed)[0]),
        label=label,
        start=start,
        end=settings.replay.end,
    )


def _files(settings: Settings) -> Source:
    known = {symbol: market_of(symbol, each) for symbol, each in settings.market.markets.items()}
    feed = FileFeed.load(settings.replay.data, known, Intrabar(settings.venue.intrabar))
    contexts, idle = _contexts(settings, feed)
    first, last = feed.span
    start = settings.replay.start or first + WARMUP_CANDLES * feed.timeframe.duration
    end = min(settings.replay.end or last, last)
    if start >= end:
        reach = f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"
        message = f"The candle files reach from {reach}; nothing is left to replay."
        raise ConfigError(message, "Set --start and --end within that.", key=_span_key(settings, last))
    label = ", ".join(path.stem for path in settings.replay.data) + f" ({first:%Y-%m-%d} to {last:%Y-%m-%d})"
    notes = tuple(f"No context trades {symbol}: its file is not used." for symbol in idle)
    return Source(feed=feed, contexts=read_ahead(contexts), label=label, start=start, end=end, notes=notes)


def _span_key(settings: Settings, last: datetime) -> str:
    """The setting that leaves nothing of the files."""
    start, end = settings.replay.start, settings.replay.end
    if start and start >= last:
        return "replay.start"
    return "replay.end" if end else "replay.start" if start else "replay.data"


def _contexts(settings: Settings, feed: MarketFeed) -> tuple[StrategyContexts, list[str]]:
    """The contexts with the markets that the feed has, and the feed's markets that none of them trades."""
    found = []
    for number, asked in enumerate(settings.contexts):
        markets = tuple(symbol for symbol in asked.markets if symbol in feed.markets)
        strategy = strategy_of(asked, f"contexts.{number}")
        if markets and asked.timeframe.duration >= feed.timeframe.duration:
            found.append(
                StrategyContext(
                    name=asked.name,
                    venue=venue_of(settings, asked),
                    others=others_of(settings, asked),
                    strategy=strategy,
                    markets=markets,
                    timeframe=asked.timeframe,
                    entry=entry_of(asked.entry),
                    slicing=slicing_of(asked.entry),
                    fast=fast_of(asked.fast),
                    weight=asked.weight,
                    priority=asked.priority,
                    adjusted=asked.ppo,
                )
            )
    traded = {symbol for context in found for symbol in context.markets}
    if not found:
        there = ", ".join(f"{symbol} in {feed.timeframe} candles" for symbol in feed.markets)
        remedy = "Add one under contexts: with these markets and timeframe."
        raise ConfigError(f"No context trades {there}.", remedy, key="contexts", other="replay.data")
    return StrategyContexts(contexts=tuple(found)), [symbol for symbol in feed.markets if symbol not in traded]


def entry_of(asked: EntrySettings) -> Entry | None:
    """How a context buys; ``None`` for at market."""
    return None if asked.type == "market" else Entry(**asked.model_dump(exclude={"type", "slices"}))


def slicing_of(asked: EntrySettings) -> Slicing | None:
    """How a context buys in slices; ``None`` for at once."""
    return Slicing(**asked.slices.model_dump()) if asked.slices else None


def fast_of(asked: FastSettings | None) -> FastTier | None:
    """How a context begins a trade before all are heard; ``None`` where it does not."""
    return FastTier(**asked.model_dump()) if asked else None


def quote_of(contexts: Sequence[StrategyContext], feed: MarketFeed) -> str:
    """The one currency that every traded market is priced in.

    Raises:
        ConfigError: There are several.
    """
    quotes = sorted({feed.markets[symbol].quote for context in contexts for symbol in context.markets})
    if len(quotes) > 1:
        message = f"The markets are priced in {', '.join(quotes)}."
        raise ConfigError(message, "Trade one quote currency at a time.", key="contexts")
    return quotes[0]
