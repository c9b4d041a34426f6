"""From what was asked of ``bot backtest``, and the settings, to the setup of a backtest.

candles ─▶ markets by their names ─▶ contexts ─▶ how it is traded ─▶ BacktestSetup
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from bot.backtests.asked import Asked, Known
from bot.backtests.costs import model_of
from bot.backtests.live_terms import SAY_FULL, WHOLE, live_terms, refuse_of_live
from bot.backtests.shorter_files import beside, traded_and_shorter
from bot.indicators import specs_of
from bot.markets import entry_of, fast_of, generated_feed, market_of, slicing_of
from bot.strategies.new import class_name
from bot.strategies.registry import STRATEGIES, faults, higher_of, strategy_of, within
from config.contexts import ContextSettings
from config.settings import Settings
from config.strategy_names import short, what_is_wrong
from engine.analysis.technical import TechnicalAnalyzer
from engine.backtest.people import SimulatedPeople
from engine.backtest.setup import BacktestSetup, BareTerms, RiskTerms
from engine.data.feeds import FileFeed
from engine.data.files import parse_name, read_candles
from engine.domain.errors import BadInput, ConfigError
from engine.domain.market import Market, Timeframe
from engine.domain.triggers import Cause
from engine.exchanges.paper import NAME as PAPER
from engine.simulation.fills import FillModel
from engine.simulation.intrabar import Intrabar
from engine.strategies.consolidation import Consolidation
from engine.strategies.context import StrategyContext, StrategyContexts

_OWN = "your own, ./strategies/breakout.py:Breakout"
_ON_A_TAPE = (
    "Say --full, with ai.enabled, ai.prediction.enabled and a tape in llm.tape, or name another with --strategy."
)
_ALL = 10**9
"""More candles than any file has."""


def setup_of(asked: Asked, settings: Settings, known: Known | None = None) -> BacktestSetup:
    """Everything that a backtest is run on.

    Args:
        asked: What was asked for.
        settings: Everything else.
        known: The candles; ``None`` for those of the files that were asked for, or else of the profile.

    Raises:
        BadInput: What was asked for makes no sense; the nearest name is told.
        ConfigError: A setting makes no sense.
        DataError: A candle file cannot be used.
    """
    if not asked.full:
        refuse_of_live(asked)
    known = known or _candles(asked, settings)
    quote = next(iter(settings.venue.balances), "USDT")
    contexts = tuple(
        _of_strategy(asked, known, quote) if asked.strategy else _of_profile(asked, settings, known, quote)
    )
    _refuse_without_predictions(asked, settings, contexts)
    if not asked.full:
        _refuse_consolidation(settings, contexts)
        _refuse_entries_over_time(contexts)
        if not asked.bare:
            _refuse_triggers(settings)
    traded = tuple(dict.fromkeys(symbol for context in contexts for symbol in context.markets))
    quotes = tuple(dict.fromkeys(known.markets[symbol].quote for symbol in traded))
    if len(quotes) > 1:
        raise BadInput(f"The markets are priced in {', '.join(quotes)}.", "Test one quote currency at a time.")
    cash = settings.venue.balances.get(quotes[0], Decimal(10_000)) if asked.cash is None else asked.cash
    if cash <= 0:
        raise BadInput(f"--cash {cash} buys nothing.", "Begin with more than 0.")
    model = model_of(asked, settings, contexts)
    return BacktestSetup(
        contexts=StrategyContexts(contexts=contexts),
        candles={symbol: known.candles[symbol] for symbol in traded},
        markets={symbol: known.markets[symbol] for symbol in traded},
        cash=cash,
        terms=_terms(asked, settings, contexts, model),
        model=model,
        intrabar=Intrabar(settings.venue.intrabar),
        live=live_terms(asked, settings, known, model, traded) if asked.full else None,
        start=asked.start,
        end=asked.end,
        analyzer=TechnicalAnalyzer(indicators=specs_of(settings)),
    )


def known_of(files: Sequence[Path], markets: Mapping[str, Market]) -> Known:
    """What candle files hold.

    Args:
        files: One for each market.
        markets: Those whose steps are known; of the others they are seen in the prices.

    Raises:
        DataError: One cannot be used.
    """
    feed = FileFeed.load(files, markets)
    lengths = dict(map(parse_name, files))
    last = feed.span[1]
    return Known(
        candles={symbol: feed.candles(symbol, lengths[symbol], last, _ALL) for symbol in feed.markets},
        markets=feed.markets,
    )


def _candles(asked: Asked, settings: Settings) -> Known:
    if files := asked.data or settings.replay.data:
        return _read(asked, settings, files)
    made = generated_feed(settings)
    if asked.end is None:
        raise BadInput("The profile's market is made up as time goes on and has no end.", "Give --end, or --data.")
    return Known(
        candles={symbol: made.candles(symbol, made.timeframe, asked.end, _ALL) for symbol in made.markets},
        markets=made.markets,
    )


def _read(asked: Asked, settings: Settings, files: Sequence[Path]) -> Known:
    """What candle files hold; of a market with two the shorter one is what fills follow."""
    own, shorter = traded_and_shorter(files, lambda symbol: _shortest(asked, settings, symbol))
    if shorter and not asked.full:
        symbol, file = next(iter(shorter.items()))
        message = f"{own[symbol]} and {file} both hold {symbol}: {WHOLE}."
        raise BadInput(message, f"{SAY_FULL} Or give one of them: longer candles are made from shorter ones.")
    if asked.shorter is not None:
        shorter |= beside(own, asked.shorter)
    known = known_of(
        tuple(own.values()), {name: market_of(name, each) for name, each in settings.market.markets.items()}
    )
    return replace(known, shorter={symbol: read_candles(file) for symbol, file in shorter.items()})


def _shortest(asked: Asked, settings: Settings, symbol: str) -> Timeframe | None:
    """The shortest candles of a market that are decided on; ``None`` where its file says which."""
    if asked.strategy:
        return asked.timeframe
    lengths = [each.timeframe for each in settings.contexts if symbol in each.markets]
    return min(lengths, key=lambda each: each.duration, default=None)


def _of_strategy(asked: Asked, known: Known, quote: str) -> Iterable[StrategyContext]:
    """One context of the strategy that was asked for."""
    symbols = tuple(dict.fromkeys(known.named(each, quote) for each in asked.symbols)) or tuple(known.candles)
    longest = max((known.candles[symbol].timeframe for symbol in symbols), key=lambda each: each.duration)
    yield _context(alone(asked.strategy or "", asked.params, symbols, asked.timeframe or longest), symbols)


def alone(name: str, params: Sequence[str], symbols: Sequence[str], timeframe: Timeframe) -> ContextSettings:
    """A context of one strategy, as somebody types it.

    Raises:
        BadInput: There is no such strategy or parameter; the nearest is named.
    """
    if name.endswith(".py"):
        raise BadInput(f"{name} names no class.", f"Write it like {name}:{class_name(Path(name).stem)}.")
    if what_is_wrong(name):
        near = get_close_matches(name, STRATEGIES, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(STRATEGIES)}, and {_OWN}."
        raise BadInput(f"There is no strategy {name}.", hint)
    usual = ContextSettings(name=short(name), strategy=name, markets=tuple(symbols), timeframe=timeframe)
    try:
        context = ContextSettings.model_validate(
            {**usual.model_dump(), "higher": higher_of(usual), "params": dict(map(_param, params))}
        )
    except ValidationError as error:
        named = ".".join(str(part) for part in error.errors()[0]["loc"][1:2])
        raise BadInput(f"--set {named}: must be a single value.", "Write it like --set fast=20.") from None
    for fault in faults(context, ""):
        raise BadInput(of_command_line(fault), fault.remedy)
    return context


def of_command_line(fault: ConfigError) -> str:
    """A fault of a strategy as somebody reads it who has typed it."""
    said = fault.message.removeprefix(f"{fault.key}: ")
    name = fault.key.removeprefix(".params").removeprefix(".")
    return f"--set {name}: {said}" if name not in ("", "strategy") else said


def _param(text: str) -> tuple[str, Any]:
    name, given, value = text.partition("=")
    if not given or not name:
        raise BadInput(f"--set {text} gives no value.", "Write it like --set fast=20.")
    try:
        return name.strip(), yaml.safe_load(value)
    except yaml.YAMLError:
        return name.strip(), value


def _of_profile(asked: Asked, settings: Settings, known: Known, quote: str) -> Iterable[StrategyContext]:
    """The profile's contexts, on those of their markets that there are candles of."""
    if asked.params or asked.timeframe:
        given = "--set" if asked.params else "--timeframe"
        raise BadInput(f"{given} is about one strategy.", "Name it with --strategy.")
    wanted = {known.named(each, quote) for each in asked.symbols} or set(known.candles)
    found = []
    for number, each in enumerate(settings.contexts):
        symbols = tuple(symbol for symbol in each.markets if symbol in wanted)
        if symbols:
            found.append(_context(each, symbols, f"contexts.{number}"))
    if not found:
        there = ", ".join(known.candles)
        raise BadInput(f"No context of the profile {settings.profile} trades {there}.", "Name one with --strategy.")
    return found


