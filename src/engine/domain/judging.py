"""What the risk rules look at, and what they say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from engine.domain.halts import Halt
from engine.domain.market import Book, Market
from engine.domain.plans import TradePlan
from engine.domain.positions import Portfolio
from engine.domain.risk_stats import RiskStats
from engine.domain.streaks import NO_LOSSES, Losses


@dataclass(frozen=True, slots=True, kw_only=True)
class Clamp:
    """A rule that changed or stopped a plan: what it was, what it became, why."""

    rule: str
    before: Decimal
    after: Decimal
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """What the risk rules left of a plan."""

    plan: TradePlan
    clamps: tuple[Clamp, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied:
    """A plan that the risk rules stopped."""

    reasons: tuple[str, ...]
    clamps: tuple[Clamp, ...] = ()


Judgement = Allowed | Denied


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskView:
    """Everything the risk rules may look at.

    Attributes:
        close: The newest closed price that is known.
        stats: How the market has moved of late; ``None`` where that is not known.
        losses: What the plan's context has lost in a row.
        no_entry: Why nothing may be entered now, e.g. a clock that is wrong; empty where something may.
    """

    market: Market
    portfolio: Portfolio
    book: Book
    close: Decimal
    stats: RiskStats | None
    halts: tuple[Halt, ...]
    now: datetime
    no_entry: str = ""
    losses: Losses = NO_LOSSES
