"""The sections about what may be traded: with whose consent, at what risk, on what data.

The text under a field is its documentation: unit and meaning.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from pydantic import Field, ValidationInfo, field_validator

from config.kinds import Duration, Fraction, problem
from config.section import Section
from engine.domain.autonomy import Autonomy
from engine.domain.figures import plain


class ApprovalSettings(Section):
    """How far the bot may go alone."""

    auto_above: float = Field(default=0.8, ge=0)
    """From this confidence (0 to 1) on it trades alone; above 1 it never does."""
    ask_above: float = Field(default=0.55, ge=0, le=1)
    """From this confidence (0 to 1) on it asks; below, it refuses. Not above auto_above."""
    expires_after: Duration = timedelta(minutes=15)
    """How long an approval stays open, in market time."""
    max_price_drift: Decimal = Field(default=Decimal("0.01"), gt=0, lt=1)
    """How far the price may leave the asked price before an approval is refused, as a fraction of it."""
    two_people_above: Decimal | None = Field(default=None, ge=0)
    """From this order value on, in the quote currency, two people must approve; nothing for never."""
    confirm_within: Duration = timedelta(minutes=2)
    """How long what /close names can be confirmed by a press, in market time."""

    @property
    def autonomy(self) -> Autonomy:
        """When the bot acts alone, when it asks, and how."""
        return Autonomy(**self.model_dump(exclude={"confirm_within"}))

    @field_validator("ask_above")
    @classmethod
    def _asks_below_where_it_is_sure(cls, value: float, info: ValidationInfo) -> float:
        alone = info.data.get("auto_above")
        if alone is not None and value > alone:
            message = f"must not be above approval.auto_above, which is {plain(alone)}: nothing would ever be asked"
            raise problem(message, other="approval.auto_above")
        return value


class RiskSettings(Section):
    """What no confidence can buy its way past."""

    risk_per_trade: Fraction = Decimal("0.01")
    """What a trade may lose at its stop, as a fraction of equity."""
    max_position: Fraction = Decimal("0.25")
    """The largest value of one coin, held or being bought, over all contexts, as a fraction of equity."""
    max_exposure: Fraction = Decimal("0.75")
    """The largest value of all positions together, as a fraction of equity."""
    max_drawdown: Fraction = Decimal("0.10")
    """How far equity may fall below its peak before entries pause, and pause again at each further such step."""
    drawdown_pause: Duration = timedelta(hours=48)
    """How long such a pause lasts, in market time."""
    recovery_size: Fraction = Decimal("0.5")
    """What each such step leaves of risk_per_trade, max_position and max_exposure, until it has been made good."""
    max_total_drawdown: Fraction = Decimal("0.25")
    """How far equity may fall below its peak before entries end until an admin resumes, as a fraction of the peak."""
    max_spread: Fraction = Decimal("0.005")
    """The widest spread that is traded, as a fraction of the mid price; a wider real book is looked at twice."""
    max_price_gap: Fraction = Decimal("0.02")
    """How far the book may be from the last close, as a fraction of it; a real one that leaps farther is seen twice."""
    max_slippage: Fraction = Decimal("0.005")
    """How far an order may move through the book, as a fraction of the best price."""

    @field_validator("max_total_drawdown")
    @classmethod
    def _beyond_the_first(cls, value: Decimal, info: ValidationInfo) -> Decimal:
        first = info.data.get("max_drawdown")
        if first is not None and value < first:
            message = f"must not be below risk.max_drawdown, which is {first}: it is the last limit"
            raise problem(message, other="risk.max_drawdown")
        return value


class QualitySettings(Section):
    """When candles are too bad to trade on."""

    max_missing: int = Field(default=3, ge=0)
    """How many of the newest candles may be missing."""
    max_move: float = Field(default=0.10, gt=0)
    """From which size on a move within one candle is looked at, as a log return: 0.1 is about ten percent."""
    spike_sigmas: float = Field(default=10.0, gt=0)
    """From which size on such a move is a spike, in standard deviations."""
    max_age_candles: float = Field(default=2.0, gt=0)
    """How old the newest candle may be, in candles of its timeframe."""
    max_factor: float = Field(default=500.0, gt=1)
    """From which factor on, between two closes, a price is that of something else: people have to look at it.

    Coins that are counted anew are so by a thousand, mostly, times what the market does meanwhile.
    """
    gone_for: Duration = timedelta(days=7)
    """How long candles are missing before what comes then counts as something else."""
    idle_for: Duration = timedelta(days=1)
    """How long nothing is traded before nobody is taken to be left in a market."""
