"""What decisions came to: the bot's own closed trades, each with the decision that opened it."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, select

from engine.domain.outcomes import Outcome
from engine.domain.positions import EXTERNAL
from engine.store.decisions import Decisions
from engine.store.memory import NoMemory
from engine.store.tables import DecisionRow, PositionRow, table_of

_POSITIONS, _DECISIONS = table_of(PositionRow), table_of(DecisionRow)
_CLOSED = (
    select(_POSITIONS.c.id, _POSITIONS.c.closed_at, _POSITIONS.c.realised, _POSITIONS.c.fees, _DECISIONS.c.record)
    .join_from(_POSITIONS, _DECISIONS, _POSITIONS.c.decision_id == _DECISIONS.c.id)
    .where(_POSITIONS.c.closed_at.is_not(None), _POSITIONS.c.context != EXTERNAL)
    .order_by(_POSITIONS.c.closed_at, _POSITIONS.c.number)
)
_CLOSED_FROM = _CLOSED.where(_POSITIONS.c.closed_at >= bindparam("begin"))
_CLOSED_WITHIN = _CLOSED.where(_POSITIONS.c.closed_at > bindparam("begin"), _POSITIONS.c.closed_at <= bindparam("end"))


class Outcomes:
    """Reads ``positions`` and ``decisions`` together."""

    def __init__(self, connection: Connection, decisions: Decisions, memory: NoMemory) -> None:
        self._connection = connection
        self._decisions = decisions
        self._memory = memory

    def closed_from(self, begin: datetime | None) -> tuple[Outcome, ...]:
        """Those closed at a time or after it, in order; all of them without one."""
        return self._memory.get_or_load("positions", ("closed from", begin), lambda: self._load_from(begin))

    def closed_within(self, begin: datetime, end: datetime) -> tuple[Outcome, ...]:
        """Those closed in ``(begin, end]``, in order."""
        return self._those(_CLOSED_WITHIN, begin=begin, end=end)

    def _load_from(self, begin: datetime | None) -> tuple[Outcome, ...]:
        return self._those(_CLOSED) if begin is None else self._those(_CLOSED_FROM, begin=begin)

    def _those(self, query: Select[Any], **times: datetime) -> tuple[Outcome, ...]:
        self._decisions.write()  # a transaction of many closes has decided on what it sees close
        return tuple(map(_outcome, self._connection.execute(query, times)))


def _outcome(row: Row[Any]) -> Outcome:
    record = json.loads(row.record)  # three words of it: to make the whole record anew takes ten times as long
    decision = record["decision"]
    calibration = decision.get("calibration")
    return Outcome(
        position_id=row.id,
        strategy=decision["strategy"],
        timeframe=decision.get("timeframe", ""),
        confidence=float(calibration["measured"] if calibration else decision["confidence"]),
        won=row.realised > row.fees,
        heard=bool(record.get("opinions")),
        closed_at=row.closed_at,
    )
