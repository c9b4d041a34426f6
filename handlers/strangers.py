"""Who writes to the bot and is not listed: noted so that an admin can let them in, within what a flood may fill."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import structlog

from engine.timing.clocks import monotonic
from handlers.pacing import Bucket, Rate

_log = structlog.get_logger(__name__)

REMEMBERED = 1000
"""How many strangers are known apart from new ones; the one unheard of for longest is new again."""
AT_ONCE = 100
"""So many new strangers are noted at once, and so many further messages of all of them."""
PER_SECOND = 1 / 60
"""How many more of each are noted in a second: a flood that lasts fills a few hundred kilobytes a day."""
LONGEST_NAME = 40


class Strangers:
    """Says what is worth noting of what strangers send. Whoever writes a lot cannot hide who writes for the first time.

    Args:
        monotonic: Where its time comes from.
    """

    def __init__(self, monotonic: Callable[[], float] = monotonic) -> None:
        rate, now = Rate(per_second=PER_SECOND, burst=AT_ONCE), monotonic()
        self._monotonic = monotonic
        self._first = Bucket(rate=rate, tokens=AT_ONCE, at=now)
        self._again = Bucket(rate=rate, tokens=AT_ONCE, at=now)
        self._owed: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._overrun = False

    def knows(self, platform: str, user: str) -> bool:
        """Whether a stranger was noted before, as far as is remembered."""
        return (platform, user) in self._owed

    def to_note(self, platform: str, user: str) -> int:
        """How many messages of a stranger to note, now that one more came; 0 while they come too fast."""
        who, now = (platform, user), self._monotonic()
        bucket = self._again if who in self._owed else self._first
        if bucket.wait(now) > 0:
            self._leave_out(who)
            return 0
        bucket.take()
        self._overrun = False
        times = self._owed.pop(who, 0) + 1
        self._owed[who] = 0
        if len(self._owed) > REMEMBERED:
            self._owed.popitem(last=False)
        return times

    def _leave_out(self, who: tuple[str, str]) -> None:
        if who in self._owed:
            self._owed[who] += 1
        if not self._overrun:
            self._overrun = True
            _log.warning("strangers write faster than is noted", platform=who[0])


def shown_name(name: str) -> str:
    """What a stranger calls themselves, fit to be shown on one line: it may be anything, of any length."""
    printable = "".join(character if character.isprintable() else " " for character in name[: 10 * LONGEST_NAME])
    text = " ".join(printable.split())
    return text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 1]}…"
