"""From numbers to a decision: signals, conditions, decisions and the record that ``/why`` reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from engine.domain.adjustments import Adjusted
from engine.domain.autonomy import Ruling
from engine.domain.columns import OutlookColumns, TechnicalColumns
from engine.domain.judging import Clamp
from engine.domain.market import Candles, Timeframe
from engine.domain.order_routing import Quote
from engine.domain.outcomes import Calibrated
from engine.domain.plans import Entry, TradePlan


class Stance(StrEnum):
    """What a decision wants done."""

    ENTER = "enter"
    EXIT = "exit"
    HOLD = "hold"


class Tier(StrEnum):
    """At which of two moments a candle is decided on."""

    FAST = "fast"
    """At once, on what the strategy says alone: a part of the trade is begun."""
    FULL = "full"
    """Once everybody has been heard."""


class Verdict(StrEnum):
    """What somebody who was asked says of a proposal."""

    APPROVE = "approve"
    VETO = "veto"
    ABSTAIN = "abstain"
    """Nothing: who is late, or cannot answer, neither approves nor forbids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What one member of a panel says of a proposal.

    Attributes:
        agent: Who.
        confidence: How sure it is of its verdict, in [0, 1], as ``engine.ai.votes`` measures it; 1 where it was not.
            It can lower a decision's, never raise it.
        share: How much of the trade may be made, in (0, 1].
        stop: Where its stop is at the lowest, in the quote currency. It can raise the strategy's, never lower it.
        reasons: Why. Of a model, they are its words, and shown to people alone.
        evidence: What of the brief it cites, as it stood there.
        flip: What would make it think otherwise; empty where it does not say.
        by: Who spoke: a provider and its model, the offline analyst; empty where nobody did.
        last_word: Whether it has heard all the others: the supervisor.
        cost: What asking it is booked with, in US dollars.
        prompt: The prompt that a model was asked by, with its version; empty where none was.
    """

    agent: str
    verdict: Verdict
    confidence: float = 1.0
    share: float = 1.0
    stop: Decimal | None = None
    reasons: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    flip: str = ""
    by: str = ""
    last_word: bool = False
    cost: Decimal = Decimal(0)
    prompt: str = ""


def spoken(agent: str) -> str:
    """A member of a panel as people call it: ``devils_advocate`` → ``devil's advocate``."""
    return agent.replace("devils_", "devil's_").replace("_", " ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A candlestick pattern that the newest candle completes."""

    name: str
    bullish: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TechnicalSignals:
    """The newest indicator readings of one market on one timeframe; ``None`` where history is too short.

    Attributes:
        at: When the candle these are read from closed.
        close: Its closing price, in the quote currency, as are all levels and averages below.
        atr: Average True Range over 14 candles.
        volume_ratio: Volume of the newest candle over the mean of the last 20.
        supports, resistances: Levels below and above the close, nearest first.
        flags: Plain interpretations, e.g. ``rsi_oversold``, ``macd_crossed_up``, ``golden_cross``.
        extra: The columns of further indicators, by the library's names: ``ADX_14``.
    """

    symbol: str
    timeframe: Timeframe
    at: datetime
    close: float
    rsi: float | None = None
    macd: float | None = None
    macd_signal: float | None = None
    macd_histogram: float | None = None
    bollinger_lower: float | None = None
    bollinger_middle: float | None = None
    bollinger_upper: float | None = None
    ma_20: float | None = None
    ma_50: float | None = None
    ma_200: float | None = None
    atr: float | None = None
    volume_ratio: float | None = None
    supports: tuple[float, ...] = ()
    resistances: tuple[float, ...] = ()
    patterns: tuple[Pattern, ...] = ()
    flags: tuple[str, ...] = ()
    extra: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """What a strategy sees of one timeframe: the closed candles, and what was read off each and off the newest.

    Attributes:
        outlook: What was expected at each of the closes, where that is told to strategies.
    """

    candles: Candles
    columns: TechnicalColumns
    signals: TechnicalSignals
    outlook: OutlookColumns | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A named thing a strategy looks for, whether it holds now, and how much it counts."""

    name: str
    holds: bool
    weight: float = 1.0
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """What one strategy says of one market at one closed candle.

    Attributes:
        trigger: The strategy's own trigger that fired, in words; empty where none did, and then there is no entry,
            whatever agrees.
        conditions: The named conditions whose weighted agreement is the confidence.
        stop_distance, target_distance: From the entry price, in the quote currency.
        entry: How it is bought, where the strategy wants it otherwise than its context.
    """

    trigger: str
    conditions: tuple[Condition, ...]
    stop_distance: float | None = None
    target_distance: float | None = None
    entry: Entry | None = None

    @property
    def triggered(self) -> bool:
        """Whether the trigger fired."""
        return bool(self.trigger)

    @property
    def confidence(self) -> float:
        """The weighted share of the conditions that hold, in [0, 1]. It is an agreement, not a probability."""
        total = sum(condition.weight for condition in self.conditions)
        held = sum(condition.weight for condition in self.conditions if condition.holds)
        return held / total if total else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """A strategy's wish to leave a position it holds."""

    position_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is wanted of one market at one closed candle, and why.

    Attributes:
        id: Short and readable, e.g. ``D12``; given by the store.
        key: What makes it this decision and no other (context, market, candle, stance, tier): order ids derive from it.
        at: When the candle closed that it was made at.
        confidence: Weighted agreement of ``conditions``, in [0, 1]; less where somebody who was asked has less, or such
            trades were won less often.
        timeframe: The one whose closed candle it was made at, e.g. ``1h``; empty in those of older versions.
        trigger: What fired, in words; empty where nothing did, on an exit, and in those of older versions.
        calibration: What earlier trades say of the confidence of an entry; ``None`` where there are too few.
    """

    id: str
    key: str
    context: str
    strategy: str
    symbol: str
    at: datetime
    stance: Stance
    confidence: float
    conditions: tuple[Condition, ...]
    reasons: tuple[str, ...]
    timeframe: str = ""
    trigger: str = ""
    tier: Tier = Tier.FULL
    calibration: Calibrated | None = None

    @property
    def agreement(self) -> str:
        """The confidence in words, e.g. ``4 of 6 agree``."""
        return f"{sum(c.holds for c in self.conditions)} of {len(self.conditions)} agree"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One thing wrong with candles."""

    kind: str
    detail: str


IDLE = "idle"
"""The kind of change that is no moment: nothing has been traded for long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesChange:
    """That a market is no longer what it was.

    Attributes:
        kind: ``jump``, ``gone`` or ``idle``.
        at: When the candle opens with which it changed.
        until: When that candle closes; of what goes on, the newest one. ``None`` in what was kept before it was noted.
    """

    kind: str
    at: datetime
    detail: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityReport:
    """Whether candles can be traded on, what was mended, what was not, and where they became another thing's."""

    repaired: tuple[Issue, ...] = ()
    refused: tuple[Issue, ...] = ()
    changes: tuple[SeriesChange, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether nothing was refused."""
        return not self.refused

    @property
    def priced(self) -> bool:
        """Whether the newest candle itself can be believed: nothing worse was refused than gaps or a short history."""
        return all(issue.kind in {"gap", "too few"} for issue in self.refused)

    @property
    def merely_short(self) -> bool:
        """Whether nothing is wrong but a short history: readings that need more are then missing by themselves."""
        return {issue.kind for issue in self.refused} == {"too few"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One thing a decision was made from, and how old it was at that moment; ``None`` where it was missing."""

    name: str
    age: timedelta | None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One decision with everything that became of it within its cycle.

    Attributes:
        inputs: What it was made from.
        market_context: What was known beside, and nothing was decided on.
        adjustment: What the adjuster made of an entry; ``None`` where it was not asked.
        quotes: What an entry would have come to at each of the context's venues; empty where it has one.
    """

    decision: Decision
    inputs: tuple[Input, ...]
    signals: tuple[TechnicalSignals, ...]
    quality: QualityReport
    ruling: Ruling
    plan: TradePlan | None = None
    clamps: tuple[Clamp, ...] = ()
    opinions: tuple[Opinion, ...] = ()
    market_context: tuple[Input, ...] = ()
    adjustment: Adjusted | None = None
    quotes: tuple[Quote, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleRecord:
    """Everything one decision cycle of one context saw and did."""

    context: str
    at: datetime
    decisions: tuple[Judged, ...]
