"""Nobody is asked about futures, and nothing is said of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class NoDerivatives:
    """Knows of nothing, and holds nothing."""

    at_once: ClassVar[bool] = True

    async def funding(self, symbol: str) -> None:
        """Nothing."""

    async def open_interest(self, symbol: str) -> None:
        """Nothing."""

    async def long_short(self, symbol: str) -> None:
        """Nothing."""

    async def close(self) -> None:
        """There is nothing to let go of."""
