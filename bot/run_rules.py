"""What must hold for a run, beyond the form of the settings. Run, ``config validate`` and ``doctor`` go by this list.

Nothing is opened or asked for it: no database, no network, no candle file. Where files are to be is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from difflib import get_close_matches
from importlib.util import find_spec

from bot import indicators, model_chains, prediction_rules, prompts
from bot.room import no_room_for, unwritable
from bot.strategies import trial
from bot.strategies.registry import faults, higher_of
from bot.venue_keys import keys_of
from bot.venues import real_venues
from config.rules import Rule
from config.settings import Settings
from engine.domain.errors import ConfigError
from engine.domain.extras import install
from engine.domain.messages import Role
from engine.exchanges.ccxt.client import check_exchange, known_exchanges
from engine.store.location import file_of
from engine.strategies.consolidation import Consolidation
from handlers.access import PROGRAM

CONSENT = "I understand"
"""What ``live_trading`` has to say before an order may go to a real venue."""
_NO_KEY_NEEDED = "`bot run --profile paper` trades on real prices with play money."
_DRIVER = "psycopg"


def demand(settings: Settings) -> None:
    """See that every rule holds.

    Raises:
        ConfigError: One does not; the first of them, for ``load`` tells all.
    """
    for rule in RULES:
        for error in rule.broken(settings):
            raise error


def _real_orders(settings: Settings) -> Iterator[ConfigError]:
    """Nobody trades real money by accident, nor without keys, nor on prices of another time."""
    real = _real_venues(settings)
    if not real:
        return
    money = [name for name in real if not settings.exchanges[name].sandbox]
    if money and settings.live_trading != CONSENT:
        yield ConfigError(
            f"profile {settings.profile} sends orders to a real venue, and nobody has agreed to that.",
            f'Write live_trading: "{CONSENT}" into your file. {_NO_KEY_NEEDED}',
            key="live_trading",
            other=f"exchanges.{money[0]}.orders",
        )
        return
    if settings.market.source == "replay":
        yield ConfigError(
            "must be paper while market.source is replay: a real venue fills no orders at prices of another time.",
            _NO_KEY_NEEDED,
            key=f"exchanges.{real[0]}.orders",
            other="market.source",
        )
    for name in real_venues(settings):
        try:
            keys_of(name, settings.exchanges[name])
        except ConfigError as error:
            yield error


def _somebody_responsible(settings: Settings) -> Iterator[ConfigError]:
    """Real orders need somebody who may stop them, and begin with little."""
    real = _real_venues(settings)
    if not real:
        return
    if not any(person.role is Role.ADMIN for person in settings.people):
        yield ConfigError(
            "must name an admin: orders are real, and nobody could give the first go or stop them.",
            "Add one: [{name: Ada, role: admin, telegram: 123456789}].",
            key="people",
            other=f"exchanges.{real[0]}.orders",
        )
    if not settings.capital.stages:
        yield ConfigError(
            "must have a first stage: orders are real, and all of the account could be used.",
            "Set it to what you can lose: [100, 500, 2500].",
            key="capital.stages",
            other=f"exchanges.{real[0]}.orders",
        )


def _no_play_money(settings: Settings) -> Iterator[ConfigError]:
    """What orders with money are sized by has nothing in it that is worth nothing."""
    real = real_venues(settings)
    if not real:
        return
    money = [name for name in real if not settings.exchanges[name].sandbox]
    worthless = [f"exchanges.{name}.sandbox" for name in real if money and name not in money]
    contexts = enumerate(settings.contexts)
    worthless += [f"contexts.{number}.exchange" for number, each in contexts if each.exchange not in real]
    for key in worthless:
        yield ConfigError(
            "trades with what is worth nothing, beside real orders, which would be sized by both.",
            "Give it an account of its own: another file, with another database.url.",
            key=key,
            other=f"exchanges.{(money or real)[0]}.orders",
        )


def _real_venues(settings: Settings) -> list[str]:
    """The venues that orders would go to, whether they are on or not."""
    return [name for name, each in settings.exchanges.items() if each.orders == "real"]


def _one_venue(settings: Settings) -> Iterator[ConfigError]:
    if settings.market.source == "replay":
        return
    (first, _), real = settings.exchange, _real_venues(settings)
    for number, context in enumerate(settings.contexts):
        is_there = settings.listed_as(context.exchange or first) == settings.listed_as(first)
        if not is_there and not {first, context.exchange} <= {*real}:
            yield ConfigError(
                f"is {context.exchange}, and another context trades on {first}.",
                "Paper orders at real prices have one venue; with orders: real, or in a replay, there may be several.",
                key=f"contexts.{number}.exchange",
            )


def _one_clock(settings: Settings) -> Iterator[ConfigError]:
    replay = settings.replay
    asked = {"data": replay.data, "start": replay.start, "end": replay.end, "until_end": replay.until_end}
    for name, value in asked.items():
        if value and settings.market.clock == "wall":
            message = "asks for a replay, and market.clock: wall for the time of this machine."
            yield ConfigError(message, "Leave one of them out.", key=f"replay.{name}", other="market.clock")


def _something_to_trade(settings: Settings) -> Iterator[ConfigError]:
    if not settings.contexts:
        remedy = "Add one under contexts: with its markets and timeframe."
        yield ConfigError("No context trades anything.", remedy, key="contexts")
    if _is_generated(settings) and not settings.market.markets:
        yield no_market()


def no_market() -> ConfigError:
    """There is neither a market to make up nor a file."""
    remedy = "Set market.markets, or give candle files with --data."
    return ConfigError("There is no market to trade.", remedy, key="market.markets")


def _one_quote(settings: Settings) -> Iterator[ConfigError]:
    """Every market is priced in the one currency that the paper account has."""
    quotes = list(dict.fromkeys(symbol.partition("/")[2] for each in settings.contexts for symbol in each.markets))
    if len(quotes) > 1:
        named = ", ".join(quotes)
        yield ConfigError(f"its markets are priced in {named}.", "Trade one quote currency at a time.", key="contexts")
    elif quotes and not _real_venues(settings) and not settings.venue.balances.get(quotes[0]):
        yield ConfigError(
            f"has no {quotes[0]}, which the markets of the contexts are priced in.",
            f"Give the account some: {{{quotes[0]}: ...}}.",
            key="venue.balances",
            other="contexts",
        )


def _generated_markets(settings: Settings) -> Iterator[ConfigError]:
    """A context can only trade what is generated, and candles no shorter than those; what files hold, they tell."""
    market = settings.market
    if not _is_generated(settings) or not market.markets:
        return
    for number, context in enumerate(settings.contexts):
        for index, symbol in enumerate(context.markets):
            if symbol not in market.markets:
                near = get_close_matches(symbol, market.markets, n=1)
                yield ConfigError(
                    f"there is no market {symbol} in market.markets.",
                    f"Did you mean {near[0]}?" if near else "Add it there, or give its candle file with --data.",
                    key=f"contexts.{number}.markets.{index}",
                )
        if context.timeframe.duration < market.timeframe.duration:
            yield ConfigError(
                f"is {context.timeframe}, and the generated candles are {market.timeframe}.",
                f"Set it to {market.timeframe} or longer, or market.timeframe to a shorter one.",
                key=f"contexts.{number}.timeframe",
                other="market.timeframe",
            )


def _generated_time(settings: Settings) -> Iterator[ConfigError]:
    """A generated market has a beginning; what spans files have, they tell."""
    market, replay = settings.market, settings.replay
    if not _is_generated(settings):
        return
    first = market.start - market.history
    if replay.start and replay.start < first:
        message = f"the generated market begins at {_moment(first)}: market.start less market.history."
        yield ConfigError(message, "Start later, or set market.start earlier.", key="replay.start")
    if replay.end and not replay.start and replay.end <= market.start:
        yield ConfigError(
            f"must be after market.start, which is {_moment(market.start)}: nothing is left to replay.",
            "Set a later end, or --start.",
            key="replay.end",
            other="market.start",
        )


def _consolidation(settings: Settings) -> Iterator[ConfigError]:
    """What a context counts beside others counts for nothing but where the settings go by it."""
    for number, context in enumerate(settings.contexts):
        for name, mode in (("weight", Consolidation.WEIGHTED), ("priority", Consolidation.PRIORITISED)):
            is_set = getattr(context, name) != type(context).model_fields[name].default
            if is_set and settings.consolidation is not mode:
                yield ConfigError(
                    f"counts for nothing where consolidation is {settings.consolidation}.",
                    f"Set consolidation: {mode}, or leave it out.",
                    key=f"contexts.{number}.{name}",
                )


def _contexts(settings: Settings) -> Iterator[ConfigError]:
    for number, context in enumerate(settings.contexts):
        key = f"contexts.{number}"
        if twice := sorted({symbol for symbol in context.markets if context.markets.count(symbol) > 1}):
            yield ConfigError(f"has {', '.join(twice)} twice.", "Name each market once.", key=f"{key}.markets")
        if short := [each for each in higher_of(context) if each.duration <= context.timeframe.duration]:
            yield ConfigError(
                f"must be longer than the context's timeframe of {context.timeframe}: {', '.join(short)} is not.",
                "Name longer ones, or none: [].",
                key=f"{key}.higher",
                other=f"{key}.timeframe",
            )
        yield from faults(context, key)


def _indicators(settings: Settings) -> Iterator[ConfigError]:
    yield from indicators.faults(settings.indicators, settings.contexts)


def _known_venue(settings: Settings) -> Iterator[ConfigError]:
    if settings.market.source != "ccxt":
        return
    for name in settings.price_venues:
        try:
            check_exchange(settings.listed_as(name), known_exchanges())
        except ConfigError as error:
            yield error


def _names_of_people(settings: Settings) -> Iterator[ConfigError]:
    for number, person in enumerate(settings.people):
        if person.name.casefold() == PROGRAM.name:
            message = f"nobody can be called {person.name}: that is how the API's token is named."
            yield ConfigError(message, "Choose another name.", key=f"people.{number}.name")


def driver_missing(
    settings: Settings, has: Callable[[str], bool] = lambda name: find_spec(name) is not None
) -> Iterator[ConfigError]:
    """A database on a server needs its driver, which is an extra."""
    if file_of(settings.database.url) is None and not has(_DRIVER):
        yield ConfigError("nothing here can talk to PostgreSQL.", install("postgres"), key="database.url")


def _room_for_files(settings: Settings) -> Iterator[ConfigError]:
    """What is written must not be a folder, nor lie below a file."""
    files = {
        "database.url": file_of(settings.database.url),
        "venue.file": settings.venue.file,
        "viewer.file": settings.viewer.file,
        "logs.file": settings.logs.file,
        "replay.summary": settings.replay.summary,
    }
    for key, file in files.items():
        look = unwritable if key == "replay.summary" else no_room_for
        if file and (wrong := look(file)):
            yield ConfigError(*wrong, key=key)


def _is_generated(settings: Settings) -> bool:
    return settings.market.source == "replay" and not settings.replay.data


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


RULES = (
    Rule(needs=("profile", "live_trading", "market", "exchanges"), broken=_real_orders),
    Rule(needs=("exchanges", "people", "capital"), broken=_somebody_responsible),
    Rule(needs=("market", "exchanges", "contexts"), broken=_no_play_money),
    Rule(needs=("database",), broken=driver_missing),
    Rule(needs=("database", "venue", "viewer", "logs", "replay"), broken=_room_for_files),
    Rule(needs=("people",), broken=_names_of_people),
    Rule(needs=("market", "replay"), broken=_one_clock),
    Rule(needs=("market", "replay", "contexts"), broken=_something_to_trade),
    Rule(needs=("market", "replay", "contexts"), broken=_generated_markets),
    Rule(needs=("market", "replay"), broken=_generated_time),
    Rule(needs=("venue", "exchanges", "contexts"), broken=_one_quote),
    Rule(needs=("market", "exchanges", "contexts"), broken=_one_venue),
    Rule(needs=("market", "exchanges", "contexts"), broken=_known_venue),
    Rule(needs=("indicators", "contexts"), broken=_indicators),
    Rule(needs=("contexts",), broken=_contexts),
    Rule(needs=("contexts", "consolidation"), broken=_consolidation),
    Rule(needs=("ai", "llm"), broken=model_chains.faults),
    Rule(needs=("ai", "llm", "contexts"), broken=prompts.prompt_faults),
    Rule(needs=("ai", "llm", "contexts"), broken=prediction_rules.unpredicted),
    Rule(needs=("indicators", "contexts"), broken=trial.failures),
)
