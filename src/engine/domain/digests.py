"""The figures of a day or a week that has ended, as they are kept and told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from engine.domain.adjustments import AdjusterTally

MOST_TOLD = 7
"""How many days that were missed people are told of, each by itself: the newest. Of the others /profit tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """One day's figures, fixed when the day ended, or later where that was missed; or those of a week.

    Attributes:
        id: The date of the day, e.g. 2026-01-31: see ``engine.domain.days``. Of a week 2026-W05: see ``weeks``.
        begins: When the day before ended: between days no time is lost, whatever their end was set to.
        net: Profit or loss of the day: realised and unrealised, after fees, without what was paid in or out.
        share: That as a fraction: see ``engine.domain.payments``; ``None`` for days fixed by older versions.
        benchmark: What holding the traded markets came to in it, as a fraction; ``None`` where not known.
        opened, closed, won: The bot's own trades.
        realised: Of those closed in the day, after their fees.
        equity_curve: The equity at each mark of the day, oldest first, without what was paid in or out within it.
        asked, answered, expired: Approvals asked, answered (either way), expired within the day.
        open_risk: What is lost if every open stop fills at its price.
        external, external_net: The closed trades that somebody else had opened, and what they came to after fees.
        external_cost: What these had cost, before fees; ``None`` where not known, as of days fixed by older versions.
        paid_in, paid_out: What was within the day.
        models_usd: What calls of language models within it count with, in US dollars.
        graded: The closed trades that a panel was heard on.
        brier: How far the confidences of these were from what came, see ``Reliability``; ``None`` without any.
        sure: The mean of these confidences, in [0, 1]; ``None`` without any, and for days fixed by older versions.
        graded_won: How many of them were won: as many as were said to be, where confidences can be relied on.
        adjuster: What the policy that adjusts entries made of those within it, or would have made.
        payments: How many of the account's payments are in ``equity``: the first so many.
    """

    id: str
    begins: datetime
    ends: datetime
    quote: str
    net: Decimal
    realised: Decimal
    fees: Decimal
    equity: Decimal
    drawdown: Decimal
    equity_curve: tuple[Decimal, ...]
    opened: int
    closed: int
    won: int
    open_positions: int
    open_risk: Decimal
    asked: int
    answered: int
    expired: int
    share: Decimal | None = None
    benchmark: Decimal | None = None
    paid_in: Decimal = Decimal(0)
    paid_out: Decimal = Decimal(0)
    payments: int = 0
    external: int = 0
    external_net: Decimal = Decimal(0)
    external_cost: Decimal | None = None
    models_usd: Decimal = Decimal(0)
    graded: int = 0
    brier: float | None = None
    sure: float | None = None
    graded_won: int = 0
    adjuster: AdjusterTally = field(default_factory=AdjusterTally)
