"""What a venue tells afterwards of a time in which nobody looked: candles, and trades where a candle says too little.

The first candle of such a time may have had its extremes before it, or before an order that was placed a moment before
the program was killed. When its prices were what, only its trades tell; where they cannot be had the path takes the
worst of it, see ``points_over_gap``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.domain.errors import NoData, VenueError
from engine.domain.market import Candles, from_millis, to_millis
from engine.exchanges.ccxt.client import VenueClient
from engine.simulation.path import Trade

_ROWS = 300
"""How many candles a gap is bridged with at most; no venue gives fewer at once."""
_BEFORE = timedelta(minutes=1)
"""How far before a gap trades are asked for: only one from there proves that they reach back to where it begins."""
_SHORTEST = timedelta(milliseconds=1)
"""What is traded at the very close of a candle belongs to the next one: how long before it the last of its own is."""
_PAGES = 12
"""How many pages of trades are turned at most: a minute of a busy market has some thousands of trades."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A time in which nobody looked.

    Attributes:
        candles: Those of that time; the first may have opened before it, the last one may still be open.
        after: Where it begins.
        until: Where it ends.
        trades: Every trade from ``after`` on, until the first candle closes; ``None`` where they are not known.
    """

    candles: Candles
    after: datetime
    until: datetime
    trades: Sequence[Trade] | None = None


async def told_of(client: VenueClient, symbol: str, after: datetime, until: datetime) -> list[Gap]:
    """The shortest candles that reach back so far, and up to where the first of them opens shorter ones.

    Raises:
        VenueError: The venue cannot be reached, or answers nonsense.
    """
    lengths = sorted(client.timeframes, key=lambda each: each.millis)
    reaching = [each for each in lengths if (until - each.floor(after)) / each.duration < _ROWS]
    timeframe = reaching[0] if reaching else lengths[-1]
    opens = timeframe.floor(after)
    try:
        found = await client.candles(symbol, timeframe, _ROWS, opens)
    except NoData:
        return []
    if timeframe is lengths[0]:
        trades = await _trades(client, symbol, after, min(until, opens + timeframe.duration - _SHORTEST))
        return [Gap(candles=found, after=after, until=until, trades=trades)]
    begins = opens + timeframe.duration
    return [*await told_of(client, symbol, after, begins), Gap(candles=found, after=begins, until=until)]


async def _trades(client: VenueClient, symbol: str, after: datetime, until: datetime) -> list[Trade] | None:
    """Every trade in ``(after, until]``, oldest first; ``None`` where that is not sure."""
    begin, end = to_millis(after), to_millis(until)
    found: list[Trade] = []
    asked = after - _BEFORE
    for _ in range(_PAGES):
        try:
            page = await client.trades(symbol, asked)
        except (NoData, VenueError):
            return None
        newest = page[-1][0] if page else 0
        found += page
        if not found or found[0][0] > begin:
            return None
        if newest > end or newest <= to_millis(asked):
            return [(at, price) for at, price in found if begin < at <= end]
        asked = from_millis(newest)
    return None
