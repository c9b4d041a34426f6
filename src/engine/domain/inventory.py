"""What was on an account before its books were opened."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from engine.domain.orders import OrderState


class Rule(StrEnum):
    """What is done with what was there before."""

    ADOPT = "adopt"
    """Counted in equity as somebody else's positions; the bot trades none of it."""
    IGNORE = "ignore"
    """Left beside: neither counted nor traded."""
    REFUSE = "refuse"
    """The start is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A currency that was there, other than the account's own.

    Attributes:
        price: What one of it was worth in the quote currency; ``None`` where no market of the program says.
        position_id: The position as which it is counted; empty where it is not.
    """

    currency: str
    quantity: Decimal
    price: Decimal | None = None
    position_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """What a venue had of an account when its books were opened.

    Attributes:
        quote: The account's currency.
        cash: What there was of that.
        orders: What was open there: somebody else's, or of an earlier database.
        adopted: Whether what there was of other currencies counts, as far as it has a price.
    """

    venue: str
    quote: str
    cash: Decimal
    holdings: tuple[Holding, ...] = ()
    orders: tuple[OrderState, ...] = ()
    adopted: bool = False

    @property
    def is_used(self) -> bool:
        """Whether there was anything beside cash."""
        return bool(self.holdings or self.orders)
