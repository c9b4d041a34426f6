"""Where an entry may go: what each venue offers for it, and what was compared when one was chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from engine.domain.market import Book, Market

AS_MUCH = Decimal("0.99")
"""What takes so much of the most that any venue takes counts as taking as much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a venue has for an entry now.

    Attributes:
        market, book: ``None`` where it does not trade it, or gives no book.
        fee: What a fill costs there, as a fraction of its value.
        why_not: Why no order may go there; empty where one may.
    """

    venue: str
    market: Market | None = None
    book: Book | None = None
    fee: Decimal = Decimal(0)
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What an entry would come to at a venue.

    Attributes:
        quantity: What the risk rules and the balance leave of it there, in the base currency.
        price: All-in: the mean price of so much from level to level of the book, with the fee; in the quote currency.
            ``None`` where nothing would be bought there.
        why_not: Why nothing would be.
    """

    venue: str
    quantity: Decimal = Decimal(0)
    price: Decimal | None = None
    why_not: str = ""


def best_of(quotes: Sequence[Quote]) -> Quote | None:
    """The one with the best all-in price among those that take as much as any; of equals the first.

    ``None`` where nothing would be bought anywhere.
    """
    most = max((quote.quantity for quote in quotes if quote.price is not None), default=Decimal(0))
    priced = [(quote.price, quote) for quote in quotes if quote.price is not None]
    taking = [(price, quote) for price, quote in priced if quote.quantity >= most * AS_MUCH]
    return min(taking, key=lambda each: each[0], default=(Decimal(0), None))[1]
