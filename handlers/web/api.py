"""The HTTP API: what is shown in chat, as typed rows, and the two things a program may do: approve and reject."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool

from engine.domain.approvals import Press, Reply, Verb
from engine.domain.decision_views import ApprovalView
from engine.domain.errors import GreenlightError, NotAllowed
from engine.domain.messages import Role
from handlers.access import PROGRAM, require
from handlers.cards import replies
from handlers.web.account_rows import FillRow, OrderRow, PositionRow, StatusRow
from handlers.web.caller import Caller
from handlers.web.decision_rows import ApprovalRow, AuditRow, DecisionRow, settled_by
from handlers.web.errors import AlreadyAnswered, Problem, Refusal
from handlers.web.paging import AnyPage
from handlers.web.queries import refuse_unknown
from handlers.web.services import UseServices, WebServices, address_of

if TYPE_CHECKING:  # heavy, and only named here
    from engine.flow.approvals import Answered

API_CALLER = Caller(platform="api", user="api", person=PROGRAM)
HEALTH_SECONDS = 2.0

bearer = HTTPBearer(auto_error=False, description="The token of BOT_WEB__TOKEN. Signed-in browsers need none.")


async def caller_of(
    request: Request,
    services: UseServices,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> Caller:
    """Who calls the API: the bearer of the token, or a signed-in browser.

    Raises:
        Refusal: 401, it is neither.
    """
    if "authorization" not in request.headers:
        if caller := services.sessions.caller(request):
            return caller
        raise Refusal(401, "Show the bearer token of BOT_WEB__TOKEN, or sign in with your browser.")
    token = services.api_token.get_secret_value() if services.api_token else ""
    shown = credentials.credentials if credentials else ""
    if token and secrets.compare_digest(shown.encode(), token.encode()):
        return API_CALLER
    address = address_of(request)
    if not services.strangers.too_many(address):
        services.strangers.note(address)
        await services.note(platform="api", user=address, person="", action="token", outcome="refused: wrong token")
    raise Refusal(401, "This token is not the one of BOT_WEB__TOKEN.")


KnownCaller = Annotated[Caller, Depends(caller_of)]


async def known_query(request: Request, services: UseServices, _: KnownCaller) -> AsyncIterator[None]:
    """Refuse a query with a name that is not read there, once the caller is known; a replay gives way to the answer."""
    refuse_unknown(request)
    go_on = services.database.take_precedence()
    try:
        yield
    finally:
        go_on()


KnownQuery = Depends(known_query)
ApprovalId = Annotated[str, AfterValidator(str.upper), Path(description="For example A17.", max_length=32)]

_UNAUTHORISED: dict[int | str, dict[str, Any]] = {401: {"model": Problem, "description": "Not known here"}}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    **_UNAUTHORISED,
    403: {
        "model": Problem,
        "description": "The person's role is too low, or it takes two people and the token is none",
    },
    404: {"model": Problem, "description": "There is no such approval"},
    409: {
        "model": AlreadyAnswered,
        "description": "It was answered before, time was up, or entries are halted",
    },
    503: {"model": Problem, "description": "Fresh data is missing: it can be answered again"},
}

open_router = APIRouter(tags=["health"])
router = APIRouter(prefix="/api", tags=["api"], responses=_UNAUTHORISED, dependencies=[KnownQuery])


class PartHealth(BaseModel):
    """One part of the program, without details."""

    name: str
    status: Literal["ok", "failing"]


class Health(BaseModel):
    """Whether every part is well. That there is an answer means that the program lives."""

    status: Literal["ok", "degraded"]
    parts: list[PartHealth]


class Readiness(BaseModel):
    """Whether the program has started fully, and can write down what it does."""

    status: Literal["ready", "starting", "cannot write"]


class ApproveBody(BaseModel):
    """How to approve."""

    model_config = ConfigDict(extra="forbid")
    half: StrictBool = Field(default=False, description="Approve half of the quantity.")


class RejectBody(BaseModel):
    """Why it is declined."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field(default="", max_length=500)


class AnswerRow(BaseModel):
    """What became of an answer. ``reply`` says how it counted, ``status`` is the approval's."""

    id: str
    status: str
    reply: Literal[Reply.TAKEN, Reply.COUNTED, Reply.DECLINED]
    approval: ApprovalRow
    order: OrderRow | None


@open_router.get("/health")
async def health(services: UseServices) -> Health:
    """Tell that the program lives, and whether its parts are well."""
    try:
        async with asyncio.timeout(HEALTH_SECONDS):
            parts = await services.views.health()
    except (GreenlightError, TimeoutError):
        return Health(status="degraded", parts=[PartHealth(name="store", status="failing")])
    rows = [PartHealth(name=part.name, status="ok" if part.ok else "failing") for part in parts]
    return Health(status="ok" if all(part.ok for part in parts) else "degraded", parts=rows)


@open_router.get("/ready", responses={503: {"model": Readiness, "description": "Still starting, or unable to write"}})
async def ready(services: UseServices, response: Response) -> Readiness:
    """Tell whether the program has started fully, and can write down what it does."""
    if services.ready() and not services.views.unwritten_halts():
        return Readiness(status="ready")
    response.status_code = 503
    return Readiness(status="cannot write" if services.ready() else "starting")


