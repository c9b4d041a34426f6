"""The emergency stop over HTTP: what it would do, how far it is, and the call."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter

from engine.domain.errors import GreenlightError
from engine.domain.messages import Role
from engine.domain.trade_views import PositionView
from handlers.access import require
from handlers.web.api import KnownCaller, KnownQuery
from handlers.web.emergency_rows import EmergencyRow, PreviewRow, StandingRow
from handlers.web.errors import Problem
from handlers.web.services import UseServices, WebServices

PRICES_WITHIN = 2.0
"""Wall seconds that the venue has to tell its prices of now."""

_UNAUTHORISED: dict[int | str, dict[str, Any]] = {401: {"model": Problem, "description": "Not known here"}}
_REFUSED: dict[int | str, dict[str, Any]] = {403: {"model": Problem, "description": "Only an admin may"}}

router = APIRouter(prefix="/api/emergency", tags=["emergency"], responses=_UNAUTHORISED, dependencies=[KnownQuery])


@router.get("")
async def preview(services: UseServices, _: KnownCaller) -> PreviewRow:
    """What the emergency stop would end now; with ``standing``, what one that was called has left, and why."""
    row = PreviewRow.of(await services.views.exposed(), await _prices_of_now(services))
    if halt_id := await services.views.standing_emergency():
        row.standing = StandingRow.of(await services.views.emergency(halt_id))
    return row


@router.post("", responses=_REFUSED)
async def call(services: UseServices, caller: KnownCaller) -> EmergencyRow:
    """Call the emergency stop. It is written down when this answers; ask again to see how far it is."""

    async def note(outcome: str) -> None:
        who = {"platform": caller.platform, "user": caller.user, "person": caller.person.name}
        await services.note(**who, action="emergency", outcome=outcome)

    try:
        require(caller.person, Role.ADMIN, "The emergency stop")
        halt_id = await services.desk.stop_everything(caller.person)
    except GreenlightError as error:
        await note(error.message)
        raise
    await note(f"called: {halt_id}")
    return EmergencyRow.of(await services.views.emergency(halt_id), await _prices_of_now(services))


async def _prices_of_now(services: WebServices) -> Sequence[PositionView]:
    """What is held, at the prices of now; nothing where these are not to be had soon, for people wait."""
    try:
        async with asyncio.timeout(PRICES_WITHIN):
            return await services.views.positions()
    except (GreenlightError, TimeoutError):
        return ()
