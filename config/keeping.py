"""The sections about what is kept: where, for how long, and what the log tells.

The text under a field is its documentation: unit and meaning.
"""

from __future__ import annotations

from datetime import time, timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator

from config.kinds import ClockTime, DatabaseUrl, Duration, DurationEnds, DurationRange, File, problem
from config.section import Section
from engine.domain.inventory import Rule


class DatabaseSettings(Section):
    """Where everything is kept."""

    url: DatabaseUrl = "sqlite:///var/greenlight.sqlite"
    """Three slashes and a path below the working directory, four for one from the root, or a server's URL."""


_SENT_AGAIN_WITHIN = timedelta(days=2)
"""For how long a platform may send again what was never answered: Telegram does for a day."""


class AccountSettings(Section):
    """The account whose books are kept."""

    holdings: Rule = Rule.ADOPT
    """What is on it before the first start: adopt counts it in equity, ignore leaves it, refuse refuses to start."""


class RetentionSettings(Section):
    """How long the database keeps what nothing is decided by any more; null for ever. Orders and approvals stay."""

    held_readings: Duration | None = timedelta(days=2)
    """The indicator readings of decisions that held; then their conditions and reasons alone."""
    held: Duration | None = timedelta(days=30)
    """Decisions that held, altogether."""
    refused: Duration | None = timedelta(days=365)
    """Decisions that were refused at once: no order and no approval came of them."""
    equity: Duration | None = timedelta(days=90)
    """Every point of the equity curve; after that one each quarter of an hour."""
    events: Duration | None = timedelta(days=365)
    """What happened, as facts; what came of it stays."""
    halts: Duration | None = timedelta(days=730)
    """Halts that have ended, and times when a platform was not well; emergency stops and changed markets stay."""
    sentiment: Duration | None = timedelta(days=365)
    """What sources of sentiment said, with the scores of then: a backtest may ask for it."""
    predictions: Duration | None = timedelta(days=365)
    """What was predicted, and what came of it: a backtest may ask for it."""
    rule_predictions: Duration | None = timedelta(days=30)
    """What the offline analyst predicted, from when it is known what came of it: rules say the same again."""
    cards: Duration | None = timedelta(days=90)
    """Where the cards of what is over are shown; they stay there as they are."""
    chat: Duration | None = timedelta(days=90)
    """Messages of the web chat, in wall time as those below."""
    deliveries: Duration | None = timedelta(days=30)
    """The ids of what people sent, so that nothing counts twice."""
    audit: Duration | None = timedelta(days=730)
    """What people did or tried."""
    model_calls: Duration | None = timedelta(days=90)
    """What language models were asked and answered; what they cost stays, by day."""

    @field_validator("deliveries")
    @classmethod
    def _as_long_as_it_is_sent_again(cls, value: timedelta | None) -> timedelta | None:
        if value is not None and value < _SENT_AGAIN_WITHIN:
            raise problem("must be at least 2d: platforms send again, for a day, what they had no answer to")
        return value


class SimulatedPeopleSettings(Section):
    """Whom a backtest asks by ``--approve human``; they live by the clock of digest.timezone."""

    median: Duration = timedelta(minutes=5)
    """Half of their answers come sooner, counted from when they are asked awake."""
    spread: float = Field(default=1.0, ge=0, le=5)
    """How unlike their answer times are: the standard deviation of their logarithm; 0 where each takes the median."""
    wakes: ClockTime = time(8)
    """From when on they answer."""
    sleeps: ClockTime = time(23)
    """Until when; the same as wakes for day and night."""
    mistakes: float = Field(default=0.02, ge=0, le=1)
    """How many of their answers are a no by mistake, as a fraction."""
    seed: int = Field(default=1, ge=0)
    """Another one, other people."""


_LONGEST_LATENCY = timedelta(minutes=10)


class BacktestSettings(Section):
    """What backtests keep, and whom they ask."""

    trials: File = Path("var/trials.jsonl")
    """The register of all that was tried: a Sharpe ratio is worth less, the more were looked at."""
    people: SimulatedPeopleSettings = Field(default_factory=SimulatedPeopleSettings)
    """Whom a backtest asks."""
    latency: DurationRange = DurationEnds(timedelta(0), timedelta(0))
    """How long an order is under way to the venue, with --full: 2s, or 200ms-3s for anything between."""

    book_age: Duration = timedelta(minutes=1)
    """How old a recorded order book may be (--books) and still stands for that of now; then the venue's settings do."""

    @field_validator("latency")
    @classmethod
    def _bearable(cls, value: DurationEnds) -> DurationEnds:
        if value.most > _LONGEST_LATENCY:
            raise problem("must not be longer than 10m")
        return value


class LogSettings(Section):
    """What the program writes about itself."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """The least important message that is written."""
    file: File | None = None
    """A file that gets them too, as JSON lines; nothing for none."""
    trades: bool | None = None
    """Whether each order, fill, trade, approval and halt is a line; nothing for yes, but no at replay speed max."""

    @field_validator("level", mode="before")
    @classmethod
    def _in_capitals(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value
