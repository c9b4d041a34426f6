"""What the compiled kernel goes over and what it leaves behind: columns and tables of plain numbers.

A *slot* is one market of one context: it holds at most one position. Slots stand in the order in which live decides on
them: by context, then by market. The candles of all markets lie one after another, and so does what is said of those of
all slots; ``first`` and ``end`` say which rows are whose.

Prices are in ticks and quantities in lots, both whole numbers in floats; money is in the quote currency. A bare run has
neither: there a tick, a lot and what they make are 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.domain.columns import Bools
    from engine.domain.market import Floats, Millis

    Table = NDArray[np.void]

SIGNAL, TIME = 3, 4
"""Why a position was left, beside ``intrabar.STOP`` and ``intrabar.TARGET``: its strategy's word, or its time."""

NEVER = 2**62
"""A time in milliseconds that does not come."""
DAY_MS = 86_400_000

MARKET = np.dtype(
    [
        ("first", "i8"),  # its candles
        ("end", "i8"),
        ("row", "i8"),  # the next one to open
        ("span", "i8"),  # how long one lasts, in milliseconds
        ("begins", "i8"),  # when its first one opens, in milliseconds; below 0 where some are missing
        ("tick", "f8"),  # in the quote currency
        ("grain", "f8"),  # what a lot is worth at a price of one tick
        ("least", "f8"),  # the smallest order, in the quote currency
        ("coin", "i8"),  # the same number for markets of the same base currency
        ("sector", "i8"),  # the same number for markets of the same sector; below 0 for none
    ]
)
SLOT = np.dtype(
    [
        ("market", "i8"),
        ("first", "i8"),  # what is said of its closes
        ("end", "i8"),
        ("turn", "i8"),  # the next close that it has not been asked about
        ("due", "i8"),  # nothing is to be done for it before that time, in milliseconds
        ("asked", "?"),  # whether it is to be decided on at this moment
        ("span", "i8"),  # how long its own candles last, in milliseconds
        ("begins", "i8"),  # when the first of these opens, in milliseconds; below 0 where some are missing
        ("longest", "i8"),  # how long it holds at most, in milliseconds; 0 for no limit
        ("stops", "?"),  # whether it has any
        ("targets", "?"),
        # What is made of its next entry.
        ("scale", "f8"),  # how much of its size is bought, in [0, 1]
        ("shift", "f8"),  # what its confidence is changed by, 0 or less
        ("stop_share", "f8"),  # how much of its stop's distance is kept, in (0, 1]
        # What its context is held to, as ``Terms`` are; ``max_open_risk`` is below 0 where it limits nothing.
        ("risk_per_trade", "f8"),
        ("max_position", "f8"),
        ("max_exposure", "f8"),
        ("max_open_risk", "f8"),
        # What it holds. ``lots`` is 0 for nothing.
        ("lots", "f8"),
        ("since", "i8"),
        ("stop", "f8"),
        ("target", "f8"),
        ("buying", "f8"),  # what is to be bought at this moment, in lots
        ("reserved", "f8"),  # the cash that is set aside for it
        ("leaving", "i8"),  # why it is being sold at market; 0 where it is not
        ("bought", "f8"),
        ("cost", "f8"),  # what that came to, in grains
        ("got", "f8"),  # what was sold, in grains
        ("fees", "f8"),  # in the quote currency
        ("slip", "f8"),  # what was paid more, or got less, than the price of the moment, in the quote currency
    ]
)
TRADE = np.dtype(
    [
        ("slot", "i8"),
        ("opened", "i8"),
        ("closed", "i8"),  # when the candle opened in which the last of it was sold
        ("reason", "i8"),
        ("lots", "f8"),
        ("entry", "f8"),  # mean prices, in the quote currency
        ("exit", "f8"),
        ("fees", "f8"),
        ("slip", "f8"),
    ]
)
DAY = np.dtype([("at", "i8"), ("equity", "f8"), ("exposure", "f8")])
"""The account at the end of a UTC day, at the closes of then."""
ACCOUNT = np.dtype(
    [
        ("cash", "f8"),
        ("peak", "f8"),  # the highest equity since the start
        ("paused", "f8"),  # the drawdown at which entries were last paused, in millionths; 0 once it was made good
        ("until", "i8"),  # until when they pause, in milliseconds
        ("ended", "i8"),  # when they ended for good, in milliseconds; 0 where they did not
        ("trades", "i8"),  # how many were written
        ("days", "i8"),
        ("midnight", "i8"),  # the next one, in milliseconds
    ]
)
"""How the portfolio stands, in one row."""


class Terms(NamedTuple):
    """How it is traded. Shares are in millionths, rounded to the side that allows less (``risk.units``).

    Attributes:
        bare: No lots, no book, no risk: units are ``size`` of the free cash, the fee comes on top.
        at_close: Fills at the close of the candle that says so, in place of the next open; in a bare run alone.
        worst: The rule inside a candle (``intrabar``).
        fee: Of a fill's value, as a fraction.
        confidence: From which on an entry is carried out.
        whole, first, step, levels: The book (``fills.Shares``).
        pause_ms: How long a drawdown pauses entries.
        max_daily_volume, max_sector, max_positions: Below 0 where they limit nothing.
    """

    bare: bool
    at_close: bool
    worst: bool
    size: float
    fee: float
    confidence: float = 0.0
    whole: int = 1
    first: int = 0
    step: int = 0
    levels: int = 0
    max_drawdown: float = 0.0
    recovery_size: float = 0.0
    max_total_drawdown: float = 0.0
    max_spread: float = 0.0
    max_price_gap: float = 0.0
    slippage_down: float = 0.0
    slippage_up: float = 0.0
    pause_ms: int = 0
    max_daily_volume: float = -1.0
    max_sector: float = -1.0
    max_positions: int = -1


class Tape(NamedTuple):
    """All of a run.

    Attributes:
        open_ms, open, high, low, close: The candles of all markets.
        offered: The lots that each level of a book offers once a candle has closed; empty in a bare run.
        day_close: Of each market, one after another, the last close at each midnight from the first one on, up to the
            last that comes before, or when, the last candle of all opens.
        said_ms: When the candles opened that something is said of.
        entry, exit: See ``SignalColumns``.
        confidence: The same; empty where it is not asked for.
        stop, target: Distances from the entry, in the quote currency; empty where no slot has any.
        traded: What a day has traded at the close of each candle that something is said of, in the quote currency, as
            ``risk.stats.known_volumes`` has it; empty where it limits nothing.
        levels, sizes: Room for one side of a book.
        adjusted: ``float64[n, 3]``, what is made of an entry at each close that something is said of: ``scale``,
            ``shift`` and ``stop_share`` of ``SLOT``; without rows where nothing is.
    """

    terms: Terms
    open_ms: Millis
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    offered: Floats
    day_close: Floats
    said_ms: Millis
    entry: Bools
    exit: Bools
    confidence: Floats
    stop: Floats
    target: Floats
    traded: Floats
    markets: Table
    slots: Table
    account: Table
    trades: Table
    days: Table
    levels: Floats
    sizes: Floats
    adjusted: Floats


Row = Any
"""One row of a table; what is written to it is written to the table."""
