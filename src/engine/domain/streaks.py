"""Losses in a row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Streak:
    """Losses in a row of one strategy context.

    Attributes:
        since: When the first of them was closed.
        first, last: The ids of the first and the newest of the trades that lost.
        equity: Of the account when the first was opened.
        net: What they came to, after fees.
        ended_by: The trade that did not lose.
    """

    id: str
    context: str
    quote: str
    since: datetime
    first: str
    last: str
    equity: Decimal
    losses: int = 0
    net: Decimal = Decimal(0)
    ended_at: datetime | None = None
    ended_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """The losses in a row that a context is in.

    Attributes:
        newest_at: When the newest of them was closed; ``None`` without any.
    """

    count: int = 0
    newest_at: datetime | None = None


NO_LOSSES = Losses()
