"""What is asked of a backtest, and the candles that there are for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path

from engine.backtest.setup import FillAt
from engine.domain.errors import BadInput
from engine.domain.market import Candles, Market, Timeframe, names_of
from engine.simulation.latency import Latency


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked on the command line; ``None`` and empty where nothing was.

    Attributes:
        symbols: Markets as people write them.
        strategy: One alone, in place of the contexts of the profile.
        params: Its parameters, ``NAME=VALUE``.
        cash, fee, size: In the quote currency; the others as fractions.
        bare: Whether it is traded without lots, book and limits.
        approved: Whether people say yes to everything that they are asked.
        people: Whether people are asked who take their time; in the live cycle alone.
        full: Whether it goes through the live cycle.
        latency: How long orders are under way; in the live cycle alone.
        shorter: Which candles beside the files fills follow; in the live cycle alone.
        books: Files of recorded order books; in the live cycle alone.
    """

    symbols: tuple[str, ...] = ()
    strategy: str | None = None
    timeframe: Timeframe | None = None
    params: tuple[str, ...] = ()
    data: tuple[Path, ...] = ()
    start: datetime | None = None
    end: datetime | None = None
    cash: Decimal | None = None
    fee: Decimal | None = None
    size: float | None = None
    fill_at: FillAt | None = None
    bare: bool | None = None
    approved: bool = False
    people: bool = False
    full: bool = False
    latency: Latency | None = None
    shorter: Timeframe | None = None
    books: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The candles that there are, the steps of their markets, and shorter candles of some of these."""

    candles: Mapping[str, Candles]
    markets: Mapping[str, Market]
    shorter: Mapping[str, Candles] = field(default_factory=dict)

    def named(self, asked: str, quote: str) -> str:
        """The market that somebody means; a coin alone is meant against a currency, where it is traded against that.

        Raises:
            BadInput: There is none, or several are meant.
        """
        wanted = asked.strip().upper()
        found = [symbol for symbol in self.candles if wanted in names_of(symbol)]
        found = [symbol for symbol in found if symbol.endswith(f"/{quote}")] or found
        if len(found) == 1:
            return found[0]
        if found:
            raise BadInput(f"--symbol {asked} may be {' or '.join(found)}.", "Write it like BTC/USDT.")
        names = {name: symbol for symbol in self.candles for name in names_of(symbol)}
        near = get_close_matches(wanted, names, n=1)
        there = f"There are {', '.join(self.candles)}."
        hint = f"Did you mean {names[near[0]]}? {there}" if near else f"{there} Give its file with --data."
        raise BadInput(f"There are no candles of {asked}.", hint)
