"""Writes the table of slippage into docs/risk.md: what a book said that orders would cost, and what they did.

    python -m tests.bench.slippage_table

It needs the capture of Binance's sockets in ``$GREENLIGHT_DATA/orderbook``, which has a book and the trades beside it.

A taker's order is told of as one print for each order that it met. Prints of one side and one millisecond that follow
one another are taken for one order. Before it the newest book of at least a given age is walked for its quantity:
slippage = |mean price - best price| / best price (the rule ``slippage``, ``engine.risk.rules``). What was paid is
measured against the best price of the same book, so it holds what the market did meanwhile: implementation shortfall
from the moment of that book (A. Perold, The Implementation Shortfall, 1988).
"""

from __future__ import annotations

import gzip
import json
import os
import sys
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from engine.data.book_files import RecordedBook, books_in
from engine.risk import scalars

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "risk.md"
CAPTURE = "hftbacktest_binance_spot_btcusdt_20240808.gz"
BEGIN, END = "<!-- written by python -m tests.bench.slippage_table -->", "<!-- end of what is written -->"
SIZES = (0.0, 100.0, 1_000.0, 10_000.0, 100_000.0)
"""From which value on a row counts, in the quote currency."""
AGES_MS = (0, 500, 1_000, 5_000, 30_000)
LIMITS_BP = (0.1, 0.5, 1.0, 2.0)
LOTS, TICKS = 1e5, 100.0
"""Of BTC/USDT: a lot is 0.00001, a tick 0.01."""
BP = 1e4
HEAD = (
    "| orders | estimated | paid | paid more, mean | 95 % of errors up to | paid more by over 1 bp |\n"
    "|---|---|---|---|---|---|---|"
)


LIMITS_OF_IT = """
What it cannot tell:

- These are other people's orders. They chose their moment and their size by the book that they saw, so most take no
  more than stands at the best price; a bot whose candle has closed chooses neither.
- Six minutes of the most liquid market there is. Of thin markets, of a crash, and of 0.5 % nothing was seen.
- Books come every 100 ms. What happened between a book and an order is in *paid*, be it by the order or by others.
- An order is known by its prints alone: several of one millisecond may have been one, or one several; what did not
  fill, was hidden, or was cut into parts over seconds is not seen, nor what the market did because of it afterwards.
- A row of sixteen orders says little: its 95 % is nearly its largest."""


