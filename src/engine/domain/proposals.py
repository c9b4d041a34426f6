"""What is proposed of a market at a closed candle, and what others say of it before it is decided on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from engine.domain.decisions import Exit, Input, Opinion, QualityReport, Signals, Stance, TechnicalSignals
from engine.domain.insights import NO_INSIGHT, Insight
from engine.domain.market import Listing, Timeframe


@dataclass(frozen=True, slots=True, kw_only=True)
class FastTier:
    """How a context begins a trade before its panel has spoken.

    Attributes:
        share: How much of the trade is bought at once, above 0 and below 1.
        min_confidence: From which confidence on, in [0, 1].
    """

    share: Decimal
    min_confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What a strategy wants of one market at one closed candle, and everything that was seen then.

    Attributes:
        candle_at: When the candle closed. What comes of it comes later.
        signals: Of an entry; nothing triggered where none is wanted.
        reasons: Why, or why not.
        exits: Which of the context's positions are to be left, and why.
        close: What the candle closed at, in the quote currency; ``None`` where its data cannot be used.
        inputs: What it was made from, each with its age.
        market_context: What was known beside, each with its age.
        readings: What the indicators said, of each timeframe.
        insight: What research has found out about the market of late.
    """

    context: str
    strategy: str
    venue: str
    symbol: str
    timeframe: Timeframe
    candle_at: datetime
    signals: Signals
    reasons: tuple[str, ...]
    exits: tuple[Exit, ...]
    close: float | None
    inputs: tuple[Input, ...]
    readings: tuple[TechnicalSignals, ...]
    quality: QualityReport
    market_context: tuple[Input, ...] = ()
    insight: Insight = NO_INSIGHT

    @property
    def listing(self) -> Listing:
        """The market at its venue."""
        return Listing(self.venue, self.symbol)

    @property
    def stance(self) -> Stance:
        """Whether it is to enter. What is to be left stands in ``exits``."""
        return Stance.ENTER if self.signals.triggered else Stance.HOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliberation:
    """A proposal that a panel thinks about.

    Attributes:
        key: Of the decision that it ends in.
        starter: The id of the order that has begun the trade already; empty where none has.
        asked_at: When the panel was asked, and until when its answer counts.
        opinions: What it said; ``None`` as long as it has not.
        due_at: When the decision is due; ``None`` as long as it has not spoken.
        too_late: Whether its time had been up for long when it could have been asked: the program was not running.
    """

    key: str
    proposal: Proposal
    starter: str
    asked_at: datetime
    deadline: datetime
    opinions: tuple[Opinion, ...] | None = None
    due_at: datetime | None = None
    too_late: bool = False
