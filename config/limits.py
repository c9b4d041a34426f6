"""The sections about what may be traded: with whose consent, at what risk, on what data.

The text under a field is its documentation: unit and meaning.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from itertools import chain
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationInfo, field_validator

from config.kinds import ClosedHours, Coin, Duration, Fraction, problem
from config.section import Section
from config.zones import ZoneName
from engine.domain.autonomy import Autonomy
from engine.domain.figures import plain
from engine.risk.limits import RiskLimits


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

    max_daily_volume: Fraction | None = Decimal("0.01")
    """The largest value of an entry, as a fraction of what its market has traded in a day; null for no limit.

    Of candles that do not reach back a day, of what they reach."""
    risk_per_day: Fraction | None = None
    """What a trade may lose on a bad day by ATR and volatility, as a fraction of equity; null for no limit."""
    max_open_risk: Fraction | None = None
    """What everything open may lose if each is stopped at its stop, as a fraction of equity; null for no limit."""
    max_positions: int | None = Field(default=None, ge=1)
    """How many positions may be open at once; null for no limit."""
    sectors: dict[str, tuple[Coin, ...]] = Field(default_factory=dict)
    """Coins that belong together, each in one sector at most: {memes: [DOGE, PEPE], layer1: [SOL, AVAX]}."""
    max_sector: Fraction | None = None
    """The largest value of the coins of one sector together, as a fraction of equity; null for no limit."""
    correlated_above: Decimal = Field(default=Decimal("0.8"), gt=0, le=1)
    """From which correlation of their returns on coins move together."""
    max_correlated: Fraction | None = None
    """The largest value of coins that move together, as a fraction of equity; null for no limit."""
    max_var: Fraction | None = None
    """What all positions may lose on one day in twenty (value at risk), as a fraction of equity; null for no limit."""
    max_cvar: Fraction | None = None
    """What they may lose on such days on average (expected shortfall), as a fraction of equity; null for no limit."""
    max_volatility: Decimal | None = Field(default=None, gt=0)
    """The volatility of a day above which a market is not entered: 0.1 is ten percent; null for no limit."""
    max_fall: Decimal | None = Field(default=None, gt=0, lt=1)
    """How far a price may have fallen within fall_within before its market is not entered; null for no limit."""
    fall_within: Duration = timedelta(hours=1)
    """Over how long such a fall counts, rounded up to whole candles of the context."""
    closed_hours: tuple[ClosedHours, ...] = ()
    """When nothing is entered: [22:00-01:00, sat 00:00-00:00, "fri,sat 20:30-06:00"]; past midnight where it must."""
    hours_timezone: ZoneName = "UTC"
    """Whose clocks closed_hours are told by, any name of the tz database."""
    max_losses: int | None = Field(default=None, ge=1)
    """From how many losses in a row on a context enters nothing for losing_pause; null for never."""
    losing_pause: Duration = timedelta(hours=24)
    """For how long, in market time, from the last of these losses on."""
    max_signals: int | None = Field(default=None, ge=1)
    """How often all strategies together may want to enter within signals_within; then somebody has to /resume."""
    signals_within: Duration = timedelta(hours=1)
    """Over how long signals are counted, in market time."""
    max_silence: Duration | None = None
    """For how long people may leave all unanswered, in market time; then somebody has to /resume. Null for ever."""

    @property
    def limits(self) -> RiskLimits:
        """The limits as the rules have them."""
        as_written = self.model_dump(exclude={"closed_hours", "hours_timezone"})
        return RiskLimits(**as_written, closed_hours=self.closed_hours, hours_zone=ZoneInfo(self.hours_timezone))

    @field_validator("sectors")
    @classmethod
    def _each_coin_once(cls, sectors: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        twice = [coin for coin, count in Counter(chain(*sectors.values())).items() if count > 1]
        if twice:
            raise problem(f"must have each coin once; {twice[0]} is there twice")
        return sectors

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
