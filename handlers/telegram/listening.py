"""Long polling: what people do is handed on, and Telegram may forget it only once it was handled.

    getUpdates ──▶ acknowledge a press ──▶ read ──▶ receive, a person's own in order ──▶ done ──▶ reply
        ▲                                                                                │
        └───────────── offset: behind what is done without a gap ◀───────────────────────┘

The library's own ``Updater`` confirms updates before they are handled, so that a crash loses them. Here a crash makes
Telegram deliver them again; the receiver knows them by their ``delivery_id``.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import timedelta
from functools import partial

import structlog
from telegram import Bot, CallbackQuery, Update
from telegram.error import BadRequest, Conflict, RetryAfter, TelegramError, TimedOut

from engine.domain.messages import Card, Incoming
from handlers.lanes import Lanes
from handlers.outages import Health, Outage
from handlers.telegram.health import explained, seconds
from handlers.telegram.reading import WANTED, incoming

log = structlog.get_logger(__name__)

Receive = Callable[[Incoming], Awaitable[Card | None]]
Reply = Callable[[Incoming, Card], Awaitable[None]]

BATCH = 100
"""How many updates a poll brings at most: one that brings fewer has brought all there were."""
GLANCE = 1.0
"""Seconds until the next look for new updates while old ones are still being handled."""
ACK_WITHIN = 2.0
"""Seconds a press waits for its acknowledgement before it is worked on anyway."""
ACK_TRIES = 3
"""How often an acknowledgement is tried that Telegram does not answer in time."""
STOP_WITHIN = 5.0
_POLLING = "polling"


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
            self._done.clear()
            self._idle.set()


class Listener:
    """The polling loop.

    Args:
        bot: The client.
        receive: Handles what a person did; what it returns is the reply.
        reply: Shows a reply.
        health: Where trouble is told.
        menu: Commands and their help, for Telegram's own menu.
        poll_timeout: How long Telegram may hold a poll open.
    """

    def __init__(
        self,
        *,
        bot: Bot,
        receive: Receive,
        reply: Reply,
        health: Health,
        menu: Sequence[tuple[str, str]],
        poll_timeout: timedelta,
    ) -> None:
        self._bot = bot
        self._receive = receive
        self._reply = reply
        self._health = health
        self._menu = menu
        self._poll_timeout = poll_timeout
        self._inbox = Inbox()
        self._lanes = Lanes()
        self._greeted = False
        self._caught_up = asyncio.Event()
        self._connected = False
        health.begin(_POLLING, "Telegram is not connected yet.")

    async def catch_up(self, within: float) -> None:
        """Return once everything that waited for the start has come in, or after so many seconds.

        What this process shows is shown after that: nobody can press it and be taken for somebody who pressed before.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._caught_up.wait()

    async def run(self) -> None:
        """Listen until cancelled; whatever goes wrong is told, and tried again."""
        outage = Outage()
        while True:
            error = await self._failure()
            if error is None:
                outage.over()
                continue
            self._connected = False
            self._greeted = self._greeted and not isinstance(error, Conflict)
            self._health.trouble(_POLLING, explained(error), type(error).__name__)
            pause = outage.pause()
            await asyncio.sleep(max(pause, seconds(error)) if isinstance(error, RetryAfter) else pause)

    async def _failure(self) -> Exception | None:
        """Poll once; return what went wrong.

        Returned, not raised: its frames know the token, and no traceback logged later may have it in its chain.
        """
        try:
            if not self._greeted:
                await self._greet()
            await self._poll()
        except Exception as error:  # noqa: BLE001 - the edge of the program: an answer of theirs may be any nonsense
            return error
        return None

    async def stop(self) -> None:
        """Let what is under way end within a few seconds, and confirm what was handled."""
        await self._lanes.close(STOP_WITHIN)
        if self._inbox.offset is not None:
            with contextlib.suppress(TelegramError):
                await self._bot.get_updates(
                    offset=self._inbox.offset, limit=1, read_timeout=ACK_WITHIN, connect_timeout=ACK_WITHIN
                )

    async def _greet(self) -> None:
        await self._bot.initialize()
        await self._bot.delete_webhook()
        try:
            await self._bot.set_my_commands(self._menu)
        except BadRequest as error:
            self._health.trouble("menu", f"Telegram refuses the menu: {error.message}.")
        self._greeted = True
        self._health.well(_POLLING)
        log.info("telegram.connected", bot=self._bot.username)

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
        self._health.well(_POLLING)
        for update in self._inbox.fresh(updates):
            self._take(update, waited=not self._caught_up.is_set())
        if len(updates) < BATCH:
            self._caught_up.set()
        await self._inbox.idle(GLANCE)

    def _take(self, update: Update, *, waited: bool) -> None:
        """Acknowledge a press at once; handle it when everything its person did before is handled."""
        user = update.effective_user.id if update.effective_user else None
        query = update.callback_query
        ack = self._lanes.add(("ack", update.update_id), partial(self._acknowledge, query)) if query else None
        self._lanes.add(("person", user), partial(self._handle, update, ack, waited=waited))

    async def _acknowledge(self, query: CallbackQuery) -> None:
        """Stop the button from spinning. Where that fails the press is handled all the same."""
        for _ in range(ACK_TRIES):
            try:
                await self._bot.answer_callback_query(query.id, read_timeout=ACK_WITHIN, connect_timeout=ACK_WITHIN)
            except TimedOut:
                continue  # a hundred presses at once: the others are through by now
            except TelegramError as error:
                log.info("telegram.ack_failed", detail=explained(error))
            return

    async def _handle(self, update: Update, ack: asyncio.Task[None] | None, *, waited: bool) -> None:
        if ack:
            await asyncio.wait({ack}, timeout=ACK_WITHIN)
        heard = incoming(update, self._bot.username, waited=waited)
        card = await self._received(heard) if heard else None
        self._inbox.done(update.update_id)
        if heard and card:
            self._lanes.add(("reply", heard.address), partial(self._reply, heard, card))

    async def _received(self, heard: Incoming) -> Card | None:
        try:
            return await self._receive(heard)
        except Exception:  # one update that cannot be handled must not stop all that come after it
            log.exception("telegram.receive_failed", delivery_id=heard.delivery_id)
            return None
