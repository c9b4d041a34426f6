"""How much of an account the bot may use, in stages: an admin allows the next, a breach takes one away. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from engine.domain.halts import Halt, HaltKind
from engine.domain.market import Listing
from engine.domain.positions import Position

BREACHING = (HaltKind.DRAWDOWN, HaltKind.EMERGENCY, HaltKind.REFUSED, HaltKind.LEDGER)
"""The halts that are a breach of whatever stage they begin in: a limit was broken, or somebody pulled the brake."""
_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CapitalPlan:
    """The stages of an account.

    Attributes:
        stages: What may be used at each, in the quote currency, rising; none where all of the account may be.
        stage: The one that an account begins at, counted from 1.
        max_drawdown: How far the result may fall below its best of a stage, as a fraction of the stage.
        step_up_after: How long a stage must have gone without a breach before the next one is proposed.
        step_up_trades: How many trades must have been closed at it before that.
    """

    stages: tuple[Decimal, ...] = ()
    stage: int = 1
    max_drawdown: Decimal = Decimal("0.10")
    step_up_after: timedelta = timedelta(days=14)
    step_up_trades: int = 20

    @property
    def first(self) -> Decimal | None:
        """What an account begins with; ``None`` for all of it."""
        return self.stages[self.stage - 1] if self.stages else None

    def held_to(self, amount: Decimal | None) -> Decimal | None:
        """What may be used by these stages where another amount was before: the largest that is not above it."""
        if not self.stages:
            return None
        return self.first if amount is None else max((each for each in self.stages if each <= amount), default=_NOTHING)

    def number(self, amount: Decimal) -> int:
        """Which stage an amount is, counted from 1; 0 for nothing."""
        return sum(each <= amount for each in self.stages)

    def above(self, amount: Decimal) -> Decimal | None:
        """The next stage; ``None`` after the last."""
        return next((each for each in self.stages if each > amount), None)

    def below(self, amount: Decimal) -> Decimal:
        """The stage before; nothing before the first."""
        return max((each for each in self.stages if each < amount), default=_NOTHING)


@dataclass(frozen=True, slots=True, kw_only=True)
class CapitalStage:
    """A time in which so much could be used.

    Attributes:
        number: The how manieth it is, counted from 1.
        amount: In the quote currency; 0 for nothing, ``None`` for all of the account.
        at: When it began.
        by: Who let it begin; empty where the bot or its settings did.
        reason: Why.
        is_breach: Whether it began because the one before was breached.
        made: What the bot's positions had made until then, those that were closed before left aside.
        best: The highest result since then.
        last_halt: The number of the newest halt of before.
        asked_at: When people last said that it should stay so; else as ``at``.
    """

    number: int
    amount: Decimal | None
    at: datetime
    by: str
    reason: str
    is_breach: bool
    made: Decimal
    best: Decimal
    last_halt: int
    asked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFigures:
    """What a stage has come to by now, in the quote currency.

    Attributes:
        result: What the bot's own positions have made at it, after fees and at the marks of now.
        best: The highest that has been.
        closed, won: The trades that were closed, and those that made money.
        used: What its positions are worth and its open orders may still buy.
        lasted: How long it has lasted.
    """

    result: Decimal
    best: Decimal
    closed: int
    won: int
    used: Decimal
    lasted: timedelta

    def drawdown(self, amount: Decimal) -> Decimal:
        """How far the result is below its best, as a fraction of the stage."""
        return max(_NOTHING, self.best - self.result) / amount if amount > 0 else _NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class CapitalStep:
    """A next stage that people are asked for, with the figures of when they were.

    Attributes:
        stage: The number of the time that is to end by it.
    """

    stage: int
    before: Decimal
    after: Decimal
    figures: StageFigures
    quote: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CapitalView:
    """How much may be used, and how that is going.

    Attributes:
        stage: The time that runs; ``None`` where there never was a stage.
        figures: What it has come to.
        before: The stages before it, newest first.
        proposal: The id of the question about the next one that is open; empty for none.
        wait: How long the next one is not proposed yet; ``None`` where it is only a matter of trades, or of none.
    """

    plan: CapitalPlan
    quote: str
    now: datetime
    stage: CapitalStage | None = None
    figures: StageFigures | None = None
    before: tuple[CapitalStage, ...] = ()
    proposal: str = ""
    wait: timedelta | None = None


def made(positions: Sequence[Position], marks: Mapping[Listing, Decimal]) -> Decimal:
    """What some positions have made, after fees, and what is held of them would at its marks."""
    return sum((each.net + each.unrealised(marks.get(each.listing, each.entry_price)) for each in positions), _NOTHING)


def breach(stage: CapitalStage, figures: StageFigures, halts: Sequence[Halt], plan: CapitalPlan) -> str:
    """Why a stage is breached; empty where it is not.

    Args:
        stage: The time that runs.
        figures: What it has come to.
        halts: Those that began in it.
        plan: What a breach is.
    """
    if not stage.amount:
        return ""
    broken = next((each for each in halts if each.kind in BREACHING), None)
    if broken is not None:
        return broken.reason
    fallen = figures.drawdown(stage.amount)
    if fallen < plan.max_drawdown:
        return ""
    return f"the result fell by {fallen:.1%} of the stage from its best; {plan.max_drawdown:.1%} is a breach"


def is_due(stage: CapitalStage, figures: StageFigures, plan: CapitalPlan, now: datetime) -> bool:
    """Whether the next stage is proposed: after so long and so many trades, and at once where nothing may be used."""
    if stage.amount is None or plan.above(stage.amount) is None:
        return False
    if not stage.amount and stage.asked_at == stage.at:
        return True
    return now - stage.asked_at >= plan.step_up_after and (not stage.amount or figures.closed >= plan.step_up_trades)
