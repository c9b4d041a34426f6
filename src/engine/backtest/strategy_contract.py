"""What every strategy keeps, whatever it looks for: the rules of the family, one of the house's or somebody's own.

Each rule is a function of a strategy and a bench of candles, and raises what is wrong. The tests of the house ask them
over candles that Hypothesis makes up, ``bot strategy check`` over a few made-up markets and the files it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np

from engine.analysis.technical import TechnicalAnalyzer
from engine.backtest.look_ahead import LookAhead, said_of, telling_rows
from engine.domain.columns import OutlookColumns
from engine.domain.errors import DataError, StrategyError
from engine.domain.market import Candles, Market, Timeframe, from_millis
from engine.domain.positions import Position
from engine.ports import Frames, Strategy
from engine.simulation.frames import resample
from engine.simulation.generator import GeneratedMarket, MarketGenerator

_SELDOM = 5
"""Of the rows that may tell of an error, one in so many is looked at for what is nearly the same at all of them."""
_OTHER = 200
"""Candles of another market, which is looked at in between."""
_CLOSE_ENOUGH = 1e-6
"""How far a distance live may be off: older candles than are asked for change it by less."""
_SILENT = 11
"""At one in so many closes no prediction is of now."""
_ALIGNED = 1 / 3
_BEGINS = datetime(2021, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Candles on which strategies are looked at.

    Attributes:
        series: Of the strategy's own timeframe, or shorter.
        analyzer: What reads them.
    """

    series: Candles
    analyzer: TechnicalAnalyzer = field(default_factory=TechnicalAnalyzer)

    def whole(self, strategy: Strategy) -> Frames:
        """Everything, as a backtest sees it."""
        found = {each: resample(self.series, each) for each in strategy.timeframes}
        frames = {each: self.analyzer.whole(candles) for each, candles in found.items() if len(candles)}
        return _expecting(strategy, frames)

    def live(self, strategy: Strategy, row: int, count: int | None = None) -> Frames:
        """What a cycle sees that runs at the close of a row: no more candles than are asked for, or than so many."""
        own = resample(self.series, strategy.timeframes[0])
        wanted = count or max(self.analyzer.history, strategy.history)
        lengths = {each: resample(self.series, each) for each in strategy.timeframes}
        seen = {each: _window(candles, own, row, wanted) for each, candles in lengths.items()}
        return _expecting(strategy, self.analyzer.frames(seen), newest=True)


def _window(candles: Candles, own: Candles, row: int, wanted: int) -> Candles:
    """The newest candles of a length that have closed with a row, as a series of their own."""
    known = candles.closed(from_millis(int(own.open_ms[row])) + own.timeframe.duration)
    return known.cut(max(0, len(known) - wanted), len(known))


def _expecting(strategy: Strategy, frames: Frames, *, newest: bool = False) -> Frames:
    """The same frames with predictions where the strategy reads them: at every close, or at the newest two as live.

    They are made up of when each candle closes: they come and go, and are missing now and then.
    """
    timeframe = strategy.timeframes[0]
    if not strategy.reads_predictions or timeframe not in frames:
        return frames
    own = frames[timeframe]
    closes = own.candles.open_ms // timeframe.millis + 1
    sides = {
        each: np.where(closes % _SILENT == 0, np.nan, np.rint(1.4 * np.sin(closes / (5.0 + 3 * place))))
        for place, each in enumerate(strategy.timeframes)
    }
    alignment = np.mean(list(sides.values()), axis=0)
    columns = [np.where(np.abs(alignment) < _ALIGNED, 0 * alignment, np.sign(alignment)), alignment, alignment / 50]
    if newest:
        older = np.arange(len(closes)) < len(closes) - 2
        columns = [np.where(older, np.nan, each) for each in columns]
        sides = {each: np.where(older, np.nan, side) for each, side in sides.items()}
    direction, alignment, move = columns
    outlook = OutlookColumns(direction=direction, alignment=alignment, expected_move=move, by_timeframe=sides)
    return {**frames, timeframe: replace(own, outlook=outlook)}


def made_up(timeframe: Timeframe, seed: int = 1, count: int = 3_000, price: float = 60_000.0) -> Candles:
    """A market with regimes, fat tails and crashes, the same for the same seed.

    Args:
        timeframe: Of its candles.
        seed: Which one.
        count: How many candles.
        price: Where it begins, in the quote currency.
    """
    market = Market.around("MADE/UP", price / 100, price * 100)
    recipe = GeneratedMarket(market=market, start_price=price, volatility=0.9)
    generator = MarketGenerator(markets=[recipe], timeframe=timeframe, seed=seed, start=_BEGINS)
    return generator.candles("MADE/UP", _BEGINS + count * timeframe.duration).cut(0, count)


