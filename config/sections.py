"""One class per section of the configuration. The text under a field is its documentation: unit and meaning."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from config.identities import SlackMember, TelegramUser, WebName
from config.kinds import (
    ClockTime,
    DatabaseUrl,
    Duration,
    ExchangeName,
    Fraction,
    HttpUrl,
    Speed,
    Symbol,
    UtcTime,
    problem,
)
from config.places import did_you_mean
from engine.domain.autonomy import Autonomy
from engine.domain.days import Days
from engine.domain.figures import plain
from engine.domain.market import Timeframe
from engine.domain.messages import Role


class Section(BaseModel):
    """A group of settings. Cannot be changed, and refuses names it does not know."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_default=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
        allow_inf_nan=False,
        str_strip_whitespace=True,
        str_min_length=1,
    )

    @field_validator("*", mode="before")
    @classmethod
    def _true_is_no_number(cls, value: Any, info: ValidationInfo) -> Any:
        kind = cls.model_fields[info.field_name or ""].annotation
        if isinstance(value, bool) and bool not in (kind, *get_args(kind)):
            raise problem("must not be true or false")
        return value


class DatabaseSettings(Section):
    """Where everything is kept."""

    url: DatabaseUrl = "sqlite:///var/greenlight.sqlite"
    """Three slashes and a path below the working directory, four for one from the root, or a server's URL."""


class PersonSettings(Section):
    """Somebody who may use the bot. Who is not listed can do nothing."""

    name: str
    """What others see, e.g. on an answered approval."""
    role: Role
    """viewer looks, trader answers and pauses, admin does everything."""
    telegram: TelegramUser | None = None
    """Their user id on Telegram: a number, no @name."""
    slack: SlackMember | None = None
    """Their member id on Slack, e.g. U0123456789."""
    web: WebName | None = None
    """Their name in the web chat; no secret."""


class ApprovalSettings(Section):
    """How far the bot may go alone."""

    auto_above: float = Field(default=0.8, ge=0)
    """From this confidence (0 to 1) on it trades alone; above 1 it never does."""
    ask_above: float = Field(default=0.55, ge=0, le=1)
    """From this confidence (0 to 1) on it asks; below, it refuses. Not above auto_above."""
    expires_after: Duration = timedelta(minutes=15)
    """How long a question stays open, in market time."""
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


_FEWEST_TICKS = 1000
"""How many ticks a generated market's first price has, at the least."""


class MarketSettings(Section):
    """One generated market."""

    lot: Decimal = Field(default=Decimal("0.00001"), gt=0)
    """The smallest step of a quantity, in the base currency."""
    tick: Decimal = Field(default=Decimal("0.01"), gt=0)
    """The smallest step of a price, in the quote currency."""
    min_notional: Decimal | None = Field(default=None, ge=0)
    """The smallest order value, in the quote currency; nothing for about ten dollars in it."""
    start_price: Decimal = Field(gt=0)
    """The price at the beginning, in the quote currency."""
    volatility: float = Field(default=0.7, gt=0, le=10)
    """How much the price moves in calm times: standard deviation of a year's returns, as a fraction."""

    @field_validator("start_price")
    @classmethod
    def _many_ticks(cls, price: Decimal, info: ValidationInfo) -> Decimal:
        """A made-up price wanders to a tenth of its start within years, and must be told in its ticks there too."""
        tick: Decimal | None = info.data.get("tick")
        if tick is not None and price < _FEWEST_TICKS * tick:
            raise problem(f"must be at least {_FEWEST_TICKS} ticks; its tick is {tick:f}")
        return price


class MarketsSettings(Section):
    """Where prices come from, and which clock decides."""

    clock: Literal["replay", "wall"] = "replay"
    """replay: the time of the candles being replayed; wall: the time of this machine."""
    source: Literal["replay", "ccxt"] = "replay"
    """replay: generated markets, or candle files; ccxt: public data of a venue of exchanges, on the wall's clock."""
    max_skew: Fraction = Decimal("0.01")
    """How far our clock may be from the venue's for an entry, as a fraction of a candle: at least 5 s, at most 1m."""
    seed: int = Field(default=7, ge=0)
    """The generator's seed; the same seed makes the same market."""
    start: UtcTime = datetime(2026, 1, 1, tzinfo=UTC)
    """The market time at which generated trading begins."""
    timeframe: Timeframe = Timeframe.H1
    """The length of a generated candle."""
    history: Duration = timedelta(days=300)
    """How much is generated before the start, for the indicators."""
    markets: dict[Symbol, MarketSettings] = Field(default_factory=dict)
    """The generated markets, by symbol (BASE/QUOTE)."""

    @field_validator("source")
    @classmethod
    def _live_is_on_the_wall(cls, value: str, info: ValidationInfo) -> str:
        if value == "ccxt" and info.data.get("clock") == "replay":
            raise problem("must be replay while market.clock is replay: a real venue has no other time than the wall's")
        return value


