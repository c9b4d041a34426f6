"""What decisions came to, beside the confidence that they were made with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A closed trade of the bot's own, as the outcome of the decision that opened it.

    Attributes:
        confidence: What it was decided with, before any calibration, in [0, 1].
        won: Whether it came to more than nothing after fees.
        heard: Whether a panel was heard on it.
    """

    position_id: str
    strategy: str
    timeframe: str
    confidence: float
    won: bool
    heard: bool
    closed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrated:
    """What a confidence was worth in earlier trades.

    Attributes:
        measured: The confidence itself, in [0, 1].
        value: The share of trades with such a confidence that were won, in [0, 1].
        low, high: The ends of its 95 % interval.
        outcomes: How many closed trades of the strategy and timeframe it rests on.
        is_wide: Whether the interval is too wide for the bot to go alone.
    """

    measured: float
    value: float
    low: float
    high: float
    outcomes: int
    is_wide: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityBin:
    """Trades whose confidence was in one range.

    Attributes:
        said: Their mean confidence.
        won: The share of them that were won.
        trades: How many they are.
    """

    said: float
    won: float
    trades: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """How well confidences foretold which trades are won; 0 is best of ``brier`` and ``miscalibration``.

    Attributes:
        trades: How many were graded.
        brier: The mean squared distance of a confidence from 1 where the trade was won, and from 0 where it was not.
        base: What ``brier`` is of always saying the share of trades that was won.
        miscalibration: The mean squared distance of what was said from what came, over the bins: Murphy's reliability.
        bins: The trades by ranges of confidence, the lowest first; ranges without any are left out.
    """

    trades: int
    brier: float
    base: float
    miscalibration: float
    bins: tuple[ReliabilityBin, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """How well the confidences of a strategy on a timeframe have foretold what came."""

    strategy: str
    timeframe: str
    found: Reliability
