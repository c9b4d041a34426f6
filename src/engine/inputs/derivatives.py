"""What futures tell of each market, asked for beside everything else and kept with its age: no decision waits for it.

A close waits ``AT_MOST`` for what it asks; what comes later is there at the next one. While an answer is later than
that, nobody waits at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog

from engine.domain.decisions import Input
from engine.domain.derivatives import FundingRate, LongShort, OpenInterest
from engine.domain.errors import VenueError
from engine.domain.figures import grouped, plain
from engine.ports import Clock, DerivativesData

_log = structlog.get_logger(__name__)

AT_MOST = 0.5
"""Wall seconds that a close waits for what it has asked."""
REFRESH_AFTER, MAX_AGE = timedelta(minutes=5), timedelta(hours=2)
_NEVER = datetime.max.replace(tzinfo=UTC)

Reading = FundingRate | OpenInterest | LongShort
Ask = Callable[[str], Awaitable[Reading | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDerivatives:
    """Asks a reader of futures when something is wanted and what is kept is older than that.

    Attributes:
        refresh_after: How old what is kept may be before it is asked for again, answered or not.
        max_age: How old a reading may be and is still told; an older one is as good as none.
    """

    source: DerivativesData
    clock: Clock
    refresh_after: timedelta = REFRESH_AFTER
    max_age: timedelta = MAX_AGE
    at_most: float = AT_MOST
    _kept: dict[tuple[str, str], Reading] = field(default_factory=dict, init=False)
    _wrong: dict[tuple[str, str], str] = field(default_factory=dict, init=False)
    _due_at: dict[str, datetime] = field(default_factory=dict, init=False)
    _begun: dict[str, float] = field(default_factory=dict, init=False)
    _asking: dict[str, asyncio.Task[None]] = field(default_factory=dict, init=False)

    async def of(self, symbol: str) -> tuple[Input, ...]:
        """What is known of a market's futures, each reading with its age; nothing where nobody is asked."""
        now = self.clock.now()
        if symbol not in self._asking and now >= self._due_at.get(symbol, now):
            self._due_at[symbol] = now + self.refresh_after
            if self.source.at_once:
                self._note(symbol, [await self._ask(symbol, *each) for each in self._questions().items()])
            else:
                self._begin(symbol)
        if symbol in self._asking and (left := self._left()) > 0:
            await asyncio.wait((self._asking[symbol],), timeout=left)
        told = (self._told(symbol, name) for name in self._questions())
        return tuple(found for found in told if found is not None)

    async def stop(self) -> None:
        """Wait for no answer any more, and let go of the connections."""
        asked = tuple(self._asking.values())
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
        await self.source.close()

    def _questions(self) -> dict[str, Ask]:
        return {
            "funding": self.source.funding,
            "open interest": self.source.open_interest,
            "long and short": self.source.long_short,
        }

    def _begin(self, symbol: str) -> None:
        self._begun[symbol] = self.clock.monotonic()
        self._asking[symbol] = asyncio.create_task(self._ask_all(symbol))

    def _left(self) -> float:
        """For how many wall seconds to wait, so that the answer that is asked for the longest has had its time."""
        begun = min((self._begun[symbol] for symbol in self._asking), default=None)
        return 0.0 if begun is None else begun + self.at_most - self.clock.monotonic()

    async def _ask_all(self, symbol: str) -> None:
        try:
            self._note(symbol, await asyncio.gather(*(self._ask(symbol, *each) for each in self._questions().items())))
        finally:
            del self._asking[symbol]

    def _note(self, symbol: str, answers: Sequence[bool]) -> None:
        """Where nobody could know anything nobody is asked again."""
        if not any(answers):
            self._due_at[symbol] = _NEVER

    async def _ask(self, symbol: str, name: str, ask: Ask) -> bool:
        """Ask one thing; whether there is anybody who could know."""
        try:
            found = await ask(symbol)
        except VenueError as error:
            if self._wrong.get((symbol, name)) != error.message:
                _log.warning("what futures tell is not known", symbol=symbol, what=name, reason=error.message)
            self._wrong[symbol, name] = error.message
            return True
        self._wrong.pop((symbol, name), None)
        if found is not None:
            self._kept[symbol, name] = found
        return found is not None

    def _told(self, symbol: str, name: str) -> Input | None:
        """A reading in words, or why there is none; ``None`` where nobody is asked."""
        now, found = self.clock.now(), self._kept.get((symbol, name))
        if found is not None and now - found.at <= self.max_age:
            return Input(name=name, age=max(now - found.at, timedelta(0)), detail=in_words(found, symbol))
        if reason := self._wrong.get((symbol, name)):
            return Input(name=name, age=None, detail=f"unknown: {reason}")
        if found is not None:
            return Input(name=name, age=None, detail=f"unknown: the newest is of {found.at:%Y-%m-%d %H:%M} UTC")
        if symbol in self._asking:
            return Input(name=name, age=None, detail="unknown: no answer yet")
        return None


def in_words(reading: Reading, symbol: str) -> str:
    """A reading as traders say it."""
    match reading:
        case FundingRate(rate=rate, next_at=next_at):
            at = f" at {next_at:%H:%M} UTC" if next_at else ""
            pays = "longs pay shorts" if rate > 0 else "shorts pay longs"
            return f"{pays} {plain(abs(rate) * 100, 4)} %{at}" if rate else f"nobody pays{at}"
        case OpenInterest(quantity=quantity):
            return f"{grouped(quantity)} {symbol.partition('/')[0]}"
        case LongShort(long=long, short=short):
            return f"of accounts {plain(long * 100, 4)} % long, {plain(short * 100, 4)} % short"
