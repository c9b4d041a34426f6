"""Keeps a live feed's candles: asked for when they close, and again while what came is missing or bad."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from engine.analysis.quality import DataQualityMonitor
from engine.data.live.feed import LiveFeed
from engine.data.live.pages import PAGE, Pages
from engine.data.live.pauses import Pauses
from engine.domain.decisions import Issue
from engine.domain.errors import VenueError
from engine.domain.figures import plain
from engine.domain.market import Candles, Timeframe
from engine.exchanges.ccxt.client import VenueClient
from engine.ports import Clock

AFTER_CLOSE = timedelta(seconds=0.5)
"""How long after its close a candle is asked for first: before, no venue has it."""
LOOK_EVERY = 0.25
"""Wall seconds between two looks at whether a candle is due."""
ASKED_AGAIN = 4
"""How often a bad answer is asked again before a decision waits for it no longer; that takes some eight seconds."""
_LONGEST_DOUBT = 300.0
"""The longest pause, in wall seconds, before candles that stay bad are asked for again."""
_UNSURE = 1.5
"""Seconds up to which two clocks cannot be told apart: the venue tells its time in whole seconds."""
_SPARE = 2
"""Candles asked for beyond what is needed: the open one, and one that closes meanwhile."""
_CHANGED = "changed"
"""A series that seems to have changed its nature: people must lift that halt, so it is asked about more than once."""
_FAR = "far"
"""A newest candle that closes far from the order book of that moment: it may be wrong, whatever its volume."""
_JUST = timedelta(seconds=30)
"""For how long after its close a candle is held against the order book: later the price has gone on by itself."""
_ONLY_TIME_MENDS = {"too few", "stale"}
"""What another answer cannot make good; a newest candle that is missing is asked for in any case."""

Wanted = tuple[str, Timeframe]


@dataclass(frozen=True, slots=True, kw_only=True)
class BadAnswer:
    """Candles that came and cannot be used.

    Attributes:
        issues: What is wrong with them.
        asked: How many answers in a row had the same kinds of faults.
    """

    issues: tuple[Issue, ...]
    asked: int


class CandleRefresher:
    """Asks the venue for the candles that are wanted and puts them into the feed.

    A bad answer goes into the feed as it came, for the quality gate to refuse; and is asked for again, with growing
    pauses, for as long as it is bad.

    Args:
        wanted: The candles, by symbol and timeframe.
        history: How many closed candles are kept of each.
        max_price_gap: How far a newest close may be from the order book and is believed at once, as a fraction of it.
        traded: The markets that are traded at present.
        tell: Notes how asking about something went.
    """

    def __init__(
        self,
        *,
        client: VenueClient,
        feed: LiveFeed,
        clock: Clock,
        quality: DataQualityMonitor,
        wanted: Sequence[Wanted],
        history: int,
        pauses: Pauses,
        max_price_gap: Decimal,
        traded: Callable[[], Sequence[str]],
        tell: Callable[[str, VenueError | None], Awaitable[None]],
    ) -> None:
        self._client = client
        self._feed = feed
        self._clock = clock
        self._quality = replace(quality, confirms=self.is_near_the_book)
        self._wanted = tuple(wanted)
        self._history = history
        self._pages = Pages(client, history + _SPARE)
        self._pauses = pauses
        self._max_price_gap = max_price_gap
        self._traded = traded
        self._tell = tell
        self._bad: dict[Wanted, BadAnswer] = {}
        self._far: dict[Wanted, tuple[datetime, float]] = {}
        self._asking: set[Wanted] = set()

    async def run(self) -> None:
        """Ask until cancelled; no answer is waited for before another question is asked."""
        self._asking.clear()
        async with asyncio.TaskGroup() as group:
            while True:
                for wanted in self._to_ask():
                    self._asking.add(wanted)
                    group.create_task(self._ask(wanted))
                await asyncio.sleep(LOOK_EVERY)

    @property
    def longest_burst(self) -> float:
        """Wall seconds that all candles take that can close at once, within the venue's limits."""
        return len(self._wanted) * self._client.pace

    @property
    def bad(self) -> dict[str, str]:
        """What is wrong with candles that came, by symbol; one that has become another is no trouble of the venue."""
        return {
            symbol: f"{symbol} {timeframe}: {answer.issues[0].detail}"
            for (symbol, timeframe), answer in self._bad.items()
            if not all(kind.startswith(_CHANGED) for kind in _kinds(answer.issues))
        }

    def now_there(self) -> datetime:
        """What has closed at the venue before it is asked: by its clock, where that is known to be behind."""
        skew = self._client.skew or 0.0
        return self._clock.now() + timedelta(seconds=skew if skew < -_UNSURE else 0.0)

    def due(self, at: datetime) -> list[Wanted]:
        """What has closed at ``at`` and is not held."""
        traded = set(self._traded())
        return [each for each in self._wanted if each[0] in traded and not self._is_held(*each, at)]

    def is_waited_for(self, at: datetime) -> bool:
        """Whether what has closed at ``at`` has yet to come in, or came in bad and may be mended by asking again."""
        traded = set(self._traded())
        mendable = (symbol in traded and bad.asked <= ASKED_AGAIN for (symbol, _), bad in self._bad.items())
        return bool(self.due(at)) or any(mendable)

    def _to_ask(self) -> list[Wanted]:
        traded = set(self._traded())
        due = [each for each in self.due(self.now_there() - AFTER_CLOSE) if self._pauses.over(each)]
        doubtful = [each for each in self._bad if each[0] in traded and self._pauses.over(("bad", each))]
        return [each for each in dict.fromkeys((*due, *doubtful)) if each not in self._asking]

    def _is_held(self, symbol: str, timeframe: Timeframe, at: datetime) -> bool:
        newest = self._feed.closed_at(symbol, timeframe)
        return timeframe not in self._client.timeframes or (newest is not None and newest >= timeframe.floor(at))

    async def _ask(self, wanted: Wanted) -> None:
        try:
            await self._fetch(wanted)
        finally:
            self._asking.discard(wanted)

    async def _fetch(self, wanted: Wanted) -> None:
        """Ask for the newest candles; a venue that does not have the one that has just closed is asked again."""
        symbol, timeframe = wanted
        there = self.now_there()
        try:
            answer = await self._client.candles(symbol, timeframe, min(self._history + _SPARE, PAGE))
            held = self._feed.held(symbol, timeframe) if wanted not in self._bad else None
            found = await self._pages.back_from(answer, held)
        except VenueError as error:
            if wanted in self._bad:
                self._pauses.next(("bad", wanted), _LONGEST_DOUBT)
            await self._tell(f"{symbol} {timeframe}", error)
        else:
            closed = found.closed(there).tail(self._history + _SPARE)
            self._feed.keep(closed)
            self._judge(wanted, closed, there)
            await self._tell(f"{symbol} {timeframe}", None)
        if self._is_held(symbol, timeframe, there):
            self._pauses.end(wanted)
        else:
            self._pauses.next(wanted)

    def _judge(self, wanted: Wanted, candles: Candles, now: datetime) -> None:
        """Note whether an answer can be used; what stays bad is asked for ever less often."""
        _, report = self._quality.check(candles.tail(self._history), now)
        issues = tuple(issue for issue in report.refused if issue.kind not in _ONLY_TIME_MENDS)
        issues += tuple(Issue(kind=f"{_CHANGED} {change.at}", detail=change.detail) for change in report.changes)
        issues = issues or self._far_from_the_book(wanted, candles, now)
        before = self._bad.pop(wanted, None)
        if not issues:
            self._pauses.end(("bad", wanted))
            return
        same = before is not None and _kinds(before.issues) == _kinds(issues)
        self._bad[wanted] = BadAnswer(issues=issues, asked=(before.asked if before and same else 0) + 1)
        self._pauses.next(("bad", wanted), _LONGEST_DOUBT)

    def is_near_the_book(self, candles: Candles) -> bool:
        """Whether a close of just now is where the order book stands; where there is none, nobody can say."""
        now = self._clock.now()
        book = self._feed.book(candles.symbol, now)
        if not len(candles) or book is None or now - candles.closed_at > _JUST:
            return False
        return abs(Decimal(repr(float(candles.close[-1]))) - book.mid) <= self._max_price_gap * book.mid

    def _far_from_the_book(self, wanted: Wanted, candles: Candles, now: datetime) -> tuple[Issue, ...]:
        """A close that no order book shows, unless a second answer says the same of it."""
        book = self._feed.book(wanted[0], self._clock.now())
        if not len(candles) or book is None or now - candles.closed_at > _JUST:
            return ()
        close = float(candles.close[-1])
        known = self._far.pop(wanted, None)
        if not abs(Decimal(repr(close)) - book.mid) > self._max_price_gap * book.mid:
            return ()
        self._far[wanted] = (candles.closed_at, close)
        if known == self._far[wanted]:
            return ()
        detail = f"it closes at {plain(close)}, and the order book stands at {plain(book.mid, 8)}"
        return (Issue(kind=_FAR, detail=detail),)


def _kinds(issues: Sequence[Issue]) -> set[str]:
    return {issue.kind for issue in issues}