def speaks_of_every_candle(strategy: Strategy, bench: Bench) -> None:
    """A row for each candle, however few there are."""
    whole = bench.whole(strategy)
    own = strategy.timeframes[0]
    candles = whole[own].candles
    for count in (1, 2, max(1, strategy.warmup - 1), strategy.warmup, len(candles)):
        if count > len(candles):
            continue
        said = strategy.columns(bench.live(strategy, count - 1, count))
        lengths = {len(said.entry), len(said.exit), len(said.stop_distance), len(said.target_distance)}
        lengths.add(len(said.conditions))
        if lengths != {count}:
            raise _broken(strategy, f"says {sorted(lengths)} rows of {count} candles")


def asks_for_what_there_is(strategy: Strategy, bench: Bench) -> None:
    """Every reading that it asks for is there."""
    said_of(strategy, bench.whole(strategy))


def is_silent_until_it_is_warm(strategy: Strategy, bench: Bench) -> None:
    """Nothing is entered before it has the candles that it needs."""
    said = strategy.columns(bench.whole(strategy))
    early = np.flatnonzero(said.entry[: max(0, strategy.warmup - 1)])
    if len(early):
        raise _broken(strategy, f"enters at candle {early[0] + 1} and is warm at candle {strategy.warmup}")


def names_its_conditions(strategy: Strategy, bench: Bench) -> None:
    """At least one, each named once, with a weight above 0 and words for every row; their agreement is a share."""
    said = strategy.columns(bench.whole(strategy))
    if not said.names:
        raise _broken(strategy, "has no condition: their agreement is its confidence")
    twice = sorted({name for name in said.names if said.names.count(name) > 1})
    if twice:
        raise _broken(strategy, f"has two conditions that are called {twice[0]!r}")
    for name, weight in zip(said.names, said.weights, strict=True):
        if not name or not weight > 0:
            raise _broken(strategy, f"the condition {name!r} has the weight {weight}; it must be above 0")
    for row in telling_rows(said)[::_SELDOM]:
        for each in strategy.generate_signals(bench.live(strategy, row)).conditions:
            if not each.detail:
                raise _broken(strategy, f"the condition {each.name!r} has no words for what it found")


def says_the_same_of_the_same(strategy: Strategy, bench: Bench) -> None:
    """Asked twice, over the same candles made anew, or with another market in between, it answers the same."""
    other = replace(bench, series=made_up(bench.series.timeframe, seed=99, count=_OTHER))
    row = len(resample(bench.series, strategy.timeframes[0])) - 1
    fresh = replace(bench, analyzer=TechnicalAnalyzer(indicators=bench.analyzer.indicators))
    frames, held = bench.live(strategy, row), (_position("P1", bench), _position("P2", bench))
    answers = []
    for seen in (frames, frames, fresh.live(strategy, row)):
        answers.append((strategy.generate_signals(seen), strategy.update_positions(held, seen)))
        strategy.columns(other.whole(strategy))
    if answers[0] != answers[1] or answers[0] != answers[2]:
        raise _broken(strategy, "says something else each time it is asked about the same candles")


def leaves_what_it_was_given(strategy: Strategy, bench: Bench) -> None:
    """It leaves open positions of those it was asked about, each once, with a reason; wherever its columns do."""
    said = strategy.columns(bench.whole(strategy))
    for row in telling_rows(said)[::_SELDOM]:
        seen = bench.live(strategy, row)
        now = seen[strategy.timeframes[0]].candles.closed_at
        held = [_position("new", bench, now), _position("old", bench), _position("closed", bench, closed=True)]
        exits = strategy.update_positions(held, seen)
        leaving = [each.position_id for each in exits]
        if not set(leaving) <= {"new", "old"} or len(set(leaving)) < len(leaving):
            raise _broken(strategy, f"leaves {', '.join(leaving)} of the open positions new and old")
        if not all(each.reason for each in exits):
            raise _broken(strategy, "leaves a position without a reason")
        if ("new" in leaving) != said.exit[row]:
            raise _broken(
                strategy, f"{_at(seen, strategy)} leaves live what its columns do not, or the other way round"
            )


def never_enters_where_it_would_leave(strategy: Strategy, bench: Bench) -> None:
    """No candle says both."""
    said = strategy.columns(bench.whole(strategy))
    both = np.flatnonzero(said.entry & said.exit)
    if len(both):
        raise _broken(strategy, f"enters and leaves at the same candle, the {both[0] + 1}th")


def has_stop_and_target(strategy: Strategy, bench: Bench) -> None:
    """Where it enters, both distances are above 0, or it has neither at all."""
    said = strategy.columns(bench.whole(strategy))
    stop, target = said.stop_distance[said.entry], said.target_distance[said.entry]
    if np.isnan(said.stop_distance).all() and np.isnan(said.target_distance).all():
        return
    if not ((stop > 0) & (target > 0)).all():
        raise _broken(strategy, "enters without a stop and a target above 0: the venue's one order is for both")


