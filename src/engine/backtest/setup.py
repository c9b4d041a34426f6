"""What a backtest is run on: candles, strategies, and how it is traded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from engine.analysis.quality import QualityLimits
from engine.analysis.technical import TechnicalAnalyzer
from engine.backtest.people import SimulatedPeople
from engine.data.recorded_books import RecordedBooks
from engine.domain.market import Candles, Market
from engine.risk.limits import RiskLimits
from engine.simulation.fills import FillModel
from engine.simulation.intrabar import Intrabar
from engine.simulation.latency import AT_ONCE, Latency
from engine.strategies.context import StrategyContexts


class FillAt(StrEnum):
    """Where a bare run trades what a close says."""

    NEXT_OPEN = "next-open"
    SIGNAL_CLOSE = "signal-close"


@dataclass(frozen=True, slots=True, kw_only=True)
class BareTerms:
    """A run as textbooks have it: no lots, no spread, no slippage, no limits, and inside a candle the stop comes first.

    Attributes:
        size: Units are this share of the free cash over the fill's price; the fee comes on top of them.
        fill_at: Where it trades.
    """

    size: float = 0.95
    fill_at: FillAt = FillAt.NEXT_OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskTerms:
    """A run as the bot trades.

    Attributes:
        limits: The risk limits.
        confidence: From which on an entry is carried out.
        approved: Whether people say yes to all that they are asked; ``confidence`` is then where they are asked from.
        people: Who is asked where it is less; ``None`` where nobody is.
        min_candles: While a context has fewer closed candles than that, its markets are not entered.
    """

    limits: RiskLimits = field(default_factory=RiskLimits)
    confidence: float = 0.0
    approved: bool = False
    people: SimulatedPeople | None = None
    min_candles: int = QualityLimits().min_candles


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeCurrency:
    """A currency of its own that fees are taken in. It lies beside the account; what is taken counts at its price then.

    Attributes:
        amount: What there is of it at the beginning.
        market, candles: What tells its price; ``None`` where the model states one, or it is traded itself.
    """

    name: str
    amount: Decimal
    market: Market | None = None
    candles: Candles | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveTerms:
    """What only the live cycle can be told: whole candles know nothing of it.

    Attributes:
        latency: How long an order is under way to the venue.
        shorter: Shorter candles of some markets, which fills follow where they tell all of a longer one; what is
            decided knows nothing of them.
        books: Recorded order books of some markets, which orders take from where one is new enough.
        fee_currency: What fees are taken in; ``None`` for the quote currency, or what is received.
    """

    latency: Latency = AT_ONCE
    shorter: Mapping[str, Candles] = field(default_factory=dict)
    books: Mapping[str, RecordedBooks] = field(default_factory=dict)
    fee_currency: FeeCurrency | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestSetup:
    """What a backtest is run on.

    Attributes:
        contexts: The strategies and their markets, in the order in which they decide.
        candles: Of each market, in its shortest timeframe; longer ones are made of these. What lies before ``start``
            is there for the indicators.
        markets: The steps of each market.
        cash: What it begins with, in the quote currency.
        model: What trading costs; of it a bare run has the fee alone.
        intrabar: What happens inside a candle.
        live: What it has beside in the live cycle; ``None`` where that comes to what the kernel does.
        start, end: Closes from the first on are decided on; candles that open from the last on are not there.
    """

    contexts: StrategyContexts
    candles: Mapping[str, Candles]
    markets: Mapping[str, Market]
    cash: Decimal
    terms: BareTerms | RiskTerms
    model: FillModel = field(default_factory=FillModel)
    intrabar: Intrabar = Intrabar.PATH
    live: LiveTerms | None = None
    start: datetime | None = None
    end: datetime | None = None
    analyzer: TechnicalAnalyzer = field(default_factory=TechnicalAnalyzer)

    @property
    def reads_predictions(self) -> bool:
        """Whether any of its strategies trades on what is expected."""
        return any(context.strategy.reads_predictions for context in self.contexts)

    @property
    def quote(self) -> str:
        """The currency that everything is counted in."""
        return next(iter(self.markets.values())).quote
