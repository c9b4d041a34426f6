"""Each day's report, or each week's, sent once to everybody who wants it."""

from __future__ import annotations

import asyncio
from collections.abc import Set as AbstractSet
from datetime import datetime

import structlog
from aiogram.exceptions import AiogramError, TelegramForbiddenError

from engine.domain.digests import Digest
from engine.domain.errors import StoreError
from engine.support.faults import fault_id
from handlers.cards import alerts
from handlers.viewer.sending import Sender
from handlers.viewer.subscribers import Subscribers
from handlers.viewer.window import Window

log = structlog.get_logger(__name__)

LOOK_EVERY = 2.0
"""Wall seconds between two looks at whether another has ended."""


class Reports:
    """Watches for days, or weeks, that end. Who was away for many gets the newest: /daily has the others.

    Args:
        followers: Those who may look now; one who was taken off the list gets nothing more.
    """

    def __init__(
        self, *, window: Window, subscribers: Subscribers, followers: AbstractSet[str], sender: Sender
    ) -> None:
        self._window = window
        self._subscribers = subscribers
        self._followers = followers
        self._sender = sender

    async def run(self) -> None:
        """Send reports until cancelled."""
        while True:
            try:
                await self.send_due()
            except StoreError as error:
                log.warning("viewer.database_away", detail=error.message, reference=fault_id())
            except Exception:  # whatever is wrong with this look, the days to come must be sent
                log.exception("viewer.reports_failed", reference=fault_id())
            await asyncio.sleep(LOOK_EVERY)

    async def send_due(self) -> None:
        """Send everybody the days that they have not got, oldest first.

        Raises:
            StoreError: The database cannot be read.
        """
        newest = await self._window.newest_digest()
        if newest is None:
            return
        for chat, seen in self._subscribers.waiting_for(newest.ends):
            if chat in self._followers:
                await self._send_since(chat, seen)

    async def _send_since(self, chat: str, seen: datetime) -> None:
        for day in await self._window.days_since(seen):
            if not await self._send(chat, day):
                return

    async def _send(self, chat: str, day: Digest) -> bool:
        """Send a day; whether the next one may follow it."""
        try:
            await self._sender.send(chat, alerts.digest(day))
        except TelegramForbiddenError:
            log.info("viewer.blocked", chat=chat)
            self._subscribers.remove(chat)
        except AiogramError as error:
            log.warning("viewer.report_not_sent", chat=chat, detail=type(error).__name__)
        else:
            self._subscribers.sent(chat, day.ends)
            return True
        return False