def misses_its_own_candles(strategy: Strategy, _: Bench) -> None:
    """Without them it says so."""
    try:
        strategy.generate_signals({})
    except DataError:
        return
    raise _broken(strategy, "says something without candles; leave generate_signals as it is, or ask own(frames)")


def goes_on_without_longer_candles(strategy: Strategy, bench: Bench) -> None:
    """Longer candles may be missing or late: it speaks all the same."""
    own = strategy.timeframes[0]
    row = len(resample(bench.series, own)) - 1
    strategy.generate_signals({own: bench.live(strategy, row)[own]})


def looks_at_no_later_candle(strategy: Strategy, bench: Bench) -> None:
    """What it says of a candle does not change once later ones are known, on a sample of rows."""
    look = LookAhead(strategy, bench.whole(strategy))
    look.demand(look.sample())


def says_live_what_its_columns_say(strategy: Strategy, bench: Bench) -> None:
    """Each row is what a cycle at its close says, which sees no more candles than are asked for."""
    said = strategy.columns(bench.whole(strategy))
    for row in telling_rows(said):
        seen = bench.live(strategy, row)
        live = strategy.generate_signals(seen)
        pairs = {
            "entry": (live.triggered, said.entry[row]),
            "stop_distance": (live.stop_distance, said.stop_distance[row]),
            "target_distance": (live.target_distance, said.target_distance[row]),
            **{
                f"the condition {each.name!r}": (each.holds, holds)
                for each, holds in zip(live.conditions, said.conditions[row], strict=True)
            },
        }
        for name, (now, then) in pairs.items():
            if not np.isclose(np.nan if now is None else now, then, rtol=_CLOSE_ENOUGH, atol=0, equal_nan=True):
                raise _broken(
                    strategy,
                    f"{_at(seen, strategy)} says live {name} {now}, and {then} in a backtest, which knows all older "
                    f"candles. Live asks for {max(bench.analyzer.history, strategy.history)}",
                    "Give it a `history` as long as its formulas remember, and leave `looks_back` None.",
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that every strategy keeps.

    Attributes:
        name: In words, as it is when it is kept.
        look: Raises ``StrategyError`` where it is not.
    """

    name: str
    look: Callable[[Strategy, Bench], None]


RULES = (
    Rule(name="speaks of every candle, however few there are", look=speaks_of_every_candle),
    Rule(name="asks for readings that there are", look=asks_for_what_there_is),
    Rule(name="enters nothing until it is warm", look=is_silent_until_it_is_warm),
    Rule(name="names its conditions, with weights and words", look=names_its_conditions),
    Rule(name="says the same of the same candles", look=says_the_same_of_the_same),
    Rule(name="leaves only open positions, with a reason", look=leaves_what_it_was_given),
    Rule(name="never enters where it would leave", look=never_enters_where_it_would_leave),
    Rule(name="has a stop and a target wherever it enters, or neither at all", look=has_stop_and_target),
    Rule(name="says so when its own candles are missing", look=misses_its_own_candles),
    Rule(name="goes on when longer candles are missing", look=goes_on_without_longer_candles),
    Rule(name="looks at no later candle", look=looks_at_no_later_candle),
    Rule(name="says live what it says in a backtest", look=says_live_what_its_columns_say),
)
"""The contract."""


def demand(strategy: Strategy, benches: Sequence[Bench] = ()) -> None:
    """See that a strategy keeps every rule, over made-up markets of its timeframe where no candles are given.

    Raises:
        StrategyError: It breaks one: the first.
    """
    for rule in RULES:
        for bench in benches or usual_benches(strategy.timeframes[0]):
            rule.look(strategy, bench)


def usual_benches(timeframe: Timeframe, analyzer: TechnicalAnalyzer | None = None) -> tuple[Bench, ...]:
    """Two made-up markets: one of a large coin, and one whose price has many zeros."""
    analyzer = analyzer or TechnicalAnalyzer()
    return tuple(
        Bench(series=made_up(timeframe, seed, price=price), analyzer=analyzer)
        for seed, price in ((1, 60_000.0), (2, 0.004))
    )


def _position(position_id: str, bench: Bench, at: datetime | None = None, *, closed: bool = False) -> Position:
    opened_at = at or from_millis(int(bench.series.open_ms[0]))
    return Position(
        venue="paper",
        id=position_id,
        context="check",
        symbol=bench.series.symbol,
        quantity=Decimal(1),
        entry_price=Decimal(100),
        opened_at=opened_at,
        closed_at=opened_at + timedelta(hours=1) if closed else None,
    )


def _at(seen: Frames, strategy: Strategy) -> str:
    candles = seen[strategy.timeframes[0]].candles
    return f"at the candle of {candles.symbol} that closes {candles.closed_at:%Y-%m-%d %H:%M} UTC"


def _broken(strategy: Strategy, what: str, remedy: str = "") -> StrategyError:
    return StrategyError(f"The strategy {strategy.name} {what}.", remedy)
