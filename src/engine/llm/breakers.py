"""A breaker for each provider: one that fails again and again is left alone for a while.

closed ─▶ (failures in a row) ─▶ opened ─▶ (a while later, the next call tries) ─▶ closed, or opened again
"""

from __future__ import annotations

import asyncio

from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.model import CLOSED as CLOSED  # noqa: PLC0414 - the state of one that is asked
from purgatory.domain.model import Context, OpenedState
from purgatory.service._async.circuitbreaker import AsyncCircuitBreaker

from engine.domain.errors import ModelError
from engine.domain.model_calls import ModelFault

THRESHOLD = 5
"""Failures in a row after which a provider is left alone."""
LEAVE_ALONE = 60.0
"""Wall seconds for which it is."""

IsOpen = OpenedState
"""What is raised in place of a call."""


def _ours(error: BaseException) -> bool:
    """Whether it was the question's fault and not the provider's."""
    return isinstance(error, ModelError) and error.fault is ModelFault.REQUEST


class Breakers:
    """One breaker a provider.

    Args:
        threshold: Failures in a row after which one is left alone.
        leave_alone: Wall seconds for which it is.
    """

    def __init__(self, *, threshold: int = THRESHOLD, leave_alone: float = LEAVE_ALONE) -> None:
        self._made = AsyncCircuitBreakerFactory(
            default_threshold=threshold,
            default_ttl=leave_alone,
            exclude=[asyncio.CancelledError, (ModelError, _ours)],
        )
        self._known: dict[str, Context] = {}

    async def of(self, provider: str) -> AsyncCircuitBreaker:
        """A provider's, to be entered for a call; entering it raises ``IsOpen`` while the provider is left alone."""
        breaker = await self._made.get_breaker(provider)
        self._known[provider] = breaker.context
        return breaker

    async def leaves_alone(self, provider: str) -> bool:
        """Whether a provider is left alone now; to be asked before anything is set aside for a call."""
        breaker = await self.of(provider)
        try:
            breaker.context.handle_new_request()
        except IsOpen as error:
            error.__traceback__ = None  # it is the same one each time, and would grow
            return True
        return False

    def state(self, provider: str) -> str:
        """``closed`` where it is asked, ``opened`` while it is left alone, ``half-opened`` while it is tried."""
        known = self._known.get(provider)
        return known.state if known is not None else CLOSED
