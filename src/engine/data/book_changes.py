"""An order book that is told of by its changes."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from typing import NamedTuple

Side = Sequence[tuple[float, float]]
"""Prices and quantities; of a change, a quantity of 0 is a price at which nobody is any more."""


class Change(NamedTuple):
    """Some prices with what is there now.

    Attributes:
        sides: Of bids and asks.
        first, last: The numbers of the updates in it.
        before: That of the last one of the change before; below 0 where it does not say.
    """

    sides: tuple[Side, Side]
    first: int
    last: int
    before: int = -1


class ChangingBook:
    """A book as far as it is known: not before ``begin``, and not after a change that is missing."""

    def __init__(self) -> None:
        self._prices: tuple[list[float], list[float]] = ([], [])
        self._quantities: tuple[dict[float, float], dict[float, float]] = ({}, {})
        self._last: int | None = None

    @property
    def is_known(self) -> bool:
        """Whether the whole of it is known and both sides have somebody."""
        return self._last is not None and all(self._prices)

    def begin(self, sides: tuple[Side, Side], last: int) -> None:
        """Take the whole book, as it was after an update."""
        self._prices, self._quantities = ([], []), ({}, {})
        self._put(sides)
        self._last = last

    def change(self, change: Change) -> None:
        """Take a change; one that the book has already changes nothing, and one after a gap makes it unknown."""
        if self._last is None or change.last <= self._last:
            return
        follows = change.before == self._last or change.first <= self._last + 1
        if not follows:
            self._last = None
            return
        self._put(change.sides)
        self._last = change.last

    def best(self, count: int) -> tuple[Side, Side]:
        """The best bids and asks, best first."""
        (bids, asks), (bid, ask) = self._prices, self._quantities
        return [(each, bid[each]) for each in bids[: -count - 1 : -1]], [(each, ask[each]) for each in asks[:count]]

    def _put(self, sides: tuple[Side, Side]) -> None:
        for side, prices, quantities in zip(sides, self._prices, self._quantities, strict=True):
            for price, quantity in side:
                if quantity and price not in quantities:
                    insort(prices, price)
                if quantity:
                    quantities[price] = quantity
                elif quantities.pop(price, None) is not None:
                    del prices[bisect_left(prices, price)]
