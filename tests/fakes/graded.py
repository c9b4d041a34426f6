"""Trades of the past that have closed, as a store keeps them, with the confidence that each was decided with."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from engine.domain.autonomy import Execute
from engine.domain.decisions import Opinion
from engine.store.unit_of_work import UnitOfWork
from tests.fakes import reports


def close_trades(
    uow: UnitOfWork,
    trades: Iterable[tuple[float, bool]],
    *,
    begin: datetime,
    opinions: tuple[Opinion, ...] = (),
    context: str = "btc_momentum",
    **of: Any,
) -> None:
    """Keep closed trades, one a minute: the confidence of each, and whether it was won.

    Args:
        uow: Where.
        trades: What they came to.
        begin: When the first closed.
        opinions: What a panel said of each.
        context: Whose positions they are.
        of: What their decisions are of: ``strategy``, ``timeframe``.
    """
    for minute, (confidence, won) in enumerate(trades):
        at = begin + timedelta(minutes=minute)
        number = uow.decisions.next_id()
        decided = reports.decision(id=number, key=f"past|{number}", confidence=confidence, at=at, **of)
        uow.decisions.add(reports.judged(decision=decided, ruling=Execute(plan=reports.plan()), opinions=opinions))
        position = reports.closed_position(
            id=uow.positions.next_id(),
            context=context,
            realised=Decimal("6.17") if won else Decimal("0.25"),  # the fees are as much: that is not won
            opened_at=at,
            closed_at=at,
        )
        uow.positions.put(position, number)
