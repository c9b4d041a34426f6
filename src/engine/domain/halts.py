"""Reasons for no new entries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from engine.domain.market import Listing


class HaltKind(StrEnum):
    """Why entries are halted."""

    PAUSE = "pause"
    DRAWDOWN = "drawdown"
    DATA = "data"
    CHANGED = "changed"
    """A market's series is no longer of what it was; people have a look and end it."""
    EMERGENCY = "emergency"
    """Somebody called for everything to be sold; only an admin ends it."""
    STORE = "store"
    """Nothing could be written down for a while."""
    REFUSED = "refused"
    """The venue refuses again and again to protect or to sell what is held."""
    SIGNALS = "signals"
    """Strategies want to enter far more often than usual; people have a look and end it."""
    ABSENT = "absent"
    """Nobody has answered anything for long; whoever is there again ends it."""
    TRIGGER = "trigger"
    """What would lead to an emergency stop as well, and is set to end entries alone; it ends once that is calm."""
    LEDGER = "ledger"
    """More was sold than a position held; only an admin ends it."""
    BALANCES = "balances"
    """A venue has less than the books say, and nothing explains it; it ends once both agree."""
    OTHER_BOT = "other_bot"
    """Another bot uses the account at a venue; only an admin ends it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt:
    """A reason for no new entries; exits go on under every one of them.

    Attributes:
        symbol: The only market it concerns; empty for all.
        venue: The only venue where it concerns that; empty for every one.
        until: When it ends by itself; ``None`` until somebody ends it.
        by: Who or what called for it: a person, or the candles that are bad.
        timeframe: The candles that are bad, where it is for those; else empty.
    """

    kind: HaltKind
    reason: str
    since: datetime
    until: datetime | None = None
    symbol: str = ""
    venue: str = ""
    by: str = ""
    timeframe: str = ""

    @property
    def is_emergency(self) -> bool:
        """Whether it is an emergency stop."""
        return self.kind is HaltKind.EMERGENCY

    @property
    def is_total(self) -> bool:
        """Whether it is for the total limit of a drawdown, which does not end by itself."""
        return self.kind is HaltKind.DRAWDOWN and self.until is None

    @property
    def listing(self) -> Listing:
        """The market that it concerns, at its venue; either is empty for all."""
        return Listing(self.venue, self.symbol)

    def concerns(self, listing: Listing | None) -> bool:
        """Whether it is about a market at a venue; without one, whether about all of them."""
        venue, symbol = listing or ("", "")
        return self.symbol in ("", symbol) and self.venue in ("", venue)

    def blocks(self, listing: Listing | None, now: datetime) -> bool:
        """Whether it halts entries into a market at a venue now; without one, into all of them."""
        return self.concerns(listing) and (self.until is None or now < self.until)

    def lasts(self, until: datetime | None) -> bool:
        """Whether it ends no sooner than that by itself; ``None`` for what only people end."""
        return self.until is None or (until is not None and until <= self.until)
