"""Language models as people see them: who is asked, how they are, and what that costs in US dollars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import ceil

from engine.domain.model_ledger import Cap
from engine.domain.outcomes import Grade


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderView:
    """Who runs models.

    Attributes:
        name: As the settings call it.
        models: The ones that are asked.
        is_offline: Whether rules answer, and no model.
        trouble: What is wrong with it; empty where nothing is.
        calls: How many were made this month.
        usd: What they count with.
    """

    name: str
    models: tuple[str, ...]
    is_offline: bool
    trouble: str
    calls: int
    usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTotals:
    """What the calls of one model for one purpose came to in a time.

    Attributes:
        verdicts: How many there were by what was found of each; empty where nothing was yet.
        input_tokens, output_tokens: What they read and wrote, as far as their providers say.
        usd: What they count with.
        latencies: Seconds that those took which have ended, the shortest first.
    """

    provider: str
    model: str
    purpose: str
    verdicts: Mapping[str, int]
    input_tokens: int
    output_tokens: int
    usd: Decimal
    latencies: tuple[float, ...]

    def latency(self, part: float) -> float | None:
        """Seconds within which such a part of them (0.5 for half) ended; ``None`` where none has."""
        return self.latencies[ceil(part * len(self.latencies)) - 1] if self.latencies else None


@dataclass(frozen=True, slots=True, kw_only=True)
class CapView:
    """A cap, and how much of it is used now."""

    cap: Cap
    used: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelsView:
    """Language models. Days and months are those of UTC.

    Attributes:
        is_on: Whether anybody is asked.
        tape: The file that answers in the place of models; empty where they answer themselves.
        providers: Who runs them, in the order of the chain.
        caps: The most that may be spent.
        today, month: What the calls count with.
        forecast: What the month will have come to at this pace; ``None`` in its first day.
        purposes: What the month's calls for each purpose count with, the most first.
        calls, reused: How many were made this month, and how many questions an earlier answer was good for.
        input_tokens, output_tokens: What they read and wrote this month.
        last_day: What the calls of the last 24 hours came to, by model and purpose.
        reserved: How many of the newest calls are under way, and count with the most they can cost.
        grades: How well confidences have foretold what came, by strategy and timeframe.
    """

    is_on: bool
    tape: str = ""
    providers: tuple[ProviderView, ...] = ()
    caps: tuple[CapView, ...] = ()
    today: Decimal = Decimal(0)
    month: Decimal = Decimal(0)
    forecast: Decimal | None = None
    purposes: tuple[tuple[str, Decimal], ...] = ()
    calls: int = 0
    reused: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    last_day: tuple[ModelTotals, ...] = ()
    reserved: int = 0
    grades: tuple[Grade, ...] = ()
