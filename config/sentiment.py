"""The section about what is said of the markets: which sources are asked, how often, and how they are weighed.

The text under a field is its documentation: unit and meaning.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from config.kinds import Duration, HttpUrl, PageUrl, Secret, format_duration, problem
from config.section import Section

Weight = Annotated[float, Field(gt=0, le=1000)]
"""What a source counts beside the others."""


class AskedSettings(Section):
    """What every source has: how often it is asked at the most."""

    least: ClassVar[timedelta] = timedelta(minutes=1)
    """It is asked no oftener than so."""
    every: Duration
    """How often it is asked."""

    @field_validator("every")
    @classmethod
    def _bearable(cls, value: timedelta) -> timedelta:
        return _at_least(value, cls.least)


class SourceSettings(AskedSettings):
    """What every source that takes a side has as well: what it counts."""

    weight: Weight = 1.0
    """What it counts."""


class NewsSettings(SourceSettings):
    """News, by the feeds of their publishers."""

    least: ClassVar[timedelta] = timedelta(hours=1)
    feeds: tuple[PageUrl, ...] = ()
    """Addresses of RSS or Atom feeds; none for no news."""
    every: Duration = timedelta(hours=1)
    """How often each is asked: publishers want it no oftener than hourly."""
    weight: Weight = 2.0
    """What it counts."""


class FearGreedSettings(SourceSettings):
    """The Fear & Greed index of the whole market."""

    least: ClassVar[timedelta] = timedelta(minutes=5)
    url: PageUrl | None = None
    """Where it stands, e.g. https://api.alternative.me/fng; nothing for none."""
    every: Duration = timedelta(hours=3)
    """How often it is asked: it has a new value once a day."""


class RedditSettings(SourceSettings):
    """New posts on Reddit, read by an app of one's own (https://www.reddit.com/prefs/apps, kind "script")."""

    client_id: str | None = None
    """The app's id, under its name; nothing for no Reddit."""
    client_secret: Secret | None = None
    """The app's secret."""
    subreddits: tuple[str, ...] = ("CryptoCurrency", "CryptoMarkets", "Bitcoin")
    """Where posts are read."""
    url: HttpUrl | None = None
    """Another server in the place of Reddit's own."""
    every: Duration = timedelta(minutes=15)
    """How often new posts are asked for."""

    @field_validator("client_secret")
    @classmethod
    def _both(cls, value: object, info: ValidationInfo) -> object:
        if (value is None) != (info.data.get("client_id") is None):
            raise problem("must be set where the id is, and only there", other="sentiment.reddit.client_id")
        return value

    @field_validator("subreddits")
    @classmethod
    def _somewhere(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or not all(re.fullmatch("[A-Za-z0-9][A-Za-z0-9_]{1,20}", each) for each in value):
            raise problem("must be names of subreddits without r/, at least one, such as CryptoCurrency")
        return value


class XSettings(SourceSettings):
    """Posts on X, by its recent search, which its paid plans have."""

    bearer_token: Secret | None = None
    """The bearer token of an app; nothing for no X."""
    url: HttpUrl = "https://api.x.com"
    """The root of the API."""
    every: Duration = timedelta(hours=1)
    """How often it is searched: each search costs a part of the plan."""


class MarketCapsSettings(AskedSettings):
    """What coins are worth, and their shares of the whole: shown, and taking no side."""

    least: ClassVar[timedelta] = timedelta(minutes=5)
    url: HttpUrl | None = None
    """The root of an API as CoinGecko's, e.g. https://api.coingecko.com/api/v3; nothing for none."""
    every: Duration = timedelta(minutes=30)
    """How often it is asked, by two questions."""


class SentimentSettings(Section):
    """What is said of the markets: asked beside everything else, and shown by /sentiment."""

    enabled: bool = False
    """Whether sources are asked: on the wall's clock those with an address or a key; in a replay futures alone."""
    source: Literal["web", "generated"] = "web"
    """web: who has an address or a key; generated: made up beside made-up prices, and named so; else nobody."""
    every: Duration = timedelta(minutes=5)
    """How often it is looked for sources that are due, and futures are asked (derivatives.source)."""
    answer_within: Duration = timedelta(seconds=20)
    """How long one answer may take."""
    scorer: Literal["classifier", "llm"] = "classifier"
    """Who scores texts: the house's classifier, or a language model by the role sentiment, the classifier behind it."""
    window: Duration = timedelta(days=2)
    """How old a text may be and still count."""
    half_life: Duration = timedelta(hours=12)
    """After how long a text counts half."""
    figure_age: Duration = timedelta(hours=36)
    """How old a figure of an index or of futures may be and still count."""
    futures_weight: Weight = 2.0
    """What funding and the accounts that are long and short count, each."""
    news: NewsSettings = Field(default_factory=NewsSettings)
    """News."""
    fear_greed: FearGreedSettings = Field(default_factory=FearGreedSettings)
    """Fear & Greed."""
    reddit: RedditSettings = Field(default_factory=RedditSettings)
    """Reddit."""
    x: XSettings = Field(default_factory=XSettings)
    """X."""
    market_caps: MarketCapsSettings = Field(default_factory=MarketCapsSettings)
    """Market caps and dominance."""

    @field_validator("every", "answer_within", "window", "half_life", "figure_age")
    @classmethod
    def _some_time(cls, value: timedelta) -> timedelta:
        return _at_least(value, timedelta(seconds=1))


def _at_least(value: timedelta, least: timedelta) -> timedelta:
    if value < least:
        raise problem(f"must be at least {format_duration(least)}")
    return value
