"""What is expected of a market: one prediction a timeframe, and what they come to together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from engine.domain.market import Listing, Timeframe


class Trend(StrEnum):
    """Where a price is expected to go."""

    BULLISH = "bullish"
    BEARISH = "bearish"
    NEUTRAL = "neutral"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why somebody thinks so.

    Attributes:
        text: In its own words. They may be a model's, and are shown to people alone.
        fields: The ids of the fields of the brief that it cites.
    """

    text: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendPrediction:
    """What somebody expects of a market on one timeframe.

    Attributes:
        at: When the candle closed that it was made at.
        made_at: When it was there.
        expected_move: From the close, as a signed fraction of it.
        horizon: Within how many candles of the timeframe.
        confidence: In [0, 1], where it was measured; ``None`` where it was not: what a model says of itself is not.
        reasons: Why, with the fields of its brief.
        by: Who made it: a provider and its model, or the offline analyst.
        is_offline: Whether rules made it, and no model.
        cost: What asking for it is booked with, in US dollars.
        prompt: The key of a context's own way of asking (its prompt, its votes); empty for that of all who have none.
    """

    venue: str
    symbol: str
    timeframe: Timeframe
    at: datetime
    made_at: datetime
    direction: Trend
    expected_move: float
    horizon: int
    confidence: float | None = None
    reasons: tuple[Reason, ...] = ()
    by: str
    is_offline: bool
    cost: Decimal = Decimal(0)
    prompt: str = ""

    @property
    def listing(self) -> Listing:
        """The market at its venue."""
        return Listing(self.venue, self.symbol)

    @property
    def good_until(self) -> datetime:
        """When the next candle of its timeframe closes: a newer prediction should be there by then."""
        return self.at + self.timeframe.duration

    @property
    def due_at(self) -> datetime:
        """When its horizon is over: then it can be graded."""
        return self.at + self.horizon * self.timeframe.duration


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendOutlook:
    """What predictions of several timeframes come to.

    Attributes:
        at: When it was put together.
        predictions: The newest of each timeframe, the shortest first; late ones are among them, and weigh nothing.
        direction: Of all of them together.
        alignment: How far they agree, in [-1, 1]: 1 where all are bullish, -1 where all are bearish.
        expected_move: What they expect together, as a signed fraction of the price.
        confidence: The lowest that was measured of those that count; ``None`` where none was.
        missing: The timeframes without a prediction of now, each with the reason.
        scales: What is left of the weight of those that a policy has made less of.
    """

    venue: str
    symbol: str
    at: datetime
    predictions: tuple[TrendPrediction, ...]
    direction: Trend
    alignment: float
    expected_move: float
    confidence: float | None = None
    missing: tuple[tuple[Timeframe, str], ...] = ()
    scales: tuple[tuple[Timeframe, float], ...] = ()

    def age(self, now: datetime) -> timedelta | None:
        """How old the newest prediction is; ``None`` where there is none."""
        return now - max(each.made_at for each in self.predictions) if self.predictions else None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPrediction:
    """A prediction as it is stored, and what came of it.

    Attributes:
        close: The price that it was made at.
        graded_at: When it was held against the market; ``None`` while its horizon lasts.
        move: What the price did within its horizon, as a signed fraction of ``close``.
        was_right: Whether the price went its way; ``None`` for one that took no side.
    """

    prediction: TrendPrediction
    close: float
    graded_at: datetime | None = None
    move: float | None = None
    was_right: bool | None = None

    def graded(self, price: float, at: datetime) -> KeptPrediction:
        """The same, held against the price at the end of its horizon."""
        move = price / self.close - 1
        match self.prediction.direction:
            case Trend.BULLISH:
                was_right: bool | None = move > 0
            case Trend.BEARISH:
                was_right = move < 0
            case Trend.NEUTRAL:
                was_right = None
        return replace(self, graded_at=at, move=move, was_right=was_right)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackRecord:
    """How many of the last predictions that took a side, and whose horizon is over, were right."""

    right: int = 0
    graded: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionView:
    """What people are shown of a market.

    Attributes:
        outlook: What is expected now.
        record: How good predictions of it have been of late, by timeframe.
        own: What is expected by contexts that ask in their own way, by the contexts' names.
    """

    outlook: TrendOutlook
    record: Mapping[Timeframe, TrackRecord]
    own: Mapping[str, TrendOutlook] = field(default_factory=dict)