def _context(asked: ContextSettings, symbols: Sequence[str], key: str = "contexts") -> StrategyContext:
    return StrategyContext(
        name=asked.name,
        venue=PAPER,
        strategy=strategy_of(asked, key),
        markets=tuple(symbols),
        timeframe=asked.timeframe,
        weight=asked.weight,
        priority=asked.priority,
        adjusted=asked.ppo,
        entry=entry_of(asked.entry),
        slicing=slicing_of(asked.entry),
        fast=fast_of(asked.fast),
    )


def _refuse_without_predictions(asked: Asked, settings: Settings, contexts: Sequence[StrategyContext]) -> None:
    """Predictions are made as time goes on, and cost nothing from a tape alone: without them nothing would be traded.

    Raises:
        BadInput: A strategy reads them, and this run would make none.
    """
    reading = ", ".join(context.name for context in contexts if context.strategy.reads_predictions)
    if not reading:
        return
    if not asked.full:
        raise BadInput(f"{reading} trades on predictions, and only bot backtest --full makes them.", _ON_A_TAPE)
    if not settings.predicts or settings.llm.tape is None:
        raise BadInput(f"{reading} trades on predictions, and nothing is predicted in this run.", _ON_A_TAPE)


def _refuse_triggers(settings: Settings) -> None:
    """Leave out no emergency stop in silence.

    Raises:
        BadInput: One is on that only the live cycle can tell.
    """
    on = [each for each in (Cause.DRAWDOWN, Cause.FLASH_CRASH) if each in settings.emergency.triggers]
    if on:
        raise BadInput(
            f"{', '.join(f'emergency.{each}' for each in on)}: a stop cannot be told market by market.",
            "bot backtest --full goes through the live cycle, which does; or set leads_to: off.",
        )


