"""Coming back: after a start, however the last run ended, the database agrees with the venue before anything trades."""

from __future__ import annotations

from engine.domain.trading import OrderStatus
from engine.execution.orchestrator import ExecutionOrchestrator
from engine.store.database import Database

_IN_DOUBT = (OrderStatus.INTENT, OrderStatus.UNKNOWN)


async def reconcile(store: Database, orchestrator: ExecutionOrchestrator) -> int:
    """Ask for every order in doubt, take in what happened meanwhile, and protect every position.

    Returns:
        How many orders were in doubt.
    """
    unfinished = await store.read(lambda uow: uow.orders.unfinished())
    doubtful = [order for order in unfinished if order.status in _IN_DOUBT]
    for order in doubtful:
        await orchestrator.find(order)
    await orchestrator.pump()
    await orchestrator.restore_protection()
    return len(doubtful)
