"""What goes on beside everything else once it is written down: orders on their way to venues that take their time."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any

import structlog

from engine.domain.errors import GreenlightError
from engine.domain.orders import Order
from engine.execution.orchestrator import ExecutionOrchestrator
from engine.support.faults import fault_id

STOP_WITHIN = 2.0
"""Wall seconds that what is under way has to finish when the program stops."""

_log = structlog.get_logger(__name__)


class Background:
    """Work that nobody waits for but the end of the program.

    Whoever begins it has committed all that it needs: where it fails or is cut off, the jobs or the next start see to
    what it leaves.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def busy(self) -> bool:
        """Whether anything is under way."""
        return bool(self._tasks)

    def begin(self, what: str, work: Coroutine[Any, Any, None]) -> None:
        """Begin something; what it is called is for the log, where its failure is told."""
        task = asyncio.create_task(_guarded(what, work), name=what)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def send(self, orchestrator: ExecutionOrchestrator, orders: Iterable[Order]) -> None:
        """Send orders that are written down, each venue's in their order: one that is slow holds up only its own.

        What fails on the way is seen to by the orchestrator's second look, which sends nothing again.
        """
        by_venue: dict[str, list[Order]] = {}
        for order in orders:
            by_venue.setdefault(order.request.venue, []).append(order)
        for own in by_venue.values():
            self.begin(f"sending {', '.join(order.id for order in own)}", _send(orchestrator, own))

    async def finished(self) -> None:
        """Return once nothing is under way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def stop(self, within: float = STOP_WITHIN) -> None:
        """Let what is under way finish, within so many wall seconds, and cut off the rest."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within)
        left = tuple(self._tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


async def _send(orchestrator: ExecutionOrchestrator, orders: Iterable[Order]) -> None:
    """Send one after the other, whatever becomes of the one before."""
    for order in orders:
        await _guarded(f"sending {order.id}", orchestrator.send(order))


async def _guarded(what: str, work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except GreenlightError as error:
        _log.warning("left to a second look", what=what, detail=error.message)
    except Exception:  # noqa: BLE001 - the boundary of a task: nobody else hears of it
        _log.exception("failed in the background", what=what, reference=fault_id())
