"""Counts over whole tables, for metrics: a few columns of each row, no objects."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import Connection, case, func, select

from engine.domain.positions import EXTERNAL
from engine.domain.totals import Totals
from engine.store.tables import ApprovalRow, OrderRow, OutboxRow, PositionRow, Sequence, table_of

_POSITIONS, _SEQUENCES, _OUTBOX = table_of(PositionRow), table_of(Sequence), table_of(OutboxRow)
_APPROVALS, _ORDERS = table_of(ApprovalRow), table_of(OrderRow)
# Decimals are text in SQLite: they are added up here, exactly.
_TRADES = select(_POSITIONS.c.realised, _POSITIONS.c.fees, _POSITIONS.c.status, _POSITIONS.c.context)
_DECISIONS = select(_SEQUENCES.c.last).where(_SEQUENCES.c.prefix == "D")
_APPROVALS_BY_STATUS = select(_APPROVALS.c.status, func.count()).group_by(_APPROVALS.c.status)
_ORDERS_BY_STATUS = select(_ORDERS.c.status, func.count()).group_by(_ORDERS.c.status)
_IS_UNSENT = case((_OUTBOX.c.wanted_version > _OUTBOX.c.sent_version, 1), else_=0)
_UNSENT = select(_OUTBOX.c.platform, func.sum(_IS_UNSENT)).group_by(_OUTBOX.c.platform)


def totals(connection: Connection) -> Totals:
    """What everything comes to by now."""
    trades = connection.execute(_TRADES).all()
    nets = [each.realised - each.fees for each in trades if each.status == "closed" and each.context != EXTERNAL]
    return Totals(
        closed=len(nets),
        won=sum(net > 0 for net in nets),
        net=sum(nets, Decimal(0)),
        fees=sum((each.fees for each in trades), Decimal(0)),
        decisions=connection.execute(_DECISIONS).scalar() or 0,  # those that retention has let go count too
        approvals=dict(connection.execute(_APPROVALS_BY_STATUS).all()),
        orders=dict(connection.execute(_ORDERS_BY_STATUS).all()),
        unsent=dict(connection.execute(_UNSENT).all()),
    )
