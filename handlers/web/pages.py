"""The one live page: its door, what is written and pressed on it, and the stream that keeps it live."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, HTTPException, Query, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, ConfigDict, StringConstraints

from engine.domain.errors import StoreError
from engine.store.chat import ChatMessage
from handlers.web.caller import Caller
from handlers.web.guard import STREAM_PATH
from handlers.web.rendering import STATIC, render
from handlers.web.services import UseServices, WebServices, address_of

RECONNECT_MS = 1500
REFRESH_SECONDS = 1.0
"""How often the dashboard is looked at when nothing else happens."""
CALM_SECONDS = 0.05
"""The shortest time between two looks, so that a fast replay does not flood the page."""

WITHHELD = "This cannot be answered now: nothing can be written down. See “No new entries” for what to do."
"""Why a button does not work while nothing can be written."""

HOME = "../"
"""The page, seen from a link of somebody's own: a proxy may serve all of it below a path of its own."""

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


class Said(BaseModel):
    """A text that somebody wrote."""

    model_config = ConfigDict(extra="forbid")
    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
    delivery_id: UUID


class PressedButton(BaseModel):
    """A button that somebody pressed."""

    model_config = ConfigDict(extra="forbid")
    data: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    delivery_id: UUID


async def signed_in(request: Request, services: UseServices) -> Caller:
    """The person at the page.

    Raises:
        HTTPException: 401, they have not come in by their link.
    """
    caller = services.sessions.caller(request)
    if caller is None:
        raise HTTPException(401, "Open your own link first; the bot prints one for each person when it starts.")
    return caller


SignedIn = Annotated[Caller, Depends(signed_in)]


@router.get("/")
async def page(request: Request, services: UseServices) -> Response:
    """The page with everything that is known now; the stream goes on from there."""
    caller = services.sessions.caller(request)
    if caller is None:
        # A link followed from another site arrives without the cookie; coming from our own page it is sent.
        again = request.headers.get("sec-fetch-site") == "cross-site"
        return HTMLResponse(render("door.html", root="", state="bounce" if again else "closed"), 200 if again else 401)
    messages = await _written(services, caller, 0)
    return HTMLResponse(
        render(
            "page.html",
            root="",
            caller=caller,
            messages=messages,
            **_standing(services, caller),
            version=max((message.version for message in messages), default=0),
            build=services.version,
            board=await services.board.html(),
            menu=[known for known in services.commands.commands if caller.person.role.includes(known.role)],
        )
    )


@router.get("/enter/{token}")
async def enter(token: str, request: Request, services: UseServices) -> Response:
    """Let somebody in by their own link, once."""
    address = address_of(request)
    if "prefetch" in request.headers.get("sec-purpose", ""):
        return Response(status_code=425)  # the browser guesses that the link may be opened: that must not use it up
    if services.strangers.too_many(address):
        return HTMLResponse(render("door.html", root=HOME, state="wait"), 429)
    user = services.links.redeem(token)
    response = RedirectResponse(HOME, 303)
    if user is not None and (caller := services.sessions.known(user)):
        try:
            await services.note(platform="web", user=user, person=caller.person.name, action="enter", outcome="entered")
        except StoreError as error:
            services.links.give_back(token, user)
            return HTMLResponse(render("door.html", root=HOME, state="stopped", reason=str(error)), 503)
        services.sessions.begin(response, user, secure=request.url.scheme == "https")
        return response
    if services.sessions.caller(request):
        return response  # their own link again, on a browser that is signed in
    services.strangers.note(address)
    await services.note(
        platform="web", user=address, person="", action="enter", outcome="stranger: unknown or used link"
    )
    return HTMLResponse(render("door.html", root=HOME, state="used"), 410)


@router.post("/chat/say", status_code=204)
async def say(said: Said, caller: SignedIn, services: UseServices) -> None:
    """Take a text; the reply comes over the stream."""
    await services.chat.say(caller, said.text, said.delivery_id)


@router.post("/chat/press", status_code=204)
async def press(pressed: PressedButton, caller: SignedIn, services: UseServices) -> None:
    """Take a press; the reply and the edited card come over the stream."""
    await services.chat.press(caller, pressed.data, pressed.delivery_id)


@router.get("/favicon.ico")
async def favicon() -> FileResponse:
    """The icon, for browsers that ask for it by its old name."""
    return FileResponse(STATIC / "favicon.svg", media_type="image/svg+xml")


@router.get(STREAM_PATH, response_class=EventSourceResponse)
async def stream(
    caller: SignedIn,
    services: UseServices,
    after: Annotated[int, Query(ge=0)] = 0,
    last_event_id: Annotated[int | None, Header(ge=0)] = None,
) -> AsyncIterator[ServerSentEvent]:
    """Everything that changes, as it changes.

    The events: ``hello`` at the beginning, ``message``, ``standing`` for what is known from memory alone, ``board``.

    Args:
        caller: The person at the page.
        services: The program.
        after: The version of the messages that the page was made with.
        last_event_id: The version after a reconnect.
    """
    yield ServerSentEvent(event="hello", data={"build": services.version}, retry=RECONNECT_MS)
    version = last_event_id if last_event_id is not None else after
    board, standing = "", None
    while not services.chat.closed and services.sessions.known(caller.user):
        bell = services.chat.bell()
        for event in await _news(services, caller, version):
            version = max(version, int(event.id or 0))
            yield event
        if standing != (standing := _standing(services, caller)):
            yield ServerSentEvent(event="standing", data=standing)
        if board != (board := await services.board.html()):
            yield ServerSentEvent(event="board", data=board)
        with suppress(TimeoutError):
            await asyncio.wait_for(bell.wait(), REFRESH_SECONDS)
        await asyncio.sleep(CALM_SECONDS)


async def _written(services: WebServices, caller: Caller, version: int) -> tuple[ChatMessage, ...]:
    """The messages after a version; none while they cannot be read, which the board beside them says."""
    try:
        return await services.chat.since(caller.person.name, version)
    except StoreError:
        return ()


def _standing(services: WebServices, caller: Caller) -> dict[str, str]:
    """What the page shows past the database: the cards that cannot be written down, and why no button works.

    The latter is empty while they do.
    """
    return {
        "standing": render("standing.html", messages=services.chat.unwritten.messages, caller=caller),
        "withheld": WITHHELD if services.views.unwritten_halts() else "",
    }


async def _news(services: WebServices, caller: Caller, version: int) -> list[ServerSentEvent]:
    """The messages after a version; only the last one moves the point that a reconnect goes on from."""
    messages = await _written(services, caller, version)
    newest = max((message.version for message in messages), default=version)
    return [
        ServerSentEvent(
            event="message",
            id=str(newest) if index == len(messages) else None,
            data={
                "id": message.id,
                "pinned": bool(message.card and message.card.pinned),
                "html": render("message.html", message=message, caller=caller),
            },
        )
        for index, message in enumerate(messages, start=1)
    ]
