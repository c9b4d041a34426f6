"""What was written down of orders before they were sent: our own record is the truth, never a cache of ccxt's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from engine.domain.orders import Order


class OrderRecord(Protocol):
    """The orders of one venue as they were written down."""

    async def unfinished(self) -> Sequence[Order]:
        """Those that are not final."""
        ...

    async def order(self, client_id: str) -> Order | None:
        """The one under a client id; ``None`` where there is none."""
        ...
