"""Watches whether the platforms on somebody else's servers are well, and has people told when one is not.

A blink is no news and a flapping connection no storm: a trouble is told once it has lasted, and its end once the
platform has been well for a while; what comes back soon is the same trouble, and keeps its card.

    well ──bad for TROUBLED_AFTER──▶ troubled ──well for WELL_AFTER, longer each time it came back──▶ well
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from engine.domain.events import PlatformRecovered, PlatformTroubled
from engine.domain.health import PlatformTrouble
from engine.ports import Clock
from engine.store.database import Database
from engine.store.unit_of_work import UnitOfWork
from engine.support.faults import FaultLog

_log = structlog.get_logger(__name__)

LOOK_EVERY = 0.5
"""Wall seconds between two looks."""
TROUBLED_AFTER = 5.0
"""Wall seconds after which a trouble is told."""
WELL_AFTER = 10.0
"""Wall seconds after which a platform that was troubled is called well; twice that for each time it came back."""
LONGEST_WELL_AFTER = 600.0
SAME_WITHIN = 600.0
"""Wall seconds within which a trouble that comes back is the same one."""
NEW_WORDS_AFTER = 30.0
"""Wall seconds between two changes of what is told of one trouble; new words must have lasted as a new trouble must."""
WELL = "ok"


@dataclass(slots=True, kw_only=True)
class Pulse:
    """What is remembered of one platform; times are wall seconds.

    Attributes:
        text, text_since: How it was at the last look, and since when in these words.
        bad_since: When it was first seen unwell, without having been well for long since.
        well_since: Since when it is well; ``None`` while it is not.
        told: The trouble that people know of; ``None`` once they know that it is over.
        last: The newest trouble, told or over.
        last_told_at: When something about it was told.
        returns: How often it has come back.
    """

    text: str = WELL
    text_since: float = float("-inf")
    bad_since: float | None = None
    well_since: float | None = None
    told: PlatformTrouble | None = None
    last: PlatformTrouble | None = None
    last_told_at: float = float("-inf")
    returns: int = 0

    @property
    def calm(self) -> float:
        """How long it must be well to be called well."""
        return min(WELL_AFTER * (1 << self.returns), LONGEST_WELL_AFTER)

    def feel(self, text: str, now: float) -> None:
        """Take in how the platform is at this moment."""
        if text != self.text:
            self.text, self.text_since = text, now
        if text != WELL:
            self.well_since = None
            self.bad_since = now if self.bad_since is None else self.bad_since
            return
        self.well_since = now if self.well_since is None else self.well_since
        if self.is_calm(now):
            self.bad_since = None

    def has_new_words(self, now: float) -> bool:
        """Whether what is wrong is no longer what was told, and not only while it changes or ends."""
        if self.told is None or self.text in (WELL, self.told.text) or now - self.text_since < TROUBLED_AFTER:
            return False
        return now - self.last_told_at >= NEW_WORDS_AFTER

    def is_calm(self, now: float) -> bool:
        """Whether it has been well for long enough."""
        return self.well_since is not None and now - self.well_since >= self.calm

    def is_troubled(self, now: float) -> bool:
        """Whether it is unwell, and not just now for the first time."""
        return self.well_since is None and self.bad_since is not None and now - self.bad_since >= TROUBLED_AFTER


class PlatformWatch:
    """Looks at every platform's health, and writes down when one is troubled and when it has recovered.

    Args:
        health: How each platform is, by name: ``ok``, or what is wrong in words for people.
        clock: Market time for what is written; wall seconds for what has lasted.
        can_write: Whether the database is known to work; while it is not, nothing is tried.
    """

    def __init__(
        self,
        *,
        store: Database,
        health: Mapping[str, Callable[[], str]],
        clock: Clock,
        can_write: Callable[[], bool] = lambda: True,
    ) -> None:
        self._store = store
        self._health = health
        self._clock = clock
        self._can_write = can_write
        self._pulses: dict[str, Pulse] = {}

    @property
    def troubled(self) -> frozenset[str]:
        """The platforms that people know to be in trouble."""
        return frozenset(name for name, pulse in self._pulses.items() if pulse.told)

    async def run(self) -> None:
        """Look until cancelled."""
        faults = FaultLog(_log, "the platforms' health was not looked at")
        while True:
            try:
                await self.observe()
                faults.works()
            except Exception as error:  # noqa: BLE001 - one look that fails must not be the last one
                faults.note(error)
            await asyncio.sleep(LOOK_EVERY)

    async def observe(self) -> None:
        """Look once at every platform, and tell what has become certain."""
        if not self._can_write():
            return
        for platform, ask in self._health.items():
            pulse, text, now = await self._pulse(platform), ask(), self._clock.monotonic()
            pulse.feel(text, now)
            if pulse.told is None and pulse.is_troubled(now):
                await self._begin(platform, pulse, text)
            elif pulse.has_new_words(now):
                await self._go_on(platform, pulse, text)
            elif pulse.told and pulse.is_calm(now):
                await self._end(platform, pulse)

    async def _pulse(self, platform: str) -> Pulse:
        """What is remembered of a platform; after a restart, the trouble that people still know of."""
        if platform not in self._pulses:
            last = await self._store.read(lambda uow: uow.troubles.newest(platform))
            self._pulses[platform] = Pulse(told=last if last and last.ended_at is None else None, last=last)
        return self._pulses[platform]

    async def _begin(self, platform: str, pulse: Pulse, text: str) -> None:
        before = pulse.last
        if before is not None and self._clock.monotonic() - pulse.last_told_at < SAME_WITHIN:
            pulse.returns += 1
            await self._tell(platform, pulse, lambda uow: uow.troubles.go_on(before, text))
            return
        pulse.returns, at = 0, self._clock.now()
        await self._tell(platform, pulse, lambda uow: uow.troubles.begin(platform, text, at))

    async def _go_on(self, platform: str, pulse: Pulse, text: str) -> None:
        if (known := pulse.told) is not None:
            await self._tell(platform, pulse, lambda uow: uow.troubles.go_on(known, text))

    async def _tell(self, platform: str, pulse: Pulse, note: Callable[[UnitOfWork], PlatformTrouble]) -> None:
        at = self._clock.now()

        def work(uow: UnitOfWork) -> PlatformTrouble:
            trouble = note(uow)
            uow.emit(PlatformTroubled(at=at, trouble_id=trouble.id, platform=platform, text=trouble.text))
            return trouble

        pulse.told = pulse.last = await self._store.transact(work)
        pulse.last_told_at = self._clock.monotonic()
        _log.warning("platform troubled", platform=platform, text=pulse.told.text)

    async def _end(self, platform: str, pulse: Pulse) -> None:
        at, known = self._clock.now(), pulse.told
        if known is None:
            return

        def work(uow: UnitOfWork) -> PlatformTrouble:
            uow.emit(PlatformRecovered(at=at, trouble_id=known.id, platform=platform))
            return uow.troubles.end(known, at)

        pulse.last, pulse.told = await self._store.transact(work), None
        pulse.last_told_at = self._clock.monotonic()
        _log.info("platform recovered", platform=platform)
