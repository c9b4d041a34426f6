"""What the database lets go of: what nothing is decided by any more, by its age and kind.

Orders, fills, positions, approvals, digests, and every decision that led to one of them, stay for ever; so do emergency
stops, and the halts of markets that have changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, Connection, Delete, Row, Table, and_, bindparam, delete, select
from sqlalchemy.sql import ColumnElement

from engine.domain.halts import HaltKind
from engine.store.old_cards import let_go_cards
from engine.store.settings import Settings
from engine.store.tables import (
    AuditRow,
    ChatMessageRow,
    DecisionRow,
    DeliveryRow,
    EquityRow,
    EventRow,
    HaltRow,
    ModelCallRow,
    PredictionRow,
    ReadingsRow,
    SentimentReadingRow,
    SentimentTextRow,
    table_of,
)
from engine.store.unit_of_work import UnitOfWork

AT_ONCE = 2000
"""How many rows of a kind one transaction lets go: others want to write as well."""
GRID = timedelta(minutes=15)
"""How far the points of the equity curve are apart once they are old; the steps of every time zone are whole ones."""
LET_GO = ("held", "refused")
"""The statuses of decisions that led to nothing."""
ASKED_FOR = (HaltKind.CHANGED, HaltKind.EMERGENCY)
"""The kinds of halts that are asked for long after their end: what was accepted of a market, what a stop has sold."""
_GRID_DONE = "retention.equity"
_DECISIONS, _EQUITY, _EVENTS = table_of(DecisionRow), table_of(EquityRow), table_of(EventRow)
_READINGS, _HALTS = table_of(ReadingsRow), table_of(HaltRow)
_TEXTS, _SAID = table_of(SentimentTextRow), table_of(SentimentReadingRow)
_PREDICTIONS = table_of(PredictionRow)
_AUDIT, _CHAT, _DELIVERIES = table_of(AuditRow), table_of(ChatMessageRow), table_of(DeliveryRow)
_MODEL_CALLS = table_of(ModelCallRow)
_BEFORE: BindParameter[datetime] = bindparam("before")


def _some(table: Table, which: ColumnElement[bool]) -> Delete:
    """Lets go of at most so many of the rows that are meant."""
    (key,) = table.primary_key
    return delete(table).where(key.in_(select(key).where(which).limit(AT_ONCE)))


_THIN_READINGS = _some(_READINGS, and_(_READINGS.c.held, _READINGS.c.at < _BEFORE))
_OLD_EVENTS = _some(_EVENTS, _EVENTS.c.at < _BEFORE)
_OLD_HALTS = _some(_HALTS, and_(_HALTS.c.kind.not_in(ASKED_FOR), _HALTS.c.ended_at < _BEFORE))
_OLD_CHAT = _some(_CHAT, _CHAT.c.at < _BEFORE)
_OLD_DELIVERIES = _some(_DELIVERIES, _DELIVERIES.c.wall_at < _BEFORE)
_OLD_AUDIT = _some(_AUDIT, _AUDIT.c.wall_at < _BEFORE)
_OLD_MODEL_CALLS = _some(_MODEL_CALLS, _MODEL_CALLS.c.at < _BEFORE)
_OLD_SENTIMENT = tuple(delete(table).where(table.c.known_at < _BEFORE) for table in (_TEXTS, _SAID))
_OLD_PREDICTIONS = delete(_PREDICTIONS).where(_PREDICTIONS.c.made_at < _BEFORE)
_OLD_RULE_PREDICTIONS = delete(_PREDICTIONS).where(_PREDICTIONS.c.is_offline, _PREDICTIONS.c.graded_at < _BEFORE)
_OLD_DECISIONS = (
    select(_DECISIONS.c.id).where(_DECISIONS.c.status == bindparam("status"), _DECISIONS.c.at < _BEFORE).limit(AT_ONCE)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long each kind is kept; ``None`` for ever.

    Attributes:
        held_readings: The indicator readings of decisions that held; their conditions and reasons stay.
        held: Decisions that held, altogether.
        refused: Decisions that were refused at once: no order and no approval came of them.
        equity: Every point of the equity curve; after that one each quarter of an hour.
        events: What happened, as facts; what came of it is kept by itself.
        halts: Halts that have ended, and times when a platform was not well.
        sentiment: Texts and figures of the sources of sentiment.
        predictions: What was predicted, with what came of it.
        rule_predictions: Those of the offline analyst, once it is known what came of them: rules say the same again.
        cards: Where the cards of what is over are shown; they stay there as they are.
        chat: Messages of the web chat, in wall time as those below.
        deliveries: The ids of what was acted on, so that nothing counts twice.
        audit: What people did or tried.
        model_calls: What language models were asked and answered; what they cost stays, by day.
    """

    held_readings: timedelta | None = timedelta(days=2)
    held: timedelta | None = timedelta(days=30)
    refused: timedelta | None = timedelta(days=365)
    equity: timedelta | None = timedelta(days=90)
    events: timedelta | None = timedelta(days=365)
    halts: timedelta | None = timedelta(days=730)
    sentiment: timedelta | None = timedelta(days=365)
    predictions: timedelta | None = timedelta(days=365)
    rule_predictions: timedelta | None = timedelta(days=30)
    cards: timedelta | None = timedelta(days=90)
    chat: timedelta | None = timedelta(days=90)
    deliveries: timedelta | None = timedelta(days=30)
    audit: timedelta | None = timedelta(days=730)
    model_calls: timedelta | None = timedelta(days=90)


