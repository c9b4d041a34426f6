"""What calls of language models cost, and what became of each; money is in US dollars, as providers bill it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum

from engine.domain.days import Period
from engine.domain.model_calls import Usage

SHORT = 80
"""The part of a cap, in per cent, from which on cheaper models are asked in place of dear ones."""
SPENT = 100
TOLD_AT = (50, SHORT, SPENT)
"""The parts of a cap, in per cent, at which people are told; the last one where a call is not made for it."""


class CallState(StrEnum):
    """What a call counts with."""

    RESERVED = "reserved"
    """It is under way: the most that it can cost."""
    SETTLED = "settled"
    """What the provider says was used."""
    KEPT = "kept"
    """It was cut, and nobody knows what was used: the most that it could cost, for good."""
    IMPORTED = "imported"
    """It was paid for elsewhere, and read from a tape: nothing."""


class Verdict(StrEnum):
    """What an answer was found to be."""

    NONE = ""
    """There is no answer yet, or it was lost."""
    VALID = "valid"
    INVALID = "invalid"
    """It is not what was asked for."""
    REFUSED = "refused"
    """The model, or a filter of its provider, would not answer."""
    TRUNCATED = "truncated"
    """It was cut at the most tokens it might use."""
    FAILED = "failed"
    """The provider gave no answer."""


_LONGEST = {Period.DAY: timedelta(days=1), Period.WEEK: timedelta(days=7), Period.MONTH: timedelta(days=31)}
"""How long a period is at most: from its first day, so much later is the next one, and not the one after that."""


def billing_day(at: datetime) -> date:
    """The day that a moment belongs to: that of UTC, as providers bill."""
    return at.astimezone(UTC).date()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCall:
    """One call, from before it is made.

    Attributes:
        id: Like ``L17``.
        at: When it was written down, before it was made.
        purpose: What it was for.
        context: The strategy context it was for; empty for none.
        provider: Who was asked, as the settings call it.
        model: The model that was asked for.
        key: What it was about, see ``engine.llm.call_keys``: the same question to the same model has the same.
        system_message: Who the model was to be, and its rules.
        prompt: The question.
        schema_name: What the wanted object is called; empty where any text would do.
        json_schema: The JSON schema of the wanted object, as text; empty where any text would do.
        max_tokens: The most it might write.
        reserved_usd: The most it could cost.
        state: What it counts with.
        answer: What the model wrote; empty where it did not.
        stop: Why it stopped; empty where nobody knows.
        served: The model that answered, which may be a dated name of the one asked for.
        usage: What the provider says was used; ``None`` where it does not.
        cost_usd: What that cost; ``None`` until the call is settled.
        latency: Seconds until the answer, or until it was given up; ``None`` while it is under way.
        verdict: What the answer was found to be.
        reason: Why it is no good; empty where it is.
        reused: How often it answered again, without being paid for.
        probability: That of the value that was asked about, in [0, 1]; ``None`` where the provider did not tell it.
        market_at: When it was made by the market's clock, by which people's days go; ``None`` where that is the wall's.
    """

    id: str
    at: datetime
    purpose: str
    context: str
    provider: str
    model: str
    key: str
    system_message: str
    prompt: str
    schema_name: str
    json_schema: str
    max_tokens: int
    reserved_usd: Decimal
    state: CallState = CallState.RESERVED
    answer: str = ""
    stop: str = ""
    served: str = ""
    usage: Usage | None = None
    cost_usd: Decimal | None = None
    latency: float | None = None
    verdict: Verdict = Verdict.NONE
    reason: str = ""
    reused: int = 0
    probability: float | None = None
    market_at: datetime | None = None

    @property
    def booked(self) -> Decimal:
        """What it counts with."""
        if self.state is CallState.IMPORTED:
            return Decimal(0)
        return self.reserved_usd if self.cost_usd is None else self.cost_usd


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """What the calls of one day to one provider for one purpose came to.

    Attributes:
        day: By UTC.
        calls: How many were made.
        reused: How many questions an earlier answer was good for.
        usd: What they count with: what is settled, and the reservations of the others.
    """

    day: date
    provider: str
    purpose: str
    context: str
    calls: int = 0
    reused: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usd: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """The most that may be spent in a period: its days are those of UTC, as providers bill.

    Attributes:
        usd: In US dollars.
        purpose: The one purpose it is for; empty for all.
        context: The one strategy context it is for; empty for all.
    """

    period: Period
    usd: Decimal
    purpose: str = ""
    context: str = ""

    def counts(self, spend: Spend) -> bool:
        """Whether what was spent counts against it, whenever that was."""
        return self.applies(spend.purpose, spend.context)

    def applies(self, purpose: str, context: str) -> bool:
        """Whether it holds for calls for a purpose in a strategy context."""
        return self.purpose in ("", purpose) and self.context in ("", context)

    def used(self, spends: Sequence[Spend], at: datetime) -> Decimal:
        """What counts against it at a moment."""
        first = self.first(at)
        return sum((each.usd for each in spends if each.day >= first and self.counts(each)), Decimal(0))

    def first(self, at: datetime) -> date:
        """The first day of the period that a moment is in."""
        return self.period.first(billing_day(at))

    def begins_anew(self, at: datetime) -> datetime:
        """When the period after that begins."""
        following = self.period.first(self.first(at) + _LONGEST[self.period])
        return datetime.combine(following, time(), UTC)

    @property
    def about(self) -> str:
        """What it is for, in words; empty for everything."""
        return self.purpose or self.context


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetNotice:
    """What people are told once: so much of a cap is used.

    Attributes:
        id: The period's first day, what the cap is for, and the part.
        at: When it was noticed.
        percent: The part, in per cent: one of ``TOLD_AT``.
        used: What was used, in US dollars.
        worst: What the call could cost that was not made; ``None`` where all were.
    """

    id: str
    at: datetime
    cap: Cap
    percent: int
    used: Decimal
    worst: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OverCap:
    """A call that is not made: it might pass a cap."""

    cap: Cap
    used: Decimal
    worst: Decimal


def told_id(cap: Cap, at: datetime, percent: int) -> str:
    """What a notice about a part of a cap is called, at a moment within its period."""
    context = cap.context and f"context {cap.context}"  # It may be named like a purpose.
    return "-".join(filter(None, (f"{cap.first(at):%Y%m%d}", cap.period, cap.purpose, context, str(percent))))