@router.get("/status")
async def status(services: UseServices, _: KnownCaller) -> StatusRow:
    """The bot at a glance."""
    return StatusRow.of(await services.views.status(), services.version)


@router.get("/positions")
async def positions(
    services: UseServices, _: KnownCaller, page: AnyPage, status: Literal["open", "closed", "all"] = "open"
) -> list[PositionRow]:
    """Positions: the open ones, or those that were."""
    views = {view.position.id: view for view in await services.views.positions()}
    held = await services.views.trades(page.limit, page.before, "" if status == "all" else status)
    return page.of([PositionRow.of(position, views.get(position.id)) for position in held])


@router.get("/orders")
async def orders(services: UseServices, _: KnownCaller, page: AnyPage) -> list[OrderRow]:
    """Orders of every kind, with what has filled."""
    return page.of([OrderRow.of(order) for order in await services.views.orders(page.limit, page.before)])


@router.get("/fills")
async def fills(services: UseServices, _: KnownCaller, page: AnyPage) -> list[FillRow]:
    """Parts of orders that traded."""
    return page.of([FillRow.of(fill) for fill in await services.views.fills(page.limit, page.before)])


@router.get("/decisions")
async def decisions(services: UseServices, _: KnownCaller, page: AnyPage) -> list[DecisionRow]:
    """Decisions with what led to them."""
    return page.of([DecisionRow.of(judged) for judged in await services.views.decisions(page.limit, page.before)])


@router.get("/approvals")
async def approvals(services: UseServices, _: KnownCaller, page: AnyPage) -> list[ApprovalRow]:
    """What people were asked to approve, and their answers."""
    return page.of([ApprovalRow.of(view) for view in await services.views.approvals(page.limit, page.before)])


@router.get("/audit")
async def audit_log(services: UseServices, _: KnownCaller, page: AnyPage) -> list[AuditRow]:
    """What people did or tried."""
    return page.of([AuditRow.of(entry) for entry in await services.views.audit(page.limit, page.before)])


@router.post("/approvals/{approval_id}/approve", responses=_ANSWERS)
async def approve(
    approval_id: ApprovalId, services: UseServices, caller: KnownCaller, body: ApproveBody | None = None
) -> AnswerRow:
    """Approve a trade that waits, or half of it. It is judged again on fresh data before anything is ordered."""
    half = body is not None and body.half
    press = Press(person=caller.person.name, verb=Verb.HALF if half else Verb.APPROVE)
    return await answer(services, caller, approval_id, press)


@router.post("/approvals/{approval_id}/reject", responses=_ANSWERS)
async def reject(
    approval_id: ApprovalId, services: UseServices, caller: KnownCaller, body: RejectBody | None = None
) -> AnswerRow:
    """Reject a trade that waits, with a reason or without."""
    press = Press(person=caller.person.name, verb=Verb.REJECT, reason=body.reason if body else "")
    return await answer(services, caller, approval_id, press)


async def answer(services: WebServices, caller: Caller, approval_id: str, press: Press) -> AnswerRow:
    """Hand an answer to the desk, note in the audit what came of it, and tell it.

    Raises:
        GreenlightError: It may not be answered by this caller (403), does not exist (404), the store failed (503).
        Refusal: It was answered before (409), or could not be judged (503).
    """

    async def note(outcome: str) -> None:
        await services.note(
            platform=caller.platform,
            user=caller.user,
            person=caller.person.name,
            action=f"{press.verb} {approval_id}",
            outcome=outcome,
        )

    try:
        require(caller.person, Role.TRADER, "Answering an approval")
        if caller is API_CALLER and press.verb is not Verb.REJECT:
            await _require_one_person(services, approval_id)
        answered = await services.desk.answer(approval_id, press)
    except GreenlightError as error:
        await note(error.message)
        raise
    await note(str(answered.reply))
    return _told(answered, await services.views.approval(approval_id))


async def _require_one_person(services: WebServices, approval_id: str) -> None:
    """Check that the token may approve: whoever holds it may be one of two people who must.

    Raises:
        NotAllowed: It takes two people.
    """
    needed = (await services.views.approval(approval_id)).approval.votes_needed
    if needed > 1:
        raise NotAllowed(
            f"{approval_id} needs {needed} people, and the token is none.", "Approve it signed in, or in chat."
        )


def _told(answered: Answered, view: ApprovalView) -> AnswerRow:
    approval, reply = answered.approval, answered.reply
    if reply is Reply.TOO_LATE or reply is Reply.REPEATED:
        raise Refusal(409, _why_too_late(answered), status=approval.status, by=settled_by(approval))
    if reply is Reply.HALTED:
        raise Refusal(409, replies.reply(reply, approval, answered.halt), status=approval.status, by=[])
    if reply is Reply.TAKEN and approval.status == "pending":
        raise Refusal(503, f"{approval.id} could not be judged, because fresh data is missing. Answer again.")
    return AnswerRow(
        id=approval.id,
        status=view.approval.status,
        reply=reply,
        approval=ApprovalRow.of(view),
        order=OrderRow.of(view.order) if view.order else None,
    )


def _why_too_late(answered: Answered) -> str:
    approval = answered.approval
    if answered.reply is Reply.REPEATED:
        return f"You have voted on {approval.id} already; another person is needed."
    if by := " and ".join(settled_by(approval)):
        return f"{approval.id} was answered by {by} before: it is {approval.status}."
    return f"{approval.id} is {approval.status}."
