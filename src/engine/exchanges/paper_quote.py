"""What the paper venue's market says at one moment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from engine.domain.market import Book, Level, Market
from engine.domain.orders import Side
from engine.simulation import fills
from engine.simulation.fills import FillModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The price, what the last candle traded, and the order book where one was seen."""

    mid: Decimal
    volume: Decimal
    seen: Book | None = None

    def offered(self, side: Side, market: Market, model: FillModel) -> tuple[Level, ...]:
        """What an order on ``side`` can take, best price first."""
        if self.seen is not None:
            return fills.moved(side, self.mid, self.seen, market)
        return fills.levels(side, self.mid, self.volume, market, model)

    def book(self, market: Market, model: FillModel, at: datetime) -> Book | None:
        """The order book that orders meet: as it was seen, else as the model has it; ``None`` where nobody trades."""
        if self.seen is None or self.seen.mid == self.mid:
            return self.seen or fills.book(self.mid, self.volume, market, model, at)
        bids, asks = (self.offered(side, market, model) for side in (Side.SELL, Side.BUY))
        return replace(self.seen, bids=bids, asks=asks) if bids and asks else None
