"""The web chat: a platform like the others, whose messages are kept in our own database.

It is one room. Cards are for everybody who may come in; what somebody writes, and the reply to it, only for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from engine.domain.messages import Card, Destination, Incoming, Pressed, Ref, Typed
from handlers.answered import Interim, is_answer, no_interim, note_answer
from handlers.web.caller import Caller
from handlers.web.unwritten import Unwritten

if TYPE_CHECKING:
    from engine.store.chat import ChatMessage
    from engine.store.database import Database
    from engine.store.unit_of_work import UnitOfWork

ROOM = "room"
EVERYBODY = ""
_OF = "/"
"""What stands between the room and whose answers are meant, in an address."""
HISTORY = 200
"""How many messages a page is given at most."""
_LOOK_BACK = 20
"""How many messages a crash can have left between a card and the note of where it is."""


class WebChat:
    """Implements the port ``Platform`` and lets pages read, write and wait.

    Args:
        database: Where the messages are.
        receive: The one way in for every platform (``Reception.receive``).
        wall: The wall clock; messages carry its time.
        interim: What is said at once of something whose answer takes long.

    Attributes:
        unwritten: Shows what cannot be written down.
    """

    name = "web"

    def __init__(
        self,
        *,
        database: Database,
        receive: Callable[[Incoming], Awaitable[Card | None]],
        wall: Callable[[], datetime],
        interim: Interim = no_interim,
    ) -> None:
        self._database = database
        self._receive = receive
        self._interim = interim
        self._wall = wall
        self._changed = asyncio.Event()
        self.unwritten = Unwritten(wall=wall, on_change=self._ring)
        self.closed = False

    async def put(self, to: Destination, card: Card, ref: Ref | None, under: Ref | None = None) -> Ref:  # noqa: ARG002 - one room
        """Show a card to everybody, or an answer to its person, in place of the one at ``ref`` where there is one."""
        audience = to.address.partition(_OF)[2]

        def work(uow: UnitOfWork) -> int:
            message = _number(ref)
            return uow.chat.put_message(
                message_id=_shown_before(uow, card, audience) if message is None else message,
                audience=audience,
                author="",
                at=self._wall(),
                card=card,
                text="",
            )

        message = await self._database.transact(work)
        if ref:
            self.unwritten.forget(ref)
        self._ring()
        return Ref(messages=(str(message),))

    async def say(self, caller: Caller, text: str, delivery: UUID) -> None:
        """Take a text that somebody wrote: keep it, have it answered, keep the reply."""
        delivery_id = _delivery_id(caller, delivery)

        def work(uow: UnitOfWork) -> None:
            if uow.chat.delivered(f"said:{self.name}:{delivery_id}", self._wall()):
                name = caller.person.name
                uow.chat.put_message(message_id=None, audience=name, author=name, at=self._wall(), card=None, text=text)

        await self._database.transact(work)
        self._ring()
        await self._hand_over(caller, delivery_id, Typed(text=text))

    async def press(self, caller: Caller, data: str, delivery: UUID) -> None:
        """Take a press on a card's button: have it answered, keep the reply."""
        await self._hand_over(caller, _delivery_id(caller, delivery), Pressed(data=data))

    async def since(self, person: str, version: int) -> tuple[ChatMessage, ...]:
        """The messages a person may see that changed after a version, oldest first, at most ``HISTORY``."""
        return await self._database.read(lambda uow: uow.chat.messages(audience=person, after=version, limit=HISTORY))

    def bell(self) -> asyncio.Event:
        """What is set at the next change. Take it before reading, so that no change is missed."""
        return self._changed

    def close(self) -> None:
        """Let every open page go: the program stops."""
        self.closed = True
        self._ring()

    async def _hand_over(self, caller: Caller, delivery_id: str, action: Typed | Pressed) -> None:
        incoming = Incoming(
            platform=self.name,
            user=caller.user,
            delivery_id=delivery_id,
            sent_at=self._wall(),
            address=ROOM,
            action=action,
            is_private=True,
        )
        if first := self._interim(incoming):
            await self._reply(caller.person.name, first)
        if reply := await self._receive(incoming):
            await self._reply(caller.person.name, reply)

    async def _reply(self, audience: str, reply: Card) -> None:
        """Show somebody the answer to what they did, unless the outbox does."""

        def work(uow: UnitOfWork) -> None:
            to = Destination(platform=self.name, address=f"{ROOM}{_OF}{audience}")
            if uow.outbox.ref(reply.topic, to):
                return  # the outbox brings it up to date, and may have done so with more than this
            message = _shown_before(uow, reply, audience, HISTORY)
            shown = uow.chat.put_message(
                message_id=message, audience=audience, author="", at=self._wall(), card=reply, text=""
            )
            if is_answer(reply):
                note_answer(uow, reply, to, Ref(messages=(str(shown),)))

        await self._database.transact(work)
        self._ring()

    def _ring(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def _delivery_id(caller: Caller, delivery: UUID) -> str:
    """Named after its sender, so that nobody can use up a delivery of somebody else."""
    return f"{caller.user}:{delivery.hex}"


def _number(ref: Ref | None) -> int | None:
    """The message of the database that shows a card; what was shown past it, in this run or another, has none."""
    return int(ref.messages[0]) if ref and ref.messages[0].isdecimal() else None


def _shown_before(uow: UnitOfWork, card: Card, audience: str = EVERYBODY, limit: int = _LOOK_BACK) -> int | None:
    """The message to an audience that shows the topic of a card: what was asked, or what a crash lost the note of."""
    if not card.topic:
        return None
    recent = [m for m in uow.chat.messages(audience=audience, limit=limit) if m.audience == audience]
    return next((m.id for m in reversed(recent) if m.card and m.card.topic == card.topic), None)
