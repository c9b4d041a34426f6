"""Makes every destination show what it should: reads what is due, asks for the topic's current card, puts it there.

Edits, folding, retries and restarts all fall out of that: a card that changed three times during an outage is shown
once, as it is now. Approvals and alarms go first, the rest in order; a platform that is down holds up no other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

import structlog

from engine.domain.errors import StoreError
from engine.domain.messages import Card, Destination, Ref
from engine.ports import BadCard, Gone, Platform, RetryAt
from engine.store.database import Database
from engine.store.outbox import Showing
from engine.store.unit_of_work import UnitOfWork
from engine.support.faults import fault_id

_log = structlog.get_logger(__name__)

EDITS_APART = 0.3
"""Wall seconds between two edits of one card on a distant platform: what changes several times is shown as it ends."""
REST_AFTER_SURPRISE = 5.0
"""Wall seconds a destination is left alone after an error nobody foresaw."""

Spot = tuple[str, Destination]
"""One topic in one place."""


class OutboxSender:
    """Sends what is due, until it is stopped. Each platform goes at its own pace, what is urgent first.

    Args:
        platforms: Those that can be sent to, by name.
        render: The current card of a topic; ``None`` where there is nothing to show.
        is_urgent: Whether a topic goes before the others that wait.
        monotonic: Wall seconds, for pacing only.
        edits_apart: Wall seconds between two edits of one card, by platform; one that is not named can show each.
        on_refused: Called with a topic that a platform will never show, in the transaction that gives it up there.
    """

    def __init__(
        self,
        *,
        store: Database,
        platforms: Mapping[str, Platform],
        render: Callable[[str], Awaitable[Card | None]],
        is_urgent: Callable[[str], bool],
        monotonic: Callable[[], float],
        on_refused: Callable[[UnitOfWork, str], None],
        edits_apart: Mapping[str, float] = MappingProxyType({}),
    ) -> None:
        self._store = store
        self._platforms = platforms
        self._render = render
        self._is_urgent = is_urgent
        self._monotonic = monotonic
        self._on_refused = on_refused
        self._edits_apart = edits_apart
        self._resting: dict[Destination | Spot, float] = {}
        self._unwritten: dict[Spot, Showing] = {}
        self._wakes = {name: asyncio.Event() for name in platforms}
        self._sending = {name: asyncio.Lock() for name in platforms}
        store.on_shown(self._wake)

    async def run(self) -> None:
        """Send whenever something changed, or a destination has rested."""
        await asyncio.gather(*(self._keep_shown(name) for name in self._platforms))

    async def flush(self) -> int:
        """Send all that can be sent now; how many cards are still due at destinations that rest."""
        await asyncio.gather(*(self._send_all(name) for name in self._platforms))
        return len([s for s in await self._due() if s.destination.platform in self._platforms])

    def _wake(self) -> None:
        for wake in self._wakes.values():
            wake.set()

    async def _keep_shown(self, name: str) -> None:
        wake = self._wakes[name]
        while True:
            wake.clear()
            try:
                await self._send_all(name)
            except StoreError:
                _log.exception("the outbox could not be read", platform=name, reference=fault_id())
                await asyncio.sleep(REST_AFTER_SURPRISE)
                continue
            try:
                async with asyncio.timeout(self._rests_for(name)):
                    await wake.wait()
            except TimeoutError:
                continue

    async def _send_all(self, name: str) -> None:
        async with self._sending[name]:
            while (showing := await self._next(name)) is not None:
                await self._try(showing)

    async def _next(self, name: str) -> Showing | None:
        """What a platform should show next: the urgent first, then in the order in which the topics came up."""
        await self._store.yield_to_answers()
        self._forget_rested()
        waiting = [s for s in await self._due() if s.destination.platform == name and not self._rests(s)]
        return min(waiting, key=lambda showing: not self._is_urgent(showing.topic), default=None)

    async def _due(self) -> tuple[Showing, ...]:
        return await self._store.read(lambda uow: uow.outbox.due())

    def _rests(self, showing: Showing) -> bool:
        return showing.destination in self._resting or _spot(showing) in self._resting

    def _forget_rested(self) -> None:
        now = self._monotonic()
        self._resting = {what: until for what, until in self._resting.items() if until > now}

    def _rests_for(self, name: str) -> float | None:
        """Seconds until the next of a platform's places or cards has rested; ``None`` where none rests."""
        now = self._monotonic()
        rests = [until - now for what, until in self._resting.items() if _platform(what) == name]
        return max(min(rests), 0.0) if rests else None

    async def _try(self, showing: Showing) -> None:
        try:
            await self._send(showing)
        except RetryAt as error:
            self._rest(showing.destination, error.seconds)
        except Exception:  # noqa: BLE001 - the boundary to platforms: one card must not stop the others
            _log.exception("card not sent", topic=showing.topic, reference=fault_id())
            self._rest(showing.destination, REST_AFTER_SURPRISE)

    def _rest(self, what: Destination | Spot, seconds: float) -> None:
        self._resting[what] = self._monotonic() + seconds

    async def _send(self, showing: Showing) -> None:
        try:
            done = await self._shown(showing)
        except BadCard as error:
            _log.error("the platform refuses this card", topic=showing.topic, reason=error.message)
            await self._store.transact(lambda uow: self._give_up(uow, showing))
        else:
            await self._store.transact(lambda uow: uow.outbox.sent(replace(done, ref=showing.ref), done.ref))
            if showing.ref is not None:
                self._rest(_spot(showing), self._edits_apart.get(showing.destination.platform, 0.0))
        self._unwritten.pop(_spot(showing), None)

    async def _shown(self, showing: Showing) -> Showing:
        """Show a topic, unless that was done and only could not be written down: it must not be shown once a try."""
        spot = _spot(showing)
        before = self._unwritten.get(spot)
        if before is not None and before.wanted_version >= showing.wanted_version:
            return before
        known = showing if before is None else replace(showing, ref=before.ref)
        card = await self._card(known.topic)
        done = replace(known, ref=known.ref if card is None else await self._put(known, card))
        self._unwritten[spot] = done
        return done

    def _give_up(self, uow: UnitOfWork, showing: Showing) -> None:
        uow.outbox.sent(showing, showing.ref)
        self._on_refused(uow, showing.topic)

    async def _card(self, topic: str) -> Card | None:
        """A topic's card; where it cannot be drawn, one that says so: an alert always arrives."""
        try:
            return await self._render(topic)
        except StoreError:
            raise
        except Exception:  # noqa: BLE001 - whatever is wrong with one card, the others go on
            reference = fault_id()
            _log.exception("card not drawn", topic=topic, reference=reference)
            return Card(title=f"{topic}: this card cannot be shown (log id {reference})", topic=topic)

    async def _put(self, showing: Showing, card: Card) -> Ref:
        platform, to = self._platforms[showing.destination.platform], showing.destination
        under = await self._store.read(lambda uow: uow.outbox.ref(card.thread, to)) if card.thread else None
        await self._store.yield_to_answers()
        try:
            return await platform.put(to, card, showing.ref, under)
        except Gone:
            return await platform.put(to, card, None, under)


def _spot(showing: Showing) -> Spot:
    return showing.topic, showing.destination


def _platform(what: Destination | Spot) -> str:
    return what.platform if isinstance(what, Destination) else what[1].platform
