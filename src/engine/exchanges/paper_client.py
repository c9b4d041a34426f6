"""Whose orders the paper venue takes, as far as it matters to what is written first."""

from __future__ import annotations

from typing import Protocol


class Client(Protocol):
    """It may hold back what it writes, until the venue is about to write something itself."""

    @property
    def waiting(self) -> bool:
        """Whether it holds anything back."""
        ...

    async def flush(self) -> None:
        """Write it."""
        ...


class PromptClient:
    """One that writes everything at once."""

    waiting = False

    async def flush(self) -> None:
        """Nothing is held back."""
