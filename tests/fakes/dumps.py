"""Candle dumps as CryptoDataDownload makes them: clean candles, and ways to dirty their text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.domain.market import Candles, from_millis

HEADER = "unix,date,symbol,open,high,low,close,Volume BTC,Volume USDT,tradecount"
URL = "https://www.CryptoDataDownload.com"
SYMBOL = "BTC/USDT"

Line = list[str]
"""The fields of a row, in the header's order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A candle in whole cents and in whole hundred-millionths, so that its text is exact."""

    open: int
    high: int
    low: int
    close: int
    volume: int

    @property
    def quote_volume(self) -> float:
        """The volume in the quote currency, all of it traded halfway between low and high."""
        return self.volume / 1e8 * (self.high + self.low) / 200


def lines(bars: Sequence[Bar], first_ms: int, step_ms: int) -> list[Line]:
    """Clean rows, oldest first: milliseconds, ISO dates, eight decimals."""
    return [
        [
            str(at),
            f"{from_millis(at):%Y-%m-%d %H:%M:%S}",
            SYMBOL,
            *(f"{cents / 100:.8f}" for cents in (bar.open, bar.high, bar.low, bar.close)),
            f"{bar.volume / 1e8:.8f}",
            f"{bar.quote_volume:.8f}",
            "7",
        ]
        for at, bar in zip(range(first_ms, first_ms + len(bars) * step_ms, step_ms), bars, strict=True)
    ]


def in_seconds(line: Line) -> Line:
    """The same row with its time in seconds, written as a fraction."""
    return [f"{int(line[0]) // 1000}.0", *line[1:]]


def in_am_pm(line: Line) -> Line:
    """The same row with its date as 2017-08-17 04-AM."""
    at = datetime.fromisoformat(line[1])
    return [line[0], f"{at:%Y-%m-%d %I-%p}", *line[2:]]


def swapped(line: Line) -> Line:
    """The same row with its volumes the wrong way round."""
    return [*line[:7], line[8], line[7], *line[9:]]


def rounded(line: Line, close_before: str | None = None) -> Line:
    """The row as the old source writes it: volumes of two decimals, the close before in place of the open."""
    opened = close_before or line[3]
    high, low = max(line[4], opened, key=float), min(line[5], opened, key=float)
    volumes = [f"{float(text):.2f}" for text in line[7:9]]
    return in_am_pm(in_seconds([*line[:3], opened, high, low, line[6], *volumes, "NULL"]))


def text(rows: Iterable[Line], header: str = HEADER, before: str = "") -> str:
    """A dump of these rows, in this order."""
    return before + "\n".join([header, *(",".join(row) for row in rows)]) + "\n"


def every(change: Callable[[Line], Line], rows: Sequence[Line], marks: Sequence[bool]) -> list[Line]:
    """The rows with a change made to those that are marked."""
    return [change(row) if mark else row for row, mark in zip(rows, marks, strict=True)]


def columns(candles: Candles) -> dict[str, list[float]]:
    """What candles hold, for comparing them."""
    names = ("open_ms", "open", "high", "low", "close", "volume")
    return {name: getattr(candles, name).tolist() for name in names}