class ExchangeSettings(Section):
    """A venue. What it is called in exchanges is its id in ccxt, e.g. binance."""

    enabled: bool = True
    """Whether contexts may trade on it."""
    orders: Literal["paper", "real"] = "paper"
    """paper: filled here, with play money; real: sent to the venue, which needs live_trading."""
    api_url: HttpUrl | None = None
    """Another server in its place, e.g. a proxy; nothing for the venue's own."""
    poll_every: Duration = timedelta(seconds=5)
    """How often each market's order book is asked for; a price counts for four times as long."""
    answer_within: Duration = timedelta(seconds=10)
    """How long it may take for one answer."""

    @field_validator("poll_every", "answer_within")
    @classmethod
    def _bearable(cls, value: timedelta) -> timedelta:
        if not timedelta(seconds=0.2) <= value <= timedelta(minutes=1):
            raise problem("must be between 0.2 s and 1m")
        return value


class VenueSettings(Section):
    """The paper venue, where orders are filled with play money."""

    file: Path | None = None
    """The venue's own SQLite file; nothing for venue.sqlite beside the database."""
    balances: dict[str, Decimal] = Field(default_factory=lambda: {"USDT": Decimal(10000)})
    """What the account begins with, by currency."""
    fee: Decimal = Field(default=Decimal("0.001"), ge=0, lt=1)
    """What a fill costs, as a fraction of its value."""
    spread: Decimal = Field(default=Decimal("0.0004"), ge=0, lt=1)
    """The distance between bid and ask, as a fraction of the price."""
    depth: Decimal = Field(default=Decimal("0.02"), gt=0, le=1)
    """How much one side of the book offers, as a fraction of the last candle's volume."""
    levels: int = Field(default=5, ge=1, le=100)
    """How many price levels one side of the book has."""
    level_step: Decimal = Field(default=Decimal("0.0003"), gt=0, lt=1)
    """The distance between two levels, as a fraction of the price."""

    @field_validator("balances")
    @classmethod
    def _nothing_owed(cls, value: dict[str, Decimal]) -> dict[str, Decimal]:
        for currency, amount in value.items():
            if amount < 0:
                raise problem("must not be below 0", at=f"venue.balances.{currency}")
        return value


class ReplaySettings(Section):
    """How a market is replayed."""

    data: tuple[Path, ...] = ()
    """Candle files (SYMBOL-INTERVAL, parquet or CSV) to replay in place of generated markets."""
    start: UtcTime | None = None
    """Where to begin in the files (UTC); nothing for as early as the indicators allow."""
    end: UtcTime | None = None
    """Where to stop (UTC); nothing for the end of the data."""
    speed: Speed = 3600.0
    """Market seconds in a wall second, or max for as fast as it goes."""
    wait_for_people: Duration | None = None
    """Wall time an open question holds the replay at 1:1; nothing for 2 minutes, and none at speed max."""
    commit_every: int | None = Field(default=None, ge=1)
    """How many closed candles share one commit at speed max; nothing for 100 there, and 1 at any other speed."""
    until_end: bool = False
    """Whether the program ends with the data; otherwise it stays and answers."""
    summary: Path | None = None
    """A file for what the replay came to, as JSON; nothing for none."""

    @field_validator("end")
    @classmethod
    def _forward(cls, value: datetime | None, info: ValidationInfo) -> datetime | None:
        start = info.data.get("start")
        if value and start and value <= start:
            raise problem("must be after replay.start", other="replay.start")
        return value


class DigestSettings(Section):
    """The profit and loss digest."""

    at: ClockTime = time(0, 0)
    """The time of day at which a day ends and its digest is sent, in the time zone below, on the market clock."""
    timezone: str = "UTC"
    """The time zone of that time and of the day's date, e.g. Europe/Berlin."""
    every: Literal["day", "week"] = "day"
    """How often people are told: of each day, or of each week as its Sunday ends; days have figures either way."""

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise problem(f"there is no such time zone{did_you_mean(value, available_timezones())}") from error
        return value

    @property
    def zone(self) -> ZoneInfo:
        """The time zone itself."""
        return ZoneInfo(self.timezone)

    @property
    def days(self) -> Days:
        """Where the account's days end."""
        return Days(at=self.at, zone=self.zone)


class AlertSettings(Section):
    """What people are alerted to beside halts and faults."""

    losing_streak: int = Field(default=4, ge=0)
    """From how many losses in a row of one strategy context on there is an alert; 0 for none."""


