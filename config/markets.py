"""The sections about markets and venues: where prices come from, and where orders go.

The text under a field is its documentation: unit and meaning.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from config.kinds import Duration, ExchangeName, File, Fraction, HttpUrl, Secret, Speed, Symbol, UtcTime, problem
from config.section import Section
from engine.domain.market import Timeframe

_FEE_IN = r"^(quote|received|[A-Z0-9]{2,12})$"
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
    """A venue, and the account there. What it is called in exchanges is its id in ccxt, e.g. binance."""

    enabled: bool = True
    """Whether contexts may trade on it."""
    venue: ExchangeName | None = None
    """Its id in ccxt, where its name here is another: for a second account at one venue."""
    orders: Literal["paper", "real"] = "paper"
    """paper: filled here, with play money; real: sent to the venue, which needs live_trading."""
    sandbox: bool = False
    """Whether its test net is asked, and traded on, in its place: with coins that are worth nothing."""
    api_key: Secret | None = None
    """The account's key, for orders: real. It should be allowed to read and to trade, and nothing else."""
    secret: Secret | None = None
    """What requests are signed with."""
    password: Secret | None = None
    """What some venues want beside, such as okx's passphrase."""
    api_url: HttpUrl | None = None
    """Another server in its place, e.g. a proxy; nothing for the venue's own."""
    poll_every: Duration = timedelta(seconds=5)
    """How often each market's order book is asked for; a price counts for four times as long."""
    answer_within: Duration = timedelta(seconds=10)
    """How long it may take for one answer."""
    websocket: bool = True
    """Whether prices are taken from its websocket as well, between two looks at the books; where ccxt knows one."""
    fee: Decimal | None = Field(default=None, ge=0, lt=1)
    """What a fill there costs, as a fraction of its value; nothing for venue.fee."""
    fee_in: str | None = Field(default=None, pattern=_FEE_IN)
    """What fees are taken in there, as in venue.fee_in; nothing for that."""
    fee_price: Decimal | None = Field(default=None, gt=0)
    """What one of that currency is worth in the quote currency; nothing for venue.fee_price."""

    @field_validator("secret", "password")
    @classmethod
    def _with_a_key(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        has_key = info.data.get("api_key") is not None
        if value is not None and not has_key:
            raise problem("is set without api_key: requests cannot be signed")
        if value is None and has_key and info.field_name == "secret":
            raise problem("must be set: api_key needs it")
        return value

    @field_validator("poll_every", "answer_within")
    @classmethod
    def _bearable(cls, value: timedelta) -> timedelta:
        if not timedelta(seconds=0.2) <= value <= timedelta(minutes=1):
            raise problem("must be between 0.2 s and 1m")
        return value


class DerivativesSettings(Section):
    """What futures tell of the markets: shown beside a decision by /why, and nothing is decided on it."""

    source: Literal["none", "generated", "binance"] = "none"
    """none: nobody; generated: made up beside generated markets, nobody beside others; binance: its public data."""
    api_url: HttpUrl | None = None
    """Another server in its place, e.g. a proxy; nothing for the venue's own."""
    refresh_after: Duration = timedelta(minutes=5)
    """How old what is known of a market may be before it is asked for again, when a candle closes."""
    answer_within: Duration = timedelta(seconds=10)
    """How long it may take for one answer; a close waits for half a second of it at most."""
    max_age: Duration = timedelta(hours=2)
    """How old a reading may be and is still shown; older ones are unknown."""

    @field_validator("answer_within")
    @classmethod
    def _bearable(cls, value: timedelta) -> timedelta:
        if not timedelta(seconds=0.2) <= value <= timedelta(minutes=1):
            raise problem("must be between 0.2 s and 1m")
        return value


class VenueSettings(Section):
    """The paper venue, where orders are filled with play money."""

    file: File | None = None
    """The venue's own SQLite file; nothing for venue.sqlite beside the database. Each of several has its name in it."""
    balances: dict[str, Decimal] = Field(default_factory=lambda: {"USDT": Decimal(10000)})
    """What the account begins with, by currency; at each venue, where there are several."""
    fee: Decimal = Field(default=Decimal("0.001"), ge=0, lt=1)
    """What a fill costs, as a fraction of its value."""
    fee_in: str = Field(default="quote", pattern=_FEE_IN)
    """What fees are taken in: quote, received (as most venues do: the coin on buys), or a currency such as BNB."""
    fee_price: Decimal | None = Field(default=None, gt=0)
    """What one of that currency is worth in the quote currency; nothing for the price of its market."""
    spread: Decimal = Field(default=Decimal("0.0004"), ge=0, lt=1)
    """The distance between bid and ask, as a fraction of the price."""
    depth: Decimal = Field(default=Decimal("0.02"), gt=0, le=1)
    """How much one side of the book offers, as a fraction of the last candle's volume."""
    levels: int = Field(default=5, ge=1, le=100)
    """How many price levels one side of the book has."""
    level_step: Decimal = Field(default=Decimal("0.0003"), gt=0, lt=1)
    """The distance between two levels, as a fraction of the price."""
    intrabar: Literal["path", "worst"] = "path"
    """Inside a candle: path goes to the low first where it rises; worst always, so that stops count before targets."""

    @field_validator("balances")
    @classmethod
    def _nothing_owed(cls, value: dict[str, Decimal]) -> dict[str, Decimal]:
        for currency, amount in value.items():
            if amount < 0:
                raise problem("must not be below 0", at=f"venue.balances.{currency}")
        return value


class ReplaySettings(Section):
    """How a market is replayed."""

    data: tuple[File, ...] = ()
    """Candle files (SYMBOL-INTERVAL, parquet or CSV) to replay in place of generated markets."""
    start: UtcTime | None = None
    """Where to begin in the files (UTC); nothing for as early as the indicators allow."""
    end: UtcTime | None = None
    """Where to stop (UTC); nothing for the end of the data."""
    sentiment: tuple[File, ...] = ()
    """CSV files with what was said then: date and value of Fear & Greed, or date and text of headlines (UTC)."""
    speed: Speed = 3600.0
    """Market seconds in a wall second, or max for as fast as it goes."""
    wait_for_people: Duration | None = None
    """Wall time an open approval holds the replay at 1:1; nothing for 2 minutes, and none at speed max."""
    commit_every: int | None = Field(default=None, ge=1)
    """How many closed candles share one commit at speed max; nothing for 100 there, and 1 at any other speed."""
    until_end: bool = False
    """Whether the program ends with the data; otherwise it stays and answers."""
    summary: File | None = None
    """A file for what the replay came to, as JSON; nothing for none."""

    @field_validator("end")
    @classmethod
    def _forward(cls, value: datetime | None, info: ValidationInfo) -> datetime | None:
        start = info.data.get("start")
        if value and start and value <= start:
            raise problem("must be after replay.start", other="replay.start")
        return value
