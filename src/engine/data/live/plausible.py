"""Which order books are believed: one that is far from all that is known of its market has to be seen twice.

A single answer can be wrong and still be a book (one side scaled, an old cache, another market's). Entries are
protected from it by the limits of risk; stops and targets must be as well, or one wrong answer sells everything.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from engine.domain.market import Book, Candles
from engine.simulation import path


@dataclass(frozen=True, slots=True, kw_only=True)
class BookLimits:
    """What entries are protected by as well.

    Attributes:
        max_spread: The widest spread that is believed at once, as a fraction of the mid price.
        max_price_gap: The farthest the mid may be from what is known, as a fraction of that.
    """

    max_spread: Decimal
    max_price_gap: Decimal

    def is_near(self, book: Book, other: Book) -> bool:
        """Whether a book is about the same as another one: its mid near, its spread not much wider."""
        near = abs(book.mid - other.mid) <= self.max_price_gap * other.mid
        return near and _spread(book) <= _spread(other) + self.max_spread

    def is_within(self, book: Book, candles: Candles) -> bool:
        """Whether a book stands where the market has traded, by its newest candles."""
        traded = path.sound(candles)
        if not len(traded) or _spread(book) > self.max_spread:
            return False
        low, high = Decimal(repr(float(traded.low.min()))), Decimal(repr(float(traded.high.max())))
        return low * (1 - self.max_price_gap) <= book.mid <= high * (1 + self.max_price_gap)


@dataclass(slots=True, kw_only=True)
class Doubts:
    """What was last believed of one market, and what was last doubted since."""

    limits: BookLimits
    believed: Book | None = None
    doubted: Book | None = None

    def is_plausible(self, book: Book) -> bool:
        """Whether a book agrees with the last one that was believed, or with a doubted one since.

        Two in a row that have left it to the same side agree, however far: a crash does not stand still to be seen.
        """
        if self.believed is not None and self.limits.is_near(book, self.believed):
            return True
        if self.doubted is None:
            return False
        return self.limits.is_near(book, self.doubted) or self._has_gone_with(self.doubted, book)

    def _has_gone_with(self, first: Book, second: Book) -> bool:
        gap, known = self.limits.max_price_gap, self.believed
        if known is None:
            return False
        left = [(book.mid - known.mid) / known.mid for book in (first, second)]
        return min(left) > gap or max(left) < -gap

    def believe(self, book: Book) -> None:
        """It is what the market shows."""
        self.believed, self.doubted = book, None

    def doubt(self, book: Book) -> None:
        """It may be wrong; the next one tells."""
        self.doubted = book


def _spread(book: Book) -> Decimal:
    return (book.ask - book.bid) / book.mid
