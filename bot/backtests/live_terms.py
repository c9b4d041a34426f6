"""What a backtest through the live cycle knows beside whole candles: latency, shorter candles, books, other fees."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from config.settings import Settings
from engine.backtest.setup import FeeCurrency, LiveTerms
from engine.data.recorded_books import RecordedBooks, read_books
from engine.domain.errors import BadInput, ConfigError
from engine.simulation.fills import QUOTE, RECEIVED, FillModel
from engine.simulation.frames import resample
from engine.simulation.latency import Latency

if TYPE_CHECKING:
    from bot.backtests.asked import Asked, Known

WHOLE = "without --full whole candles are traded on, which know no moment between their opens"
SAY_FULL = "Say --full as well."


def live_terms(
    asked: Asked, settings: Settings, known: Known, model: FillModel, traded: Sequence[str]
) -> LiveTerms | None:
    """What goes beyond whole candles: as it was asked for, else as it is set; ``None`` where nothing does."""
    least, most = settings.backtest.latency
    latency = Latency(least=least, most=most) if asked.latency is None else asked.latency
    shorter = {symbol: known.shorter[symbol] for symbol in traded if symbol in known.shorter}
    books, currency = _books(asked, settings, traded), _fee_currency(settings, known, model, traded)
    if not (latency or shorter or books or currency):
        return None
    return LiveTerms(latency=latency, shorter=shorter, books=books, fee_currency=currency)


def _books(asked: Asked, settings: Settings, traded: Sequence[str]) -> dict[str, RecordedBooks]:
    """The recorded books of the markets that are traded."""
    found = read_books(asked.books, settings.backtest.book_age)
    own = {symbol: found[symbol] for symbol in traded if symbol in found}
    if found and not own:
        raise BadInput(f"--books: they are of {', '.join(found)}, and {', '.join(traded)} is traded.", "Name others.")
    return own


def _fee_currency(settings: Settings, known: Known, model: FillModel, traded: Sequence[str]) -> FeeCurrency | None:
    """A currency of its own that fees are taken in, with what tells its price.

    Raises:
        ConfigError: There is none of it, or nothing tells what it is worth.
    """
    name, quote = model.fee_in, known.markets[traded[0]].quote
    if name in (QUOTE, RECEIVED, quote):
        return None
    amount = settings.venue.balances.get(name, Decimal(0))
    if amount <= 0:
        remedy = f"Set venue.balances.{name}, or venue.fee_in: received."
        raise ConfigError(f"fees are taken in {name}, and the account has none.", remedy, key="venue.balances")
    symbol = f"{name}/{quote}"
    if model.fee_price is not None or symbol in traded:
        return FeeCurrency(name=name, amount=amount)
    shortest = min((known.candles[each].timeframe for each in traded), key=lambda each: each.duration)
    candles = known.candles.get(symbol)
    if candles is None or candles.timeframe.duration > shortest.duration:
        message = f"fees are taken in {name}, and nothing tells its price: there are no {shortest} candles of {symbol}."
        raise ConfigError(message, "Give its file with --data, or set venue.fee_price.", key="venue.fee_price")
    return FeeCurrency(name=name, amount=amount, market=known.markets[symbol], candles=resample(candles, shortest))


def refuse_of_live(asked: Asked) -> None:
    """Refuse what the kernel cannot count."""
    if asked.people:
        raise BadInput("People take their time in the live cycle alone.", SAY_FULL)
    if asked.latency is not None:
        raise BadInput(f"--latency: {WHOLE}.", SAY_FULL)
    if asked.shorter is not None:
        raise BadInput(f"--shorter {asked.shorter}: {WHOLE}.", SAY_FULL)
    if asked.books:
        raise BadInput("--books: without --full there is no moment at which a book could have been there.", SAY_FULL)
