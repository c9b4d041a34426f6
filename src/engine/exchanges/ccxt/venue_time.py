"""What time it is at a venue, and what may be entered while this machine's clock says something else.

Candles close by the venue's clock and decisions are made by ours. A clock that is slow decides on candles that are old
by then, one that is fast asks for candles that have not closed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from datetime import datetime
from decimal import Decimal
from statistics import median_low

from engine.domain.market import Timeframe
from engine.support.retry_after import parse_date

MOST_SKEW = 5.0
"""Seconds by which two clocks may differ on any timeframe, and before people are told."""
LONGEST_SKEW = 60.0
"""Seconds by which they may differ on the longest timeframe: more is no clock that was set."""
REMEDY = "Set this machine's clock right, best by NTP."
_READINGS = 5
"""How many answers the time is read off: one server of many, or one stored answer, may tell a wrong one."""
_JITTER, _SAME_WORDS = 2.0, 0.1
"""By how many seconds and by which fraction a difference must change before it is told in new words."""


class VenueTime:
    """How far the venue's clock is from this machine's, read off its answers.

    What was read holds until this machine's clock jumps: it was set, or the whole machine stood still.
    """

    def __init__(self, *, monotonic: Callable[[], float], now: Callable[[], datetime]) -> None:
        self._monotonic = monotonic
        self._now = now
        self._ahead: deque[float] = deque(maxlen=_READINGS)
        self._began = self._beginning()
        self.silent = False
        """Whether the newest answer told no time."""

    def read(self, date: str) -> None:
        """Take in the ``Date`` of an answer; one that is none leaves what was known."""
        theirs = parse_date(date)
        self.silent = theirs is None
        if theirs is None:
            return
        if self._has_jumped():
            self._ahead.clear()
        self._began = self._beginning()
        self._ahead.append(theirs.timestamp() - self._now().timestamp())

    @property
    def skew(self) -> float | None:
        """Seconds by which the venue's clock is ahead, to about one; ``None`` until it has said, and after a jump."""
        return None if not self._ahead or self._has_jumped() else median_low(self._ahead)

    def _has_jumped(self) -> bool:
        return abs(self._beginning() - self._began) > MOST_SKEW

    def _beginning(self) -> float:
        """When the monotonic clock began, by the other one: the same for as long as both go on alike."""
        return self._now().timestamp() - self._monotonic()


class ClockCheck:
    """Says whether this machine's clock is near enough to a venue's, and what is not entered where it is not.

    Args:
        venue: The venue, for people.
        time: Its clock; ``None`` while there is no connection yet.
        fraction: How much of a candle the clocks may differ by; at least ``MOST_SKEW``, at most ``LONGEST_SKEW``.
        timeframes: The candles that entries are decided on.
    """

    def __init__(
        self,
        *,
        venue: str,
        time: Callable[[], VenueTime | None],
        fraction: Decimal,
        timeframes: Collection[Timeframe],
    ) -> None:
        self._venue = venue
        self._time = time
        self._fraction = float(fraction)
        self._timeframes = sorted(set(timeframes), key=lambda each: each.millis)
        self._told = 0.0

    @property
    def skew(self) -> float | None:
        """Seconds by which the venue's clock is ahead of ours; ``None`` while it is not known."""
        time = self._time()
        return time.skew if time else None

    def limit(self, timeframe: Timeframe) -> float:
        """Seconds by which the clocks may differ for an entry that is decided on such candles."""
        return min(LONGEST_SKEW, max(MOST_SKEW, self._fraction * timeframe.duration.total_seconds()))

    def no_entry(self, timeframe: Timeframe) -> str:
        """Why nothing is entered on such candles, and what to do about it; empty where the clocks agree."""
        skew = self.skew
        if skew is None:
            return f"{self._venue} has not said yet what time it is: this machine's clock may be wrong"
        if abs(skew) <= self.limit(timeframe):
            return ""
        allowed = f"{self.limit(timeframe):.0f} s are allowed on {timeframe} candles"
        return f"{self._difference(skew)}; {allowed}. {REMEDY}"

    @property
    def health(self) -> str:
        """``ok``, or how far the clocks are apart and what follows from it, in words for people."""
        skew, time = self.skew, self._time()
        if skew is None:
            silent = time is not None and time.silent
            return f"{self._venue}'s answers tell no time (no Date): nothing is entered" if silent else "ok"
        if abs(skew) <= MOST_SKEW:
            return "ok"
        if abs(skew - self._told) > max(_JITTER, _SAME_WORDS * abs(self._told)):
            self._told = skew
        return f"{self._difference(self._told)}: {self._entered(abs(skew))}"

    def _entered(self, skew: float) -> str:
        """What is entered, and what is not."""
        stopped = [str(each) for each in self._timeframes if skew > self.limit(each)]
        goes_on = [f"{each} (up to {self.limit(each):.0f} s)" for each in self._timeframes if skew <= self.limit(each)]
        if not goes_on:
            return f"nothing is entered on {', '.join(stopped)} candles"
        on = f"entries on {', '.join(goes_on)} candles go on"
        return f"nothing is entered on {', '.join(stopped)} candles; {on}" if stopped else on

    def _difference(self, skew: float) -> str:
        way = "behind" if skew > 0 else "ahead of"
        return f"this machine's clock is {_length(abs(skew))} {way} {self._venue}'s"


def _length(seconds: float) -> str:
    """A length of time in its largest unit that shows two of it."""
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