@dataclass(frozen=True, kw_only=True)
class TakerOrder:
    """What one order took.

    Attributes:
        at_ms: When, by the venue's clock.
        buys: Whether it bought.
        prints: Price and quantity of each order that it met.
    """

    at_ms: int
    buys: bool
    prints: tuple[tuple[float, float], ...]

    @property
    def quantity(self) -> float:
        """In the base currency."""
        return sum(quantity for _, quantity in self.prints)

    @property
    def value(self) -> float:
        """In the quote currency."""
        return sum(price * quantity for price, quantity in self.prints)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One order beside a book of before it; costs in basis points of that book's best price, above 0 for a cost.

    Attributes:
        estimated: What walking the book said.
        paid: What its prints say.
        within: The rule's own answer for each of ``LIMITS_BP``: whether the book takes it all within that.
    """

    value: float
    estimated: float
    paid: float
    within: tuple[bool, ...]

    @property
    def error(self) -> float:
        """How much more was paid than estimated."""
        return self.paid - self.estimated


def main() -> None:
    """Write the section between its marks, or at the end of the page where it has none yet."""
    capture = Path(os.environ.get("GREENLIGHT_DATA", ROOT / ".." / "shared" / "data")) / "orderbook" / CAPTURE
    if not capture.exists():
        sys.exit(f"{CAPTURE} is not in {capture.parent}: set GREENLIGHT_DATA.")
    page = PAGE.read_text()
    before, _, after = page.partition(BEGIN)
    _, _, after = after.partition(END)
    written = "\n".join((BEGIN, *section(capture), END))
    PAGE.write_text(f"{before.rstrip()}\n\n{written}{after or chr(10)}")


def section(capture: Path) -> Iterator[str]:
    """The lines of the section."""
    books, orders = list(books_in(capture)), list(taker_orders(capture))
    fresh = measured(orders, books, 0)
    minutes = (books[-1].at_us - books[0].at_us) / 60e6
    yield "## What slippage was estimated to be, and what it was\n"
    yield (
        f"Binance's spot market BTC/USDT on 2024-08-08, {minutes:.1f} minutes up to midnight UTC of which both\n"
        "the changes of the book and the trades were recorded:\n"
        f"{len(orders):,} orders of takers, for {len(fresh):,} of which a book of before is known that holds so much.\n"
        "The newest is walked for what the order took, as the rule `slippage` does; *paid* is against the best price\n"
        "of that same book. All in basis points (0.01 %) of it.\n"
    )
    yield from by_size(fresh)
    yield "\nThe older the book that an order is judged by, the less it says of what is paid:\n"
    yield from by_age(orders, books)
    yield (
        "\nWhat the rule would have said with limits far tighter than its 0.5 % (50 bp); the dearest order here paid "
        f"{max(each.paid for each in fresh):.1f} bp:\n"
    )
    yield from by_limit(fresh)
    yield LIMITS_OF_IT


def taker_orders(capture: Path) -> Iterator[TakerOrder]:
    """The orders of takers, oldest first."""
    with gzip.open(capture, "rt", encoding="utf-8") as lines:
        prints = [_data(line) for line in lines if '"e":"trade"' in line]
    for (at_ms, sold), group in groupby(prints, key=lambda each: (each["T"], each["m"])):
        met = tuple((float(each["p"]), float(each["q"])) for each in group)
        yield TakerOrder(at_ms=at_ms, buys=not sold, prints=met)


def measured(orders: Iterable[TakerOrder], books: Sequence[RecordedBook], age_ms: int) -> list[Measured]:
    """Each order beside the newest book that was at least so old; those of before any are left out."""
    times = [book.at_us // 1_000 for book in books]
    found = []
    for order in orders:
        index = bisect_right(times, order.at_ms - 1 - age_ms) - 1
        if index >= 0 and (one := _measured(order, books[index])) is not None:
            found.append(one)
    return found


def _measured(order: TakerOrder, book: RecordedBook) -> Measured | None:
    side, sign = (book.asks, 1) if order.buys else (book.bids, -1)
    best, left, cost = side[0][0], order.quantity, 0.0
    for price, offered in side:
        taken = min(left, offered)
        cost, left = cost + taken * price, left - taken
        if left <= 0:
            break
    if left > 1e-9:
        return None
    prices, sizes = [price * TICKS for price, _ in side], [offered * LOTS for _, offered in side]
    lots = round(order.quantity * LOTS)
    return Measured(
        value=order.value,
        estimated=sign * (cost / order.quantity - best) / best * BP,
        paid=sign * (order.value / order.quantity - best) / best * BP,
        within=tuple(scalars.lots_of_book(prices, sizes, limit * 100) >= lots for limit in LIMITS_BP),
    )


def by_size(found: Sequence[Measured]) -> Iterator[str]:
    """How large the error is, by what an order is worth."""
    yield "| worth in USDT " + HEAD
    for low, high in zip(SIZES, (*SIZES[1:], float("inf")), strict=True):
        own = [each for each in found if low <= each.value < high]
        name = f"{low:,.0f} and more" if high == float("inf") else f"{low:,.0f} to {high:,.0f}"
        yield _row(name, own)
    yield _row("all", found)


def _row(name: str, own: Sequence[Measured]) -> str:
    if not own:
        return f"| {name} | 0 | | | | | |"
    errors = np.array([each.error for each in own])
    cells = (
        name,
        f"{len(own):,}",
        f"{np.mean([each.estimated for each in own]):.3f}",
        f"{np.mean([each.paid for each in own]):.3f}",
        f"{errors.mean():+.3f}",
        f"{np.quantile(np.abs(errors), 0.95):.2f}",
        f"{np.mean(errors > 1):.1%}",
    )
    return f"| {' | '.join(cells)} |"


def by_age(orders: Sequence[TakerOrder], books: Sequence[RecordedBook]) -> Iterator[str]:
    """The same of all orders, by how old the book was."""
    yield "| book older than " + HEAD
    for age_ms in AGES_MS:
        yield _row(f"{age_ms / 1_000:g} s", measured(orders, books, age_ms))


def by_limit(found: Sequence[Measured]) -> Iterator[str]:
    """What the rule lets pass and what it cuts, and how much of both was really dearer than the limit."""
    yield "| limit | passed | of them dearer | cut | of them dearer |"
    yield "|---|---|---|---|---|"
    for index, limit in enumerate(LIMITS_BP):
        passed = [each.paid > limit for each in found if each.within[index]]
        cut = [each.paid > limit for each in found if not each.within[index]]
        yield f"| {limit:g} bp | {_dearer(passed)} | {_dearer(cut)} |"


def _dearer(dearer: Sequence[bool]) -> str:
    return f"{len(dearer):,} | {np.mean(dearer):.1%}" if dearer else "0 | "


def _data(line: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(line.partition(" ")[2])["data"]
    return data


if __name__ == "__main__":
    main()
