"""Updates that Telegram was told are taken while they are still being handled, e.g. because a venue is slow.

taking long ──▶ kept in the database ──▶ 200 ──▶ handled ──▶ dropped
└── a crash in between: taken again at the next start, as if Telegram delivered it again
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Protocol

import structlog
from telegram import Bot, Update

from engine.domain.errors import StoreError
from engine.store.database import Database
from handlers.telegram.intake import Intake

log = structlog.get_logger(__name__)

_PREFIX = "telegram.update."
DROP_WITHIN = 2.0
"""Wall seconds that what is handled has to be dropped when the program stops; else it is known at the next start."""


class Keep(Protocol):
    """Keeps updates where a crash leaves them."""

    async def keep(self, update_id: int, body: bytes) -> None:
        """Keep an update as it came.

        Raises:
            StoreError: It cannot be kept.
        """
        ...

    async def drop(self, update_id: int) -> None:
        """Let it go: it is handled."""
        ...

    async def left(self) -> Mapping[int, bytes]:
        """What is kept, by its number."""
        ...


class KeptUpdates:
    """Keeps them among the small facts of the database: they are few, and gone in seconds."""

    def __init__(self, store: Database) -> None:
        self._store = store

    async def keep(self, update_id: int, body: bytes) -> None:
        """Keep an update as it came.

        Raises:
            StoreError: It cannot be kept.
        """
        text = body.decode()
        await self._store.transact(lambda uow: uow.settings.set(f"{_PREFIX}{update_id}", text))

    async def drop(self, update_id: int) -> None:
        """Let it go: it is handled."""
        await self._store.transact(lambda uow: uow.settings.drop((f"{_PREFIX}{update_id}",)))

    async def left(self) -> Mapping[int, bytes]:
        """What is kept, by its number, in the order in which Telegram counted it."""
        kept = await self._store.read(lambda uow: uow.settings.starting_with(_PREFIX))
        found = {int(key.removeprefix(_PREFIX)): text.encode() for key, text in kept.items()}
        return dict(sorted(found.items()))


class NothingKept:
    """Keeps nothing: Telegram is told that an update is taken only once it is handled."""

    async def keep(self, update_id: int, body: bytes) -> None:
        """Keep nothing.

        Raises:
            StoreError: Always.
        """
        raise StoreError(f"Update {update_id} of {len(body)} bytes cannot be kept here.")

    async def drop(self, update_id: int) -> None:
        """Nothing is kept."""

    async def left(self) -> Mapping[int, bytes]:
        """Nothing is kept."""
        return {}


class Holding:
    """Keeps an update until it is handled, so that slow ones are not lost with a restart.

    Args:
        keep: Where it is held.
        intake: Handles it.
        bot: The client.
    """

    def __init__(self, *, keep: Keep, intake: Intake, bot: Bot) -> None:
        self._keep = keep
        self._intake = intake
        self._bot = bot
        self._dropping: set[asyncio.Task[None]] = set()
        self._resumed = False

    async def hold(self, update_id: int, body: bytes, handling: asyncio.Task[None]) -> bool:
        """Keep an update until it is handled; whether it is safe now."""
        try:
            await self._keep.keep(update_id, body)
        except StoreError:
            return False
        handling.add_done_callback(partial(self._ended, update_id))
        return True

    async def resume(self) -> None:
        """Take again, once, what an earlier run held and did not get done."""
        if self._resumed:
            return
        left = await self._keep.left()
        self._resumed = True
        for update_id, body in left.items():
            update = read(self._bot, body)
            if update is None:
                await self._keep.drop(update_id)
                continue
            handling = self._intake.take(update, waited=True)
            handling.add_done_callback(partial(self._ended, update_id))

    async def stop(self) -> None:
        """Let go of what is handled."""
        if self._dropping:
            await asyncio.wait(self._dropping, timeout=DROP_WITHIN)

    def _ended(self, update_id: int, handling: asyncio.Task[None]) -> None:
        if handling.cancelled():
            return  # the program stops: the next start goes on with it
        dropping = asyncio.create_task(self._drop(update_id))
        self._dropping.add(dropping)
        dropping.add_done_callback(self._dropping.discard)

    async def _drop(self, update_id: int) -> None:
        try:
            await self._keep.drop(update_id)
        except StoreError as error:  # it stays until the next start, which knows that it is handled
            log.warning("telegram.update_not_dropped", update_id=update_id, detail=error.message)


def read(bot: Bot, body: bytes) -> Update | None:
    """An update as Telegram sent it; ``None`` where it cannot be read."""
    try:
        return Update.de_json(bot.request.parse_json_payload(body), bot)
    except Exception as error:  # noqa: BLE001 - whatever a newer server's unknown shapes make the library raise
        log.warning("telegram.unreadable_update", detail=repr(error))
        return None
