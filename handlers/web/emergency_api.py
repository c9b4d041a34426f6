"""The emergency stop over HTTP: what it would do, how far it is, and the call."""

from __future__ import annotations

from typing import Any, Literal, Self

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel

from engine.domain.errors import GreenlightError
from engine.domain.messages import Role
from engine.domain.reports import EmergencyView, Exposed
from handlers.access import require
from handlers.web.account_rows import OrderRow, PositionRow
from handlers.web.api import KnownCaller
from handlers.web.errors import Problem
from handlers.web.kit import UseKit

_UNAUTHORISED: dict[int | str, dict[str, Any]] = {401: {"model": Problem, "description": "Not known here"}}
_REFUSED: dict[int | str, dict[str, Any]] = {403: {"model": Problem, "description": "Only an admin may"}}

router = APIRouter(prefix="/api/emergency", tags=["emergency"], responses=_UNAUTHORISED)


class ExposedRow(BaseModel):
    """What the emergency stop would end, or has left to end."""

    entries: list[OrderRow]
    positions: list[PositionRow]
    questions: int

    @classmethod
    def of(cls, exposed: Exposed) -> Self:
        """It as a row."""
        return cls(
            entries=[OrderRow.of(order) for order in exposed.entries],
            positions=[PositionRow.of(position) for position in exposed.positions],
            questions=exposed.questions,
        )


class EmergencyRow(BaseModel):
    """An emergency stop: how far it is, what is left, what it has sold."""

    id: str
    status: Literal["active", "ended"]
    by: str
    since: AwareDatetime
    note: str
    left: ExposedRow
    closed: list[PositionRow]

    @classmethod
    def of(cls, view: EmergencyView) -> Self:
        """An emergency stop as a row."""
        halt = view.halt.halt
        return cls(
            id=view.halt.id,
            status="ended" if view.halt.ended_at else "active",
            by=halt.by,
            since=halt.since,
            note=view.note,
            left=ExposedRow.of(view.left),
            closed=[PositionRow.of(position) for position in view.closed],
        )


@router.get("")
async def preview(kit: UseKit, _: KnownCaller) -> ExposedRow:
    """What the emergency stop would end now."""
    return ExposedRow.of(await kit.views.exposed())


@router.post("", responses=_REFUSED)
async def call(kit: UseKit, caller: KnownCaller) -> EmergencyRow:
    """Call the emergency stop. It is written down when this answers; ask again to see how far it is."""

    async def note(outcome: str) -> None:
        who = {"platform": caller.platform, "user": caller.user, "person": caller.person.name}
        await kit.note(**who, action="emergency", outcome=outcome)

    try:
        require(caller.person, Role.ADMIN, "The emergency stop")
        halt_id = await kit.desk.stop_everything(caller.person)
    except GreenlightError as error:
        await note(error.message)
        raise
    await note(f"called: {halt_id}")
    return EmergencyRow.of(await kit.views.emergency(halt_id))
