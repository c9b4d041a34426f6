"""Long polling: what people do is handed on, and Telegram may forget it only once it was handled.

    getUpdates ──▶ ``Intake.take`` ──▶ handled
        ▲                                 │
        └── offset: behind what is handled without a gap

The library's own ``Updater`` confirms updates before they are handled, so that a crash loses them. Here a crash makes
Telegram deliver them again; the receiver knows them by their ``delivery_id``.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from datetime import timedelta

import structlog
from telegram import Bot, Update
from telegram.error import Conflict, TelegramError

from handlers.outages import Health
from handlers.telegram.connecting import LISTENING, greet, keep_going
from handlers.telegram.intake import ACK_WITHIN, Intake
from handlers.telegram.kept_updates import Holding
from handlers.telegram.reading import WANTED

log = structlog.get_logger(__name__)

BATCH = 100
"""How many updates a poll brings at most: one that brings fewer has brought all there were."""
GLANCE = 1.0
"""Seconds until the next look for new updates while old ones are still being handled."""


class Inbox:
    """Which updates are being handled, and from which one on Telegram must keep them."""

    def __init__(self) -> None:
        self._open: set[int] = set()
        self._done: set[int] = set()
        self._behind: int | None = None
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def offset(self) -> int | None:
        """The first update that must be delivered (again); ``None`` before there was any."""
        return min(self._open) if self._open else self._behind

    @property
    def busy(self) -> bool:
        """Whether any update is still being handled."""
        return bool(self._open)

    def fresh(self, updates: Iterable[Update]) -> list[Update]:
        """Take a batch in; return those that nobody works on and nobody has just handled."""
        batch = {update.update_id: update for update in updates}
        if batch:
            # Not the highest ever: after a week of silence Telegram draws the next number anew.
            self._behind = max(batch) + 1
        # Telegram has forgotten those up to here that it does not deliver once more.
        self._done = {id_ for id_ in self._done if batch and (id_ in batch or id_ > max(batch))}
        fresh = [update for id_, update in batch.items() if id_ not in self._open | self._done]
        self._open.update(update.update_id for update in fresh)
        self._settle()
        return fresh

    def done(self, update_id: int) -> None:
        """An update was handled."""
        self._open.discard(update_id)
        self._done.add(update_id)
        self._settle()

    async def idle(self, within: float) -> None:
        """Return once nothing is being handled, or after so many seconds."""
        with contextlib.suppress(TimeoutError):
            # Not wait_for: in Python 3.11 it swallows a cancellation that comes when the event does.
            async with asyncio.timeout(within):
                await self._idle.wait()

    def _settle(self) -> None:
        if self._open:
            self._idle.clear()
        else:
            self._idle.set()


class Poller:
    """The polling loop.

    Args:
        bot: The client.
        intake: Handles what people do.
        health: Where trouble is told.
        menu: Commands and their help, for Telegram's own menu.
        poll_timeout: How long Telegram may hold a poll open.
        holding: Holds what an earlier run heard by a webhook and did not get done.
    """

    def __init__(
        self,
        *,
        bot: Bot,
        intake: Intake,
        health: Health,
        menu: Sequence[tuple[str, str]],
        poll_timeout: timedelta,
        holding: Holding,
    ) -> None:
        self._bot = bot
        self._intake = intake
        self._health = health
        self._menu = menu
        self._poll_timeout = poll_timeout
        self._holding = holding
        self._inbox = Inbox()
        self._greeted = False
        self._connected = False
        self.caught_up = asyncio.Event()
        """Set once everything that waited for the start has come in."""

    async def run(self) -> None:
        """Listen until cancelled; whatever goes wrong is told, and tried again."""
        await keep_going(self._round, health=self._health, failed=self._failed)

    async def stop(self) -> None:
        """Let what is under way end within a few seconds, and confirm what was handled."""
        await self._intake.close()
        await self._holding.stop()
        if self._inbox.offset is not None:
            with contextlib.suppress(TelegramError):
                await self._bot.get_updates(
                    offset=self._inbox.offset, limit=1, read_timeout=ACK_WITHIN, connect_timeout=ACK_WITHIN
                )

    def _failed(self, error: Exception) -> None:
        self._connected = False
        self._greeted = self._greeted and not isinstance(error, Conflict)

    async def _round(self) -> None:
        if not self._greeted:
            await self._greet()
        await self._poll()

    async def _greet(self) -> None:
        await greet(self._bot, self._menu, self._health)
        await self._holding.resume()
        found = await self._bot.get_webhook_info()
        if found.url:
            log.warning("telegram.webhook_removed", url=found.url, waiting=found.pending_update_count)
        await self._bot.delete_webhook()
        self._greeted = True
        self._health.well(LISTENING)
        log.info("telegram.connected", bot=self._bot.username, by="polling")

    async def _poll(self) -> None:
        # The first poll after a start or an outage does not wait: whether it works must be known soon, and what it
        # brings after a start was sent before.
        waits = self._connected and not self._inbox.busy
        updates = await self._bot.get_updates(
            offset=self._inbox.offset,
            limit=BATCH,
            timeout=self._poll_timeout if waits else timedelta(0),
            allowed_updates=WANTED,
        )
        self._connected = True
        self._health.well(LISTENING)
        for update in self._inbox.fresh(updates):
            self._take(update)
        if len(updates) < BATCH:
            self.caught_up.set()
        await self._inbox.idle(GLANCE)

    def _take(self, update: Update) -> None:
        def handled(task: asyncio.Task[None]) -> None:
            if not task.cancelled():
                self._inbox.done(update.update_id)

        self._intake.take(update, waited=not self.caught_up.is_set()).add_done_callback(handled)
