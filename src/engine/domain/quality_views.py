"""What the data-quality gate has seen of each market, as people are told of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from engine.domain.halts import Halt
from engine.domain.market import Listing, Timeframe


class Outcome(StrEnum):
    """What became of something that is wrong with candles."""

    REPAIRED = "repaired"
    """It was mended or borne, and the candles were used."""
    SHORT = "short"
    """There are fewer candles than are wanted, as in a young market: what needs more has to wait."""
    REFUSED = "refused"
    """The candles were not used."""
    CHANGED = "changed"
    """The series became that of something else: people have to look at it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One kind of thing that was wrong with a market's candles since the start.

    Attributes:
        detail: What it was the last time.
        closes: At how many closes it was there.
        last: The newest of these.
    """

    outcome: Outcome
    kind: str
    detail: str
    closes: int
    last: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CandleQuality:
    """What the candles of a market and timeframe are like.

    Attributes:
        checked_at: The close at which they were last looked through.
        closed_at: When the newest good one closed; ``None`` where none is left.
        usable: Whether they were good enough then; fewer than are wanted are no fault of theirs.
        findings: Everything that was wrong since the start, the newest first.
    """

    listing: Listing
    timeframe: Timeframe
    checked_at: datetime
    closed_at: datetime | None
    usable: bool
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketQuality:
    """What a market's data is like.

    Attributes:
        name: As people call it; with its venue, where there are several.
        candles: Of each timeframe that is looked at, the shortest first; none before the first close.
        halts: What stops entries there because of its data.
        price_at: When its price was last seen; ``None`` where there is none now.
        streamed: Whether the venue tells its price by itself, over a websocket.
    """

    name: str
    candles: Sequence[CandleQuality]
    halts: Sequence[Halt]
    price_at: datetime | None
    streamed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityView:
    """What the data of all markets that were asked about is like, at a time."""

    at: datetime
    markets: Sequence[MarketQuality]
