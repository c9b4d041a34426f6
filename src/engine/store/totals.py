"""Counts over whole tables, for metrics: a few columns of each row, no objects."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from decimal import Decimal
from itertools import groupby

from sqlalchemy import Connection, bindparam, case, func, select

from engine.domain.model_ledger import CallState
from engine.domain.model_views import ModelTotals
from engine.domain.positions import EXTERNAL
from engine.domain.totals import Totals
from engine.store.tables import ApprovalRow, ModelCallRow, OrderRow, OutboxRow, PositionRow, Sequence, table_of

_POSITIONS, _SEQUENCES, _OUTBOX = table_of(PositionRow), table_of(Sequence), table_of(OutboxRow)
_APPROVALS, _ORDERS = table_of(ApprovalRow), table_of(OrderRow)
# Decimals are text in SQLite: they are added up here, exactly.
_TRADES = select(_POSITIONS.c.realised, _POSITIONS.c.fees, _POSITIONS.c.status, _POSITIONS.c.context)
_DECISIONS = select(_SEQUENCES.c.last).where(_SEQUENCES.c.prefix == "D")
_APPROVALS_BY_STATUS = select(_APPROVALS.c.status, func.count()).group_by(_APPROVALS.c.status)
_ORDERS_BY_STATUS = select(_ORDERS.c.status, func.count()).group_by(_ORDERS.c.status)
_IS_UNSENT = case((_OUTBOX.c.wanted_version > _OUTBOX.c.sent_version, 1), else_=0)
_UNSENT = select(_OUTBOX.c.platform, func.sum(_IS_UNSENT)).group_by(_OUTBOX.c.platform)

_CALLS = table_of(ModelCallRow)
_ASKED = (_CALLS.c.provider, _CALLS.c.model, _CALLS.c.purpose)
_SAID = (_CALLS.c.verdict, _CALLS.c.input_tokens, _CALLS.c.output_tokens, _CALLS.c.latency)
_CALLS_SINCE = (
    select(*_ASKED, *_SAID, func.coalesce(_CALLS.c.cost_usd, _CALLS.c.reserved_usd).label("usd"))
    .where(_CALLS.c.at >= bindparam("since"), _CALLS.c.state != CallState.IMPORTED)
    .order_by(*_ASKED)
)


def model_totals(connection: Connection, since: datetime) -> tuple[ModelTotals, ...]:
    """What the calls of language models since a time came to, by model and purpose."""
    found = connection.execute(_CALLS_SINCE, {"since": since}).all()
    return tuple(
        ModelTotals(
            provider=provider,
            model=model,
            purpose=purpose,
            verdicts=Counter(call.verdict for call in calls),
            input_tokens=sum(call.input_tokens or 0 for call in calls),
            output_tokens=sum(call.output_tokens or 0 for call in calls),
            usd=sum((call.usd for call in calls), Decimal(0)),
            latencies=tuple(sorted(call.latency for call in calls if call.latency is not None)),
        )
        for (provider, model, purpose), group in groupby(found, key=lambda call: (call[0], call[1], call[2]))
        if (calls := list(group))
    )


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
