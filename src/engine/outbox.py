"""Makes every destination show what it should: reads what is due, asks for the topic's current card, puts it there.

Edits, folding, retries and restarts all fall out of that: a card that changed three times during an outage is shown
once, as it is now. Order is kept at each destination; one that is down or wants a rest holds up no other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from itertools import groupby
from uuid import uuid4

import structlog

from engine.domain.messages import Card, Destination, Ref
from engine.ports import BadCard, Gone, Platform, RetryAt
from engine.store.database import Database
from engine.store.outbox import Showing

_log = structlog.get_logger(__name__)

REST_AFTER_SURPRISE = 5.0
"""Wall seconds a destination is left alone after an error nobody foresaw."""


class OutboxSender:
    """Sends what is due, until it is stopped.

    Args:
        render: The current card of a topic; ``None`` where there is nothing to show.
        monotonic: Wall seconds, for pacing only.
    """

    def __init__(
        self,
        *,
        store: Database,
        platforms: Mapping[str, Platform],
        render: Callable[[str], Awaitable[Card | None]],
        monotonic: Callable[[], float],
    ) -> None:
        self._store = store
        self._platforms = platforms
        self._render = render
        self._monotonic = monotonic
        self._resting: dict[Destination, float] = {}
        self._wake = asyncio.Event()
        self._flushing = asyncio.Lock()
        store.on_shown(self._wake.set)

    async def run(self) -> None:
        """Send whenever something changed, or a destination has rested."""
        while True:
            self._wake.clear()
            await self.flush()
            now = self._monotonic()
            rest = min((until - now for until in self._resting.values()), default=None)
            try:
                async with asyncio.timeout(None if rest is None else max(rest, 0.05)):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def flush(self) -> int:
        """Send all that can be sent now; how many cards are still due at destinations that rest."""
        async with self._flushing:
            while True:
                due = [s for s in await self._store.read(lambda uow: uow.outbox.due()) if self._known(s.destination)]
                ready = [showing for showing in due if not self._rests(showing.destination)]
                if not ready:
                    return len(due)
                by_place = sorted(ready, key=lambda s: (s.destination.platform, s.destination.address))
                groups = [list(group) for _, group in groupby(by_place, key=lambda s: s.destination)]
                await asyncio.gather(*(self._send_in_order(group) for group in groups))

    def _known(self, destination: Destination) -> bool:
        return destination.platform in self._platforms

    def _rests(self, destination: Destination) -> bool:
        return self._resting.get(destination, 0.0) > self._monotonic()

    async def _send_in_order(self, showings: list[Showing]) -> None:
        for showing in showings:
            self._resting.pop(showing.destination, None)
            try:
                await self._send(showing)
            except RetryAt as error:
                self._rest(showing.destination, error.seconds)
                return
            except Exception:  # noqa: BLE001 - the boundary to platforms: one card must not stop the others
                _log.exception("card not sent", topic=showing.topic, error_id=uuid4().hex[:8])
                self._rest(showing.destination, REST_AFTER_SURPRISE)
                return

    def _rest(self, destination: Destination, seconds: float) -> None:
        self._resting[destination] = self._monotonic() + seconds

    async def _send(self, showing: Showing) -> None:
        card = await self._render(showing.topic)
        ref = showing.ref if card is None else await self._put(showing, card)
        await self._store.transact(lambda uow: uow.outbox.sent(showing, ref))

    async def _put(self, showing: Showing, card: Card) -> Ref | None:
        platform = self._platforms[showing.destination.platform]
        try:
            return await platform.put(showing.destination, card, showing.ref)
        except Gone:
            return await platform.put(showing.destination, card, None)
        except BadCard as error:
            _log.error("the platform refuses this card", topic=showing.topic, reason=error.message)
            return showing.ref
