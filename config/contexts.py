"""The sections about strategies at work: their markets, conditions and indicators.

The text under a field is its documentation: unit and meaning.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Literal

from pydantic import ConfigDict, Field, ValidationInfo, field_validator

from config.ai import MOST_VOTES
from config.kinds import Duration, ExchangeName, File, Fraction, Symbol, problem
from config.section import Section
from config.strategy_names import StrategyName
from engine.domain.market import Timeframe
from engine.domain.plans import Then
from engine.risk.limits import OwnLimits


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


class SliceSettings(Section):
    """How an entry is bought in slices (TWAP) where it is larger than the book or its share of volume takes at once."""

    most: int = Field(ge=2, le=100)
    """At most so many slices."""
    every: Duration = Field(default=timedelta(minutes=1), ge=timedelta(seconds=1))
    """How long it is from one slice to the next."""
    book_share: Fraction = Decimal(1)
    """A slice is at most so much of what the book takes within risk.max_slippage, as a fraction."""
    volume_share: Fraction | None = None
    """A slice is at most so much of what the market trades in that time, by its last day; null for no such limit."""
    twap: bool = False
    """Whether it is bought in all of the slices, also where the book would take it in fewer."""


class EntrySettings(Section):
    """How a context buys."""

    type: Literal["market", "limit"] = "market"
    """market: at once; limit: at a price below the best bid, for so long."""
    offset: Decimal = Field(default=Decimal(0), ge=0, lt=1)
    """How far below the best bid the limit is, as a fraction of it."""
    patience: Duration = timedelta(minutes=5)
    """How long the order waits at its limit."""
    then: Then = Then.GIVE_UP
    """What comes after that: give_up, or market for what it has not got."""
    chase: Decimal = Field(default=Decimal("0.005"), ge=0, lt=1)
    """How far above the limit that may be bought at market, as a fraction of the limit."""
    post_only: bool = False
    """Whether the venue is to refuse it where it would be filled at once, as a taker."""
    slices: SliceSettings | None = None
    """How it is bought in slices, at market; nothing for at once."""

    @field_validator("slices")
    @classmethod
    def _are_at_market(cls, slices: SliceSettings | None, info: ValidationInfo) -> SliceSettings | None:
        if slices is not None and info.data.get("type") == "limit":
            raise problem("go to market: leave out type: limit, or the slices")
        return slices


class FastSettings(Section):
    """How a context begins a trade at once, before all have been heard; the rest follows, or it is taken back."""

    share: Decimal = Field(gt=0, lt=1)
    """How much of the trade is bought at once, as a fraction of it."""
    min_confidence: float = Field(ge=0, le=1)
    """From which confidence on; the bot must be allowed to trade alone at it (approval.auto_above)."""


class OwnRiskSettings(Section):
    """What a context is held to beside the limits of the account (risk): they can only be tightened."""

    risk_per_trade: Fraction | None = None
    """As risk.risk_per_trade, and not above it; null for that alone. The same goes for the others."""
    max_position: Fraction | None = None
    """As risk.max_position: what others hold of a coin counts too."""
    max_exposure: Fraction | None = None
    """As risk.max_exposure: what everything held is worth at most when this context enters."""
    max_open_risk: Fraction | None = None
    """As risk.max_open_risk."""

    @property
    def limits(self) -> OwnLimits:
        """The same as the rules have them."""
        return OwnLimits(**self.model_dump())


class VotesSettings(Section):
    """How often a context asks where it does not ask as often as all others."""

    panel: int | None = Field(default=None, ge=1, le=MOST_VOTES)
    """As ai.panel.votes, about its own entries; null for that."""
    prediction: int | None = Field(default=None, ge=1, le=MOST_VOTES)
    """As ai.prediction.votes, and with another number of predictions of its own; null for those the others share."""


class ContextSettings(Section):
    """One strategy at work on some markets; several run side by side."""

    name: str
    """What people and records call it."""
    strategy: StrategyName
    """Which strategy it runs: by its name, or one of your own, ./strategies/breakout.py:Breakout."""
    markets: tuple[Symbol, ...] = Field(min_length=1)
    """The markets it trades (BASE/QUOTE)."""
    timeframe: Timeframe = Timeframe.H1
    """The length of the candles it decides on."""
    higher: tuple[Timeframe, ...] | None = None
    """Longer candles it also looks at; nothing for those that its strategy does by itself."""
    params: dict[str, int | float | bool | str] = Field(default_factory=dict)
    """The strategy's own parameters, where they differ from its defaults."""
    conditions: tuple[ConditionSettings, ...] = ()
    """Conditions of one's own, beside the strategy's."""
    entry: EntrySettings = Field(default_factory=EntrySettings)
    """How it buys: at market, or at a limit."""
    risk: OwnRiskSettings | None = None
    """Limits of its own, tighter than those of the account; nothing for the account's alone."""
    fast: FastSettings | None = None
    """How it begins trades that it is sure of before all have been heard; nothing for not at all."""
    prompts: dict[str, File] = Field(default_factory=dict)
    """Prompts of its own for members of the panel, by their names, and for prediction: {risk: ./prompts/careful.md}."""
    votes: VotesSettings = Field(default_factory=VotesSettings)
    """How often it asks the panel and for predictions, where it is not as often as all others: {panel: 3}."""
    ppo: bool = True
    """Whether the policy that adjusts entries is asked about its own; false for sizes by the static rules alone."""
    weight: float = Field(default=1.0, gt=0, le=100)
    """What it counts beside other contexts on its coins, where consolidation is weighted."""
    priority: int = Field(default=0, ge=-100, le=100)
    """Whether it is heard before other contexts on its coins, where consolidation is prioritised; higher first."""
    exchange: ExchangeName | None = None
    """The venue it trades on, one of exchanges; nothing where not more than one is on."""
    venues: tuple[ExchangeName, ...] = ()
    """Several of exchanges, each entry to the one with the best all-in price; the first is the one it trades on."""

    @field_validator("fast")
    @classmethod
    def _is_bought_at_once(cls, fast: FastSettings | None, info: ValidationInfo) -> FastSettings | None:
        entry = info.data.get("entry")
        if fast is not None and entry is not None and entry.slices is not None:
            raise problem("begins a trade with a part of its own: leave it out, or entry.slices")
        return fast

    @property
    def buys_at_once(self) -> bool:
        """Whether all of a trade is bought at its decision: at market, not in slices, and not a part of it first."""
        return self.entry.type == "market" and self.entry.slices is None and self.fast is None