def _refuse_entries_over_time(contexts: Sequence[StrategyContext]) -> None:
    """Whole candles have one moment at which something is bought: no order waits in it, and nothing follows.

    Raises:
        BadInput: A context buys at a limit, in slices, or first a part of it.
    """
    for context in contexts:
        if context.entry is not None:
            raise BadInput(
                f"{context.name}: entry.type limit waits for its price, which whole candles cannot.", SAY_FULL
            )
        if context.slicing is not None:
            message = f"{context.name}: entry.slices are bought one after the other, which whole candles cannot."
            raise BadInput(message, SAY_FULL)
        if context.fast is not None:
            raise BadInput(f"{context.name}: fast buys a part before the rest, which whole candles cannot.", SAY_FULL)


def _refuse_consolidation(settings: Settings, contexts: Sequence[StrategyContext]) -> None:
    """Whole candles are gone over context by context: which of several is heard on a coin is not asked there.

    Raises:
        BadInput: Two contexts trade one coin, and the profile consolidates them.
    """
    coins = Counter(coin for each in contexts for coin in {symbol.partition("/")[0] for symbol in each.markets})
    shared = ", ".join(coin for coin, count in coins.items() if count > 1)
    if shared and settings.consolidation is not Consolidation.OWN:
        said = f"consolidation: {settings.consolidation} settles which context is heard on {shared}"
        raise BadInput(f"{said}, and only bot backtest --full does that.", SAY_FULL)


def _terms(
    asked: Asked, settings: Settings, contexts: Sequence[StrategyContext], model: FillModel
) -> BareTerms | RiskTerms:
    without = [context.name for context in contexts if _has_no_stop(context)]
    bare = bool(without) if asked.bare is None else asked.bare
    if bare:
        if asked.books:
            raise BadInput("--books: a bare run has no book.", "Say --risk on, with a strategy that has a stop.")
        terms = BareTerms()
        terms = terms if asked.size is None else replace(terms, size=asked.size)
        terms = terms if asked.fill_at is None else replace(terms, fill_at=asked.fill_at)
        most = 1 / (1 + float(model.fee))
        if not 0 < terms.size <= most:
            raise BadInput(f"--size {terms.size} cannot be paid.", f"Above 0, and with the fee at most {most:.6f}.")
        return terms
    if without:
        message = f"{', '.join(without)} gives no stop, and with --risk on nothing is bought without one."
        raise BadInput(
            message, "Give it one, --set stop_atr=2 --set target_atr=4, or leave the limits out, --risk off."
        )
    for given, name in ((asked.size, "--size"), (asked.fill_at, "--fill")):
        if given is not None:
            raise BadInput(f"{name} is about bare runs.", "Say --risk off as well.")
    autonomy = settings.approval.autonomy
    confidence = min(autonomy.ask_above, autonomy.auto_above) if asked.approved else autonomy.auto_above
    return RiskTerms(
        limits=settings.limits,
        confidence=confidence,
        approved=asked.approved,
        people=people_of(settings) if asked.people else None,
    )


def people_of(settings: Settings) -> SimulatedPeople:
    """The simulated people who are asked."""
    return SimulatedPeople(zone=settings.digest.zone, **settings.backtest.people.model_dump())


def _has_no_stop(context: StrategyContext) -> bool:
    strategy = within(context.strategy)
    return strategy is not None and strategy.stop_atr is None
