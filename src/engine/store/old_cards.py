"""Where cards of what is long over are shown: nothing edits them any more, and nothing is put under them.

A card stays where it is; what goes is that anybody knows where. What is not shown as it should be waits, however old.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import (
    BindParameter,
    Connection,
    Integer,
    Table,
    Text,
    and_,
    bindparam,
    cast,
    delete,
    func,
    literal,
    not_,
    or_,
    select,
)
from sqlalchemy.sql import ColumnElement

from engine.domain.closing import TOPIC as CLOSING
from engine.domain.confirmations import TOPIC as CONFIRM
from engine.domain.orders import OrderStatus
from engine.store.outbox import EMERGENCY_ANSWER
from engine.store.tables import (
    ApprovalRow,
    CapitalStageRow,
    ConfirmationRow,
    DigestRow,
    HaltRow,
    OrderRow,
    OutboxRow,
    PositionRow,
    table_of,
)

_OUTBOX, _APPROVALS, _POSITIONS = table_of(OutboxRow), table_of(ApprovalRow), table_of(PositionRow)
_HALTS, _ORDERS, _DIGESTS = table_of(HaltRow), table_of(OrderRow), table_of(DigestRow)
_CONFIRMATIONS, _STAGES = table_of(ConfirmationRow), table_of(CapitalStageRow)
_TOPIC = _OUTBOX.c.topic
_IS_SHOWN = _OUTBOX.c.wanted_version <= _OUTBOX.c.sent_version
_UNDER_WAY = _ORDERS.c.status.in_([status for status in OrderStatus if not status.final])


_BEFORE: BindParameter[datetime] = bindparam("before")
_GOING_ON: BindParameter[str] = bindparam("going_on", expanding=True)
_ANSWER_TOPIC = literal(f"{EMERGENCY_ANSWER}:").concat(_HALTS.c.id).concat("/")
_KEPT_APART = ("platform", "streak", "unmanaged", "budget", "adjuster", "live", "payment", "policy", CLOSING)


def _since(over: ColumnElement[datetime | None]) -> ColumnElement[bool]:
    """Whether something is not over, or was not by then."""
    return or_(over.is_(None), over >= _BEFORE)


def _is(kind: str) -> ColumnElement[bool]:
    return _TOPIC.startswith(f"{kind}:")


def _without(kind: str, table: Table, needed: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether a topic is of a kind, and there is no subject of it that is still needed."""
    subject = func.substr(_TOPIC, len(kind) + 2)
    return and_(_is(kind), not_(select(table.c.id).where(table.c.id == subject, needed).exists()))


_HELD, _STANDING = _since(_POSITIONS.c.closed_at), _since(_HALTS.c.ended_at)
_ASKED = or_(
    _since(_APPROVALS.c.settled_at),
    _APPROVALS.c.decision_id.in_(select(_POSITIONS.c.decision_id).where(_HELD)),
    _APPROVALS.c.id.in_(select(_ORDERS.c.approval_id).where(_UNDER_WAY)),
)
IS_OLD: Mapping[str, ColumnElement[bool]] = {
    "approval": _without("approval", _APPROVALS, _ASKED),
    **{kind: _without(kind, _POSITIONS, _HELD) for kind in ("trade", "closed", "unprotected", "moved")},
    **{kind: _without(kind, _HALTS, _STANDING) for kind in ("halt", "recovery", "emergency")},
    EMERGENCY_ANSWER: and_(
        _is(EMERGENCY_ANSWER),
        not_(select(_HALTS.c.id).where(_TOPIC.startswith(_ANSWER_TOPIC), _STANDING).exists()),
    ),
    **{
        kind: _without(kind, _ORDERS, or_(_UNDER_WAY, _ORDERS.c.updated_at >= _BEFORE)) for kind in ("external", "part")
    },
    CONFIRM: _without(CONFIRM, _CONFIRMATIONS, _since(_CONFIRMATIONS.c.settled_at)),
    "capital": and_(
        _is("capital"),
        not_(
            select(_STAGES.c.number)
            .where(cast(_STAGES.c.number, Text) == func.substr(_TOPIC, len("capital:") + 1), _STAGES.c.at >= _BEFORE)
            .exists()
        ),
    ),
    "digest": _without("digest", _DIGESTS, _DIGESTS.c.ends >= _BEFORE),
    **{kind: and_(_is(kind), _TOPIC.not_in(_GOING_ON)) for kind in _KEPT_APART},
}
"""For each kind of topic that is ever over, when a row of the outbox is about one that was by then."""
_NUMBER = _OUTBOX.c.number
_LET_GO = delete(_OUTBOX).where(
    _NUMBER.in_(select(_NUMBER).where(_IS_SHOWN, or_(*IS_OLD.values())).limit(bindparam("at_most", type_=Integer)))
)


def let_go_cards(connection: Connection, before: datetime, going_on: Collection[str], limit: int) -> int:
    """Forget where what is over is shown.

    Args:
        connection: The writer's.
        before: What was over by then goes, in market time.
        going_on: The ids of the platforms' troubles, of the losing streaks, of the times in which no strategy manages
            a position, of the models' budgets, of what kept a policy from being asked, of starts with real orders, of
            payments, and of the wishes to close that were not.
        limit: How many rows go at the most.

    Returns:
        How many went.
    """
    topics = [f"{kind}:{each}" for kind in _KEPT_APART for each in going_on]
    return connection.execute(_LET_GO, {"before": before, "going_on": topics, "at_most": limit}).rowcount
