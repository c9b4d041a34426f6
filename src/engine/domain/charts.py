"""Pictures as what they show: every platform draws them in its own way, or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class EquityChart:
    """What an account was worth over time, oldest first, and what it would have been in other hands.

    Attributes:
        title: What it shows, in which unit, and of which time.
        alt: The same for those who cannot see it, with what it comes to.
        start: Equity at the beginning: above it, or above ``put_in``, there is profit, below it loss.
        times: When each of these was.
        equity: In the account's currency.
        drawdown: How far each is below the peak of its time, as a fraction.
        hold: What the equity of the beginning, held in the traded markets, had become, and each payment from its own
            time on; ``None`` where not known.
        put_in: ``start`` with what was paid in and out up to each of these times; empty where nothing was.
        zone: The name of the time zone whose clock its axis has.
    """

    title: str
    alt: str
    start: float
    times: tuple[datetime, ...]
    equity: tuple[float, ...]
    drawdown: tuple[float, ...]
    hold: tuple[float | None, ...] = ()
    put_in: tuple[float, ...] = ()
    zone: str = "UTC"


class Meaning(StrEnum):
    """What a price in a picture of a trade is."""

    ENTRY = "entry"
    STOP = "stop"
    TARGET = "target"
    EXIT = "exit"
    NOW = "now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A price to point at.

    Attributes:
        label: What it is, with the price as people read it.
        begin: From when it held, or when it was paid.
        end: Until when it held; ``None`` for what was at one moment.
    """

    meaning: Meaning
    label: str
    price: float
    begin: datetime
    end: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeChart:
    """The candles around a trade, oldest first, with what it paid and got.

    Attributes:
        title, alt, zone: As in ``EquityChart``.
        seconds: How long a candle lasts.
        times: When each candle opens.
        open, high, low, close: Prices in the quote currency.
        marks: What is pointed at.
    """

    title: str
    alt: str
    seconds: int
    times: tuple[datetime, ...]
    open: tuple[float, ...]
    high: tuple[float, ...]
    low: tuple[float, ...]
    close: tuple[float, ...]
    marks: tuple[Mark, ...]
    zone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeMark:
    """A trade among others in a picture.

    Attributes:
        begin, end: When it was bought and sold; ``end`` is ``None`` for what is still held.
        entry, exit: Mean prices; for what is still held the price of now.
        is_won: Whether it made something, or would.
    """

    begin: datetime
    end: datetime | None
    entry: float
    exit: float
    is_won: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TradesChart:
    """The candles of a market, oldest first, with the trades in it.

    Attributes:
        title, alt, seconds, times, open, high, low, close, zone: As in ``TradeChart``.
        trades: In any order; those outside of the candles are left out.
    """

    title: str
    alt: str
    seconds: int
    times: tuple[datetime, ...]
    open: tuple[float, ...]
    high: tuple[float, ...]
    low: tuple[float, ...]
    close: tuple[float, ...]
    trades: tuple[TradeMark, ...]
    zone: str = "UTC"


Chart = EquityChart | TradeChart | TradesChart
