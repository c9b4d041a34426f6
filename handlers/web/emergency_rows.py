"""The API's rows about the emergency stop. The same rules hold as for those about the account."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Self

from pydantic import AwareDatetime, BaseModel

from engine.domain.halt_views import EmergencyView, Exposed
from engine.domain.trade_views import PositionView
from handlers.web.account_rows import OrderRow, PositionRow


class ExposedRow(BaseModel):
    """What the emergency stop would end, or has left to end."""

    entries: list[OrderRow]
    positions: list[PositionRow]
    approvals: int
    keeps_stops: bool = False

    @classmethod
    def of(cls, exposed: Exposed, held: Sequence[PositionView]) -> Self:
        """It as a row, with the prices of now."""
        now = {view.position.id: view for view in held}
        return cls(
            entries=[OrderRow.of(order) for order in exposed.entries],
            positions=[PositionRow.of(position, now.get(position.id)) for position in exposed.positions],
            approvals=exposed.approvals,
            keeps_stops=exposed.keeps_stops,
        )


class StandingRow(BaseModel):
    """An emergency stop that is not over: who called it when and why, and how far it is or what it waits for."""

    id: str
    by: str
    reason: str = ""
    since: AwareDatetime
    note: str

    @classmethod
    def of(cls, view: EmergencyView) -> Self:
        """It as a row."""
        halt = view.halt.halt
        return cls(id=view.halt.id, by=halt.by, reason=halt.reason, since=halt.since, note=view.note)


class PreviewRow(ExposedRow):
    """What the emergency stop would end, and the one that stands already, if there is one."""

    standing: StandingRow | None = None


class EmergencyRow(BaseModel):
    """An emergency stop: how far it is, what is left, what it has sold."""

    id: str
    status: Literal["active", "ended"]
    by: str
    reason: str = ""
    since: AwareDatetime
    note: str
    ended_by: str = ""
    ended_because: str = ""
    left: ExposedRow
    closed: list[PositionRow]

    @classmethod
    def of(cls, view: EmergencyView, held: Sequence[PositionView]) -> Self:
        """An emergency stop as a row, with the prices of now."""
        halt = view.halt.halt
        return cls(
            id=view.halt.id,
            status="ended" if view.halt.ended_at else "active",
            by=halt.by,
            reason=halt.reason,
            since=halt.since,
            note=view.note,
            ended_by=view.halt.ended_by,
            ended_because=view.ended_because,
            left=ExposedRow.of(view.left, held),
            closed=[PositionRow.of(position) for position in view.closed],
        )