def forgotten(settings: Settings, status: str) -> int:
    """How many decisions of a status were let go."""
    return int(settings.get(f"retention.{status}") or 0)


def let_go(uow: UnitOfWork, retention: Retention, now: datetime, wall: datetime) -> bool:
    """Let go of what is old enough, or of as much of it as one transaction does; whether more is left.

    Args:
        uow: The transaction in which they go.
        retention: How long each kind is kept.
        now: The market's time.
        wall: The wall clock's.
    """
    connection, settings = uow.connection, uow.settings
    parts = (
        _older(connection, _THIN_READINGS, retention.held_readings, now),
        _decisions(connection, settings, "held", retention.held, now),
        _decisions(connection, settings, "refused", retention.refused, now),
        _thin_equity(connection, settings, retention.equity, now),
        _older(connection, _OLD_EVENTS, retention.events, now),
        *(_older(connection, old, retention.sentiment, now) for old in _OLD_SENTIMENT),
        _older(connection, _OLD_PREDICTIONS, retention.predictions, now),
        _older(connection, _OLD_RULE_PREDICTIONS, retention.rule_predictions, now),
        _cards(uow, retention.cards, now, wall),
        _halts(uow, retention.halts, now),
        _older(connection, _OLD_CHAT, retention.chat, wall),
        _older(connection, _OLD_DELIVERIES, retention.deliveries, wall),
        _older(connection, _OLD_AUDIT, retention.audit, wall),
        _model_calls(uow, retention.model_calls, wall),
    )
    return max(parts) >= AT_ONCE


def _decisions(connection: Connection, settings: Settings, status: str, kept: timedelta | None, now: datetime) -> int:
    if kept is None:
        return 0
    old = list(connection.execute(_OLD_DECISIONS, {"status": status, "before": now - kept}).scalars())
    if not old:
        return 0
    connection.execute(delete(_READINGS).where(_READINGS.c.decision_id.in_(old)))
    connection.execute(delete(_DECISIONS).where(_DECISIONS.c.id.in_(old)))
    settings.set(f"retention.{status}", str(forgotten(settings, status) + len(old)))
    return len(old)


def _thin_equity(connection: Connection, settings: Settings, kept: timedelta | None, now: datetime) -> int:
    """Keep the points on the grid, and of each step the one furthest below the peak.

    Those before the last run's end have been looked at.
    """
    if kept is None:
        return 0
    done, at = settings.get(_GRID_DONE), _EQUITY.c.at
    query = select(at, _EQUITY.c.drawdown).where(at < now - kept).order_by(at).limit(AT_ONCE)
    looked_at = connection.execute(query.where(at > datetime.fromisoformat(done)) if done else query).all()
    if not looked_at:
        return 0
    lowest: dict[datetime, Row[Any, Any]] = {}
    for point in looked_at:
        step = _on_grid(point.at)
        if step not in lowest or point.drawdown > lowest[step].drawdown:
            lowest[step] = point
    between = [
        point.at for point in looked_at if point.at != _on_grid(point.at) and point is not lowest[_on_grid(point.at)]
    ]
    if between:
        connection.execute(delete(_EQUITY).where(at.in_(between)))
    settings.set(_GRID_DONE, looked_at[-1].at.isoformat())
    return len(looked_at)


def _on_grid(at: datetime) -> datetime:
    return at - (at - datetime.min.replace(tzinfo=at.tzinfo)) % GRID


def _model_calls(uow: UnitOfWork, kept: timedelta | None, wall: datetime) -> int:
    if kept is None:
        return 0
    uow.model_budgets.let_go(wall - kept)
    return _older(uow.connection, _OLD_MODEL_CALLS, kept, wall)


def _cards(uow: UnitOfWork, kept: timedelta | None, now: datetime, wall: datetime) -> int:
    if kept is None:
        return 0
    before = now - kept
    kept_apart = (
        uow.troubles,
        uow.streaks,
        uow.unmanaged,
        uow.closings,
        uow.adjuster_notices,
        uow.live_notices,
        uow.payment_notices,
        uow.policy_proposals,
    )
    going_on = frozenset[str]().union(*(each.not_over_by(before) for each in kept_apart))
    going_on |= uow.model_budgets.not_over_by(wall - kept)
    return let_go_cards(uow.connection, before, going_on, AT_ONCE)


def _halts(uow: UnitOfWork, kept: timedelta | None, now: datetime) -> int:
    if kept is None:
        return 0
    uow.troubles.let_go(now - kept)
    uow.streaks.let_go(now - kept)
    uow.unmanaged.let_go(now - kept)
    uow.adjuster_notices.let_go(now - kept)
    uow.live_notices.let_go(now - kept)
    uow.payment_notices.let_go(now - kept)
    uow.policy_proposals.let_go(now - kept)
    return _older(uow.connection, _OLD_HALTS, kept, now)


def _older(connection: Connection, let_go_of: Delete, kept: timedelta | None, now: datetime) -> int:
    return 0 if kept is None else connection.execute(let_go_of, {"before": now - kept}).rowcount
