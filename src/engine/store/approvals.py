"""Approvals, changed by compare-and-swap only."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from engine.domain import approvals as states
from engine.domain.approvals import Approval
from engine.domain.errors import UnknownId
from engine.domain.plans import TradePlan
from engine.store import codec
from engine.store.memory import NoMemory
from engine.store.numbering import Numbering
from engine.store.tables import ApprovalRow, key_of, newest_first, table_of

_STATES: dict[str, type[Any]] = {
    kind.__name__.lower(): kind
    for kind in (states.Pending, states.Claimed, states.Ordered, states.Declined, states.Refused, states.Expired)
}
_IS_OPEN = ["pending", "claimed"]
_TABLE = table_of(ApprovalRow)
_ROW = select(_TABLE).where(*key_of(_TABLE))
_OF_DECISION = select(_TABLE).where(_TABLE.c.decision_id == bindparam("decision_id"))
_OPEN = select(_TABLE).where(_TABLE.c.status.in_(_IS_OPEN)).order_by(_TABLE.c.number)
_OPEN_IDS = select(_TABLE.c.id).where(_TABLE.c.status.in_(_IS_OPEN)).order_by(_TABLE.c.number)
_ADD = insert(_TABLE)
_SWAP = update(_TABLE).where(
    *key_of(_TABLE), _TABLE.c.status == bindparam("its_status"), _TABLE.c.version == bindparam("its_version")
)

_LAST_ANSWERED_AT = (
    select(_TABLE.c.settled_at)
    .where(_TABLE.c.status.in_(("ordered", "declined", "refused")))
    .order_by(_TABLE.c.settled_at.desc())
    .limit(1)
)
_ASKED_AT = select(_TABLE.c.asked_at).order_by(_TABLE.c.number).limit(1)


class Approvals:
    """The ``approvals`` table."""

    def __init__(self, connection: Connection, numbering: Numbering, memory: NoMemory) -> None:
        self._connection = connection
        self._numbering = numbering
        self._memory = memory

    def next_id(self) -> str:
        """An id for the next approval."""
        return f"A{self._numbering.next('A')}"

    def add(self, approval: Approval) -> None:
        """Keep a new approval of a decision that has been added."""
        new = {
            "id": approval.id,
            "number": int(approval.id[1:]),
            "decision_id": approval.decision_id,
            "context": approval.plan.context,
            "symbol": approval.plan.symbol,
            "asked_at": approval.asked_at,
            "expires_at": approval.expires_at,
            "votes_needed": approval.votes_needed,
            "plan": codec.dump(approval.plan),
            "status": approval.status,
            "version": approval.version,
            "state": codec.dump(approval.state),
        }
        self._connection.execute(_ADD, new)

    def swap(self, before: Approval, after: Approval) -> bool:
        """Put one version in the place of another; whether it was still the one that is stored.

        This is the compare-and-swap that lets exactly one press win, whichever platform or process it came by.
        """
        expected = {"its_id": before.id, "its_status": before.status, "its_version": before.version}
        values = {
            "status": after.status,
            "version": after.version,
            "state": codec.dump(after.state),
            "settled_at": None if after.is_open else getattr(after.state, "at", None),
        }
        return self._connection.execute(_SWAP, expected | values).rowcount == 1

    def get(self, approval_id: str) -> Approval:
        """One approval.

        Raises:
            UnknownId: There is none with that id.
        """
        row = self._connection.execute(_ROW, {"its_id": approval_id}).first()
        if row is None:
            raise UnknownId(f"There is no approval {approval_id}.", "See /pending for the open ones.")
        return _approval(row)

    def of_decision(self, decision_id: str) -> Approval | None:
        """The approval that a decision asked for, if it did."""
        row = self._connection.execute(_OF_DECISION, {"decision_id": decision_id}).first()
        return _approval(row) if row else None

    def open(self) -> tuple[Approval, ...]:
        """Those that wait for people or for their judgement, oldest first."""
        return self._memory.get_or_load("approvals", "open", self._load)

    def open_ids(self) -> tuple[str, ...]:
        """The ids of those, for whoever asks all the time."""
        return self._memory.get_or_load("approvals", "open ids", self._load_ids)

    def _load_ids(self) -> tuple[str, ...]:
        return tuple(self._connection.execute(_OPEN_IDS).scalars())

    def _load(self) -> tuple[Approval, ...]:
        return tuple(_approval(row) for row in self._connection.execute(_OPEN))

    def newest(self, limit: int, before: str = "") -> tuple[Approval, ...]:
        """The newest first, open or not."""
        query = newest_first(select(_TABLE), _TABLE.c.number, limit, before)
        return tuple(_approval(row) for row in self._connection.execute(query))

    def last_answered_at(self) -> datetime | None:
        """When what people said of one was last carried out; ``None`` where nobody has answered any."""
        at: datetime | None = self._connection.execute(_LAST_ANSWERED_AT).scalar()
        return at

    def first_asked_after(self, moment: datetime | None) -> datetime | None:
        """When the first was asked after a moment, or the very first; ``None`` where none was."""
        query = _ASKED_AT if moment is None else _ASKED_AT.where(_TABLE.c.asked_at > moment)
        at: datetime | None = self._connection.execute(query).scalar()
        return at

    def asked_within(self, begin: datetime, end: datetime) -> int:
        """How many were asked in ``(begin, end]``."""
        asked = _TABLE.c.asked_at
        return self._connection.execute(select(func.count()).where(asked > begin, asked <= end)).scalar_one()

    def settled_within(self, begin: datetime, end: datetime) -> dict[str, int]:
        """How many reached each final status in ``(begin, end]``."""
        settled, status = _TABLE.c.settled_at, _TABLE.c.status
        query = select(status, func.count()).where(settled > begin, settled <= end).group_by(status)
        return dict(self._connection.execute(query).all())


def _approval(row: Row[Any]) -> Approval:
    return Approval(
        id=row.id,
        decision_id=row.decision_id,
        plan=codec.load(TradePlan, row.plan),
        asked_at=row.asked_at,
        expires_at=row.expires_at,
        votes_needed=row.votes_needed,
        state=codec.load(_STATES[row.status], row.state),
        version=row.version,
    )
