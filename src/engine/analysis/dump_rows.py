"""What one row of a candle dump says, read from its text.

Dumps like those of CryptoDataDownload mix units and formats within one file. Each is told by what it looks like, and
only where it can be nothing else; a row that contradicts itself is refused.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from engine.analysis.candle_times import MILLISECONDS, TWELVE_HOURS, TimeUnit, date_of, number_of
from engine.analysis.row_faults import LEAST_PRICE, MOST_PRICE, MOST_VOLUME
from engine.domain.figures import plain as digits
from engine.domain.market import from_millis
from engine.domain.printable import printable

_SHOWN_DECIMALS = 2
"""The fewest decimals that dumps round volumes to; they leave zeros at the end away."""


class Clock(StrEnum):
    """Which column is believed where the two say different times."""

    UNIX = "unix"
    DATE = "date"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that was wrong in a dump.

    Attributes:
        line: Where in the file, from 1; ``None`` where it is the whole file.
        kind: What sort of thing, the same words for all of a sort.
        detail: What was there, and what was done.
        refused: Whether the row was left out; otherwise it was repaired.
    """

    line: int | None
    kind: str
    detail: str
    refused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One row of a dump as text; a column that the dump does not have is empty, or ``None`` for the quote volume."""

    line: int
    unix: str = ""
    date: str = ""
    symbol: str = ""
    open: str
    high: str
    low: str
    close: str
    volume: str
    quote_volume: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a dump as numbers.

    Attributes:
        open_ms: When the candle opens, in milliseconds since 1970, UTC.
        volume, quote_volume: What was traded, in the base and in the quote currency.
        decimals: How many decimals the two volumes are written with.
    """

    line: int
    open_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    quote_volume: float | None
    decimals: tuple[int, int]

    @property
    def rounding(self) -> tuple[float, float]:
        """How far the two written volumes may be from the true ones."""
        base, quote = (0.5 * 10.0 ** -max(_SHOWN_DECIMALS, decimals) for decimals in self.decimals)
        return base, quote

    @property
    def values(self) -> tuple[float | None, ...]:
        """Everything but the line."""
        return (self.open, self.high, self.low, self.close, self.volume, self.quote_volume)


class _Refused(Exception):
    """This row cannot be used."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(kind, detail)
        self.kind = kind
        self.detail = detail


def read_row(record: Record, symbol: str, trust: Clock | None) -> tuple[Row | None, list[Finding]]:
    """Read one row.

    Args:
        record: The row as text.
        symbol: The market that the dump is of, ``BASE/QUOTE``.
        trust: The column to believe where unix and date differ; without it such a row is refused.

    Returns:
        The row, or ``None`` where it is refused, and what was repaired or is wrong.
    """
    findings: list[Finding] = []
    try:
        _same_market(record, symbol)
        open_ms = _time(record, trust, findings)
        row = _in_order(_numbers(record, open_ms), findings)
    except _Refused as refused:
        return None, [Finding(line=record.line, kind=refused.kind, detail=refused.detail, refused=True)]
    return row, findings


def _same_market(record: Record, symbol: str) -> None:
    if record.symbol and plain(record.symbol) != plain(symbol):
        raise _Refused("other market", f"is of {printable(record.symbol)}, not of {symbol}")


def plain(symbol: str) -> str:
    """A symbol without case and marks, so that ``BTC/USDT`` equals ``btcusdt``."""
    return re.sub(r"[^A-Z0-9]", "", symbol.upper())


def _time(record: Record, trust: Clock | None, findings: list[Finding]) -> int:
    unix, unit = _unix(record.unix) if record.unix else (None, MILLISECONDS)
    date = _date(record.date) if record.date else None
    at = date if unix is None or (trust is Clock.DATE and date is not None) else unix
    if at is None:
        raise _Refused("no time", "says no time")
    if unix is not None and date is not None and unix != date:
        words = f"unix {record.unix} is {_words(unix)}, but date is {record.date!r}"
        if trust is None:
            raise _Refused("two times", words)
        findings.append(Finding(line=record.line, kind="two times", detail=f"{words}; took {trust} as told"))
    if unit is not MILLISECONDS:
        findings.append(Finding(line=record.line, kind=f"time in {unit.name}", detail=f"{record.unix} is {_words(at)}"))
    if TWELVE_HOURS.fullmatch(record.date):
        findings.append(Finding(line=record.line, kind="date in AM/PM", detail=f"{record.date!r} is {_words(at)}"))
    return at


def _unix(text: str) -> tuple[int, TimeUnit]:
    """Milliseconds since 1970, and the unit that the number was in."""
    try:
        return number_of(text)
    except ValueError as error:
        raise _Refused("no time", f"unix {_date_instead(text) or f'{text!r} {error}'}") from None


def _date_instead(text: str) -> str:
    """What people are told where the column of numbers holds a date; empty where the text is no date."""
    try:
        date_of(text)
    except ValueError:
        return ""
    return f"{text!r} is a date, so its column must be called date"


def _date(text: str) -> int:
    try:
        return date_of(text)
    except ValueError as error:
        raise _Refused("no time", f"date {text!r} {error}") from None


def _numbers(record: Record, open_ms: int) -> Row:
    prices = {name: _number(getattr(record, name), name) for name in ("open", "high", "low", "close")}
    volume = _number(record.volume, "volume")
    quote = None if record.quote_volume is None else _number(record.quote_volume, "quote volume")
    if min(prices.values()) <= 0 or min(volume, quote or 0) < 0:
        raise _Refused("not positive", "has a price that is not positive, or a negative volume")
    if min(prices.values()) < LEAST_PRICE or max(prices.values()) > MOST_PRICE or volume > MOST_VOLUME:
        raise _Refused("extreme", "has a price or volume beyond what any coin had")
    if prices["high"] < max(prices.values()) or prices["low"] > min(prices.values()):
        raise _Refused("range", "leaves its own high and low")
    return Row(
        line=record.line,
        open_ms=open_ms,
        **prices,
        volume=volume,
        quote_volume=quote,
        decimals=(_decimals(record.volume), _decimals(record.quote_volume or "")),
    )


def _number(text: str, name: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise _Refused("not a number", f"{name} is {text!r}")
    return number


def _decimals(text: str) -> int:
    exponent = Decimal(text).as_tuple().exponent if text else 0
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _in_order(row: Row, findings: list[Finding]) -> Row:
    """Put the volumes right: quote over base volume is the average price, and lies between low and high."""
    if row.quote_volume is None or _fit(row):
        return row
    base, quote = row.decimals
    swapped = replace(row, volume=row.quote_volume, quote_volume=row.volume, decimals=(quote, base))
    words = f"base {digits(row.volume, 12)}, quote {digits(row.quote_volume, 12)}"
    if not swapped.volume or not _fit(swapped):
        raise _Refused("volumes", f"{words}: neither way round is their ratio a price between low and high")
    findings.append(Finding(line=row.line, kind="swapped volumes", detail=f"{words}; swapped"))
    return swapped


def _fit(row: Row) -> bool:
    quote = row.quote_volume or 0.0
    base_error, quote_error = row.rounding
    lowest = row.low * max(0.0, row.volume - base_error)
    highest = row.high * (row.volume + base_error)
    return lowest <= quote + quote_error and quote - quote_error <= highest


def _words(millis: int) -> str:
    return f"{from_millis(millis):%Y-%m-%d %H:%M} UTC"
