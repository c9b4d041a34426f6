"""What every route of the web works with, and who is asking."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request
from pydantic import SecretStr

if TYPE_CHECKING:  # the routes take these through `WebServices`; importing them here would make a circle
    from engine.desk import Desk
    from engine.ports import Clock
    from engine.store.database import Database
    from engine.views.trading import Views
    from handlers.commands import CommandTable
    from handlers.web.board import Board
    from handlers.web.chat import WebChat
    from handlers.web.sessions import Attempts, Sessions, SignInLinks


@dataclass(frozen=True, slots=True, kw_only=True)
class WebServices:
    """The parts of the program that the web shows and acts on.

    Attributes:
        api_token: What a bearer must show; ``None`` keeps the API to signed-in browsers.
        strangers: Counts failed attempts to enter, by address.
        wall: The wall clock; ``clock`` is the market's.
        ready: Whether the program has started fully.
    """

    views: Views
    desk: Desk
    database: Database
    chat: WebChat
    board: Board
    commands: CommandTable
    sessions: Sessions
    links: SignInLinks
    strangers: Attempts
    api_token: SecretStr | None
    clock: Clock
    wall: Callable[[], datetime]
    ready: Callable[[], bool]
    version: str

    async def note(self, *, platform: str, user: str, person: str, action: str, outcome: str) -> None:
        """Write into the audit what somebody did or tried; ``person`` is empty for strangers."""
        at, wall_at = self.clock.now(), self.wall()
        await self.database.transact(
            lambda uow: uow.chat.audit(
                at=at, wall_at=wall_at, platform=platform, user=user, person=person, action=action, outcome=outcome
            )
        )


async def services_of(request: Request) -> WebServices:
    """The services that the app was made with. Not waited for: FastAPI would go to a thread for what is not async."""
    services: WebServices = request.app.state.services
    return services


UseServices = Annotated[WebServices, Depends(services_of)]


def address_of(request: Request) -> str:
    """Where a request comes from, for counting and the audit."""
    return request.client.host if request.client else "unknown"