_SENT_AGAIN_WITHIN = timedelta(days=2)
"""For how long a platform may send again what was never answered: Telegram does for a day."""


class RetentionSettings(Section):
    """How long the database keeps what nothing is decided by any more; null for ever. Orders and questions stay."""

    held_readings: Duration | None = timedelta(days=2)
    """The indicator readings of decisions that held; then their conditions and reasons alone."""
    held: Duration | None = timedelta(days=30)
    """Decisions that held, altogether."""
    refused: Duration | None = timedelta(days=365)
    """Decisions that were refused at once: no order and no question came of them."""
    equity: Duration | None = timedelta(days=90)
    """Every point of the equity curve; after that one each quarter of an hour."""
    events: Duration | None = timedelta(days=365)
    """What happened, as facts; what came of it stays."""
    halts: Duration | None = timedelta(days=730)
    """Halts that have ended, and times when a platform was not well; emergency stops and changed markets stay."""
    cards: Duration | None = timedelta(days=90)
    """Where the cards of what is over are shown; they stay there as they are."""
    chat: Duration | None = timedelta(days=90)
    """Messages of the web chat, in wall time as the two below."""
    deliveries: Duration | None = timedelta(days=30)
    """The ids of what people sent, so that nothing counts twice."""
    audit: Duration | None = timedelta(days=730)
    """What people did or tried."""

    @field_validator("deliveries")
    @classmethod
    def _as_long_as_it_is_sent_again(cls, value: timedelta | None) -> timedelta | None:
        if value is not None and value < _SENT_AGAIN_WITHIN:
            raise problem("must be at least 2d: platforms send again, for a day, what they had no answer to")
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
    max_factor: float = Field(default=1000.0, gt=1)
    """From which factor on, between two closes, a price is that of something else: people have to look at it."""
    gone_for: Duration = timedelta(days=7)
    """How long candles are missing before what comes then counts as something else."""
    idle_for: Duration = timedelta(days=1)
    """How long nothing is traded before nobody is taken to be left in a market."""


class IndicatorSettings(Section):
    """An indicator of pandas-ta, computed beside the standard set; its own parameters stand beside its name."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, int | float | bool | str]

    name: str
    """As the library has it, e.g. adx; with its parameters {name: adx, length: 14}."""

    @property
    def parameters(self) -> dict[str, int | float | bool | str]:
        """What stands beside the name."""
        return dict(self.__pydantic_extra__)


class ConditionSettings(Section):
    """A condition of one's own, which counts among those of the strategy."""

    column: str
    """A reading (rsi, ma_200, volume_ratio ...) or a column of an indicator, as the library calls it: ADX_14."""
    above: float | str | None = None
    """Holds where it is above this number, or above another column."""
    below: float | str | None = None
    """Holds where it is below this number, or below another column."""
    weight: float = Field(default=1.0, gt=0, le=100)
    """How much it counts; those of strategies count 1 or less."""
    timeframe: Timeframe | None = None
    """Where it is read; nothing for the context's own candles."""

    @field_validator("below")
    @classmethod
    def _has_a_limit(cls, below: float | str | None, info: ValidationInfo) -> float | str | None:
        if below is None and info.data.get("above") is None:
            raise problem("must be given, or above: a condition needs a limit")
        return below


class ContextSettings(Section):
    """One strategy at work on some markets; several run side by side."""

    name: str
    """What people and records call it."""
    strategy: Literal["ma_cross", "momentum", "mean_reversion"]
    """Which strategy it runs."""
    markets: tuple[Symbol, ...] = Field(min_length=1)
    """The markets it trades (BASE/QUOTE)."""
    timeframe: Timeframe = Timeframe.H1
    """The length of the candles it decides on."""
    higher: tuple[Timeframe, ...] = (Timeframe.H4, Timeframe.D1)
    """Longer candles it also looks at."""
    params: dict[str, int | float | bool | str] = Field(default_factory=dict)
    """The strategy's own parameters, where they differ from its defaults."""
    conditions: tuple[ConditionSettings, ...] = ()
    """Conditions of one's own, beside the strategy's."""
    exchange: ExchangeName | None = None
    """The venue it trades on, one of exchanges; nothing for the only one that is on."""


class LogSettings(Section):
    """What the program writes about itself."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """The least important message that is written."""
    file: Path | None = None
    """A file that gets them too, as JSON lines; nothing for none."""
    trades: bool | None = None
    """Whether each order, fill, trade, question and halt is a line; nothing for yes, but no at replay speed max."""

    @field_validator("level", mode="before")
    @classmethod
    def _in_capitals(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value
