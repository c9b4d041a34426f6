"""Lists that a venue tells page by page, taken together: whole, or not at all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from engine.domain.errors import VenueError
from engine.exchanges.ccxt.taken_in import Raw, time_of

Between = Callable[[int | None, int | None], Awaitable[Sequence[Raw]]]
"""Takes from and until when, in milliseconds since 1970; gives a page of trades, the newest where neither is given."""
Behind = Callable[[int], Awaitable[Sequence[Raw]]]
"""Takes how many are left out; gives a page of the others, the newest first."""

_WINDOW_MS = 24 * 3_600_000
"""The longest span that every venue tells at once."""
_MOST_PAGES = 1000
_TOO_MANY = "There are more of them than can be taken in at once."


async def by_time(page: Between, begins: int, limit: int, now_ms: int) -> list[Raw]:
    """Every trade from a time on: the newest page where it reaches so far back, else page by page from there.

    Raises:
        VenueError: The venue does not answer, or a page is missing.
    """
    found = await page(None, None)
    if len(found) < limit or min(map(time_of, found)) <= begins:
        return list(found)
    together: dict[str, Raw] = {}
    at = begins
    for _ in range(_MOST_PAGES):
        until = at + _WINDOW_MS
        rows = await page(at, min(until, now_ms))
        together |= {str(raw["id"]): raw for raw in rows}
        newest = max(map(time_of, rows), default=at)
        if len(rows) >= limit:
            if newest <= at:
                raise VenueError(f"More than {limit} trades of one moment: they cannot be told apart by time.")
            at = newest
        elif until >= now_ms:
            return list(together.values())
        else:
            at = until
    raise VenueError(_TOO_MANY)


async def by_offset(page: Behind, begins: int, limit: int) -> list[Raw]:
    """Every row from a time on, of a venue that tells the newest first and how many to leave out.

    Raises:
        VenueError: The venue does not answer.
    """
    together: dict[str, Raw] = {}
    for number in range(_MOST_PAGES):
        rows = await page(number * limit)
        together |= {str(raw["id"]): raw for raw in rows}
        if len(rows) < limit or min(map(time_of, rows)) < begins:
            return list(together.values())
    raise VenueError(_TOO_MANY)
