"""How far an account's trades have been taken in: the cursor of a real venue, and the pages that lie after it.

A venue tells trades by their times, some a little late or in another order. So a page is asked for from a minute before
the newest trade that is known, and what is known by its id is left out. The cursor holds those ids: a restart goes on
where the books were, without a gap and without a second time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from engine.domain.errors import UnknownCursor, VenueError
from engine.ports import Cursor

Raw = Mapping[str, Any]
OVERLAP_MS = 60_000
"""How long after others a trade may be told."""
FEE_WITHIN_MS = 3_600_000
"""How long a fee that was not told with its trade is waited for."""
_DAY_MS = 24 * 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenIn:
    """What has been taken in of one account.

    Attributes:
        venue: The venue, and whether it is its test net.
        since_ms: When it was begun, by the venue's clock: what was traded before in a market that was not looked at
            then is not taken in.
        trades: The newest trades of each market that was looked at: time and id, and whether the fee is still to come;
            oldest first.
    """

    venue: str
    since_ms: int
    trades: Mapping[str, tuple[tuple[int, str, bool], ...]]

    @classmethod
    def read(cls, cursor: Cursor, venue: str) -> TakenIn:
        """Read a cursor.

        Raises:
            UnknownCursor: It is none of this venue's.
        """
        try:
            told = json.loads(cursor)
            trades = {
                s: tuple((int(at), str(i), bool(fee)) for at, i, fee in rows) for s, rows in told["trades"].items()
            }
            found = cls(venue=told["venue"], since_ms=int(told["since"]), trades=trades)
        except (ValueError, TypeError, LookupError, AttributeError):
            raise UnknownCursor(f"{cursor!r} is no place among the trades of {venue}.") from None
        if found.venue != venue:
            raise UnknownCursor(f"What was taken in is of {found.venue}, and this is {venue}.")
        return found

    def cursor(self) -> Cursor:
        """The cursor, as it is kept."""
        return Cursor(
            json.dumps({"venue": self.venue, "since": self.since_ms, "trades": self.trades}, separators=(",", ":"))
        )

    def begins(self, symbol: str) -> int:
        """From when on trades of a market are asked for, in milliseconds since 1970."""
        rows = self.trades.get(symbol)
        if rows:
            return min(at for at, _, _ in rows)
        return self.since_ms if rows is None else self.since_ms - _DAY_MS

    def knows(self, symbol: str, raw: Raw) -> bool:
        """Whether a trade was taken in with all that is told of it now."""
        has_fee = _has_fee(raw)
        return any(i == str(raw["id"]) and (not awaits or not has_fee) for _, i, awaits in self.trades.get(symbol, ()))

    def knows_any(self, symbol: str, raws: Sequence[Raw]) -> bool:
        """Whether one of some trades was taken in."""
        ids = {str(raw["id"]) for raw in raws}
        return any(i in ids for _, i, _ in self.trades.get(symbol, ()))

    def and_(self, symbol: str, raws: Sequence[Raw]) -> TakenIn:
        """The same with more trades of a market; what is older than can come late is dropped."""
        rows = {i: (at, i, awaits) for at, i, awaits in self.trades.get(symbol, ())}
        for raw in raws:
            rows[str(raw["id"])] = (int(raw["timestamp"]), str(raw["id"]), not _has_fee(raw))
        newest = max((at for at, _, _ in rows.values()), default=0)
        kept = [
            row
            for row in rows.values()
            if newest - row[0] <= OVERLAP_MS or (row[2] and newest - row[0] <= FEE_WITHIN_MS)
        ]
        return replace(self, trades={**self.trades, symbol: tuple(sorted(kept))})


def after(found: Sequence[Raw], taken: TakenIn, symbol: str) -> tuple[list[Raw], bool]:
    """The trades of a market that a cursor does not know, oldest first.

    Args:
        found: Every trade from ``taken.begins`` on; older ones may be among them.
        taken: What is known.
        symbol: The market.

    Returns:
        The trades, and whether what the cursor knows is among what the venue tells, where it must be.
    """
    begins = taken.begins(symbol)
    told = [raw for raw in found if time_of(raw) >= begins]
    continues = not taken.trades.get(symbol) or taken.knows_any(symbol, told)
    return in_order([raw for raw in told if not taken.knows(symbol, raw)]), continues


def in_order(raws: Sequence[Raw]) -> list[Raw]:
    """Trades, oldest first."""
    return sorted(raws, key=_order)


def time_of(raw: Raw) -> int:
    """When a trade was made, in milliseconds since 1970.

    Raises:
        VenueError: It is no trade.
    """
    at = raw.get("timestamp")
    if not isinstance(at, int) or not raw.get("id"):
        raise VenueError("What came as trades of ours are none.")
    return at


def _order(raw: Raw) -> tuple[int, int, str]:
    """Within a moment by the venue's own numbers, as numbers."""
    name = str(raw["id"])
    return time_of(raw), int(name) if name.isdigit() else 0, name


def _has_fee(raw: Raw) -> bool:
    fee = raw.get("fee") or {}
    return fee.get("cost") is not None and bool(fee.get("currency"))
