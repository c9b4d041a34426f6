"""Order books that were recorded, by market: which one was the newest at a moment."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from engine.data.book_files import RecordedBook, books_in
from engine.data.files import symbol_of
from engine.domain.errors import DataError
from engine.domain.market import Book, Level

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RecordedBooks:
    """The books of a market, oldest first.

    Attributes:
        max_age: How old one may be and still stands for that of now.
    """

    symbol: str
    max_age: timedelta
    books: Sequence[RecordedBook]
    _at: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_at", np.array([each.at_us for each in self.books], dtype=np.int64))

    def newest(self, now: datetime) -> Book | None:
        """The newest one not later than a moment; ``None`` where that is too old, or there is none."""
        index = int(self._at.searchsorted((now - _EPOCH) // _MICROSECOND, side="right")) - 1
        if index < 0:
            return None
        found = self.books[index]
        at = _EPOCH + found.at_us * _MICROSECOND
        if now - at > self.max_age or not found.bids or not found.asks:
            return None
        return Book(symbol=self.symbol, at=at, bids=_levels(found.bids), asks=_levels(found.asks))

    @property
    def fingerprint(self) -> str:
        """What they are in 32 characters: others have others."""
        told = repr([(each.at_us, tuple(each.bids), tuple(each.asks)) for each in self.books])
        return hashlib.blake2b(f"{self.symbol} {self.max_age} {told}".encode(), digest_size=16).hexdigest()


def read_books(files: Iterable[Path], max_age: timedelta) -> dict[str, RecordedBooks]:
    """The books of every market of some files.

    Raises:
        DataError: A file has none, cannot be read, or is something else.
    """
    found: dict[str, list[RecordedBook]] = {}
    for file in files:
        books = list(books_in(file))
        for book in books:
            found.setdefault(symbol_of(book.symbol, file), []).append(book)
        if not books:
            raise DataError(f"{file}: no whole order book is in it.", "Give a file that begins with a snapshot.")
    return {
        symbol: RecordedBooks(symbol=symbol, max_age=max_age, books=sorted(books, key=lambda each: each.at_us))
        for symbol, books in found.items()
    }


def _levels(side: Iterable[tuple[float, float]]) -> tuple[Level, ...]:
    return tuple(Level(price=Decimal(repr(price)), quantity=Decimal(repr(quantity))) for price, quantity in side)
