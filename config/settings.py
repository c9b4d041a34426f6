"""The whole configuration as one typed, unchangeable object."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from config.adjuster import PpoSettings
from config.ai import AiSettings
from config.capital import CapitalSettings
from config.contexts import ContextSettings, IndicatorSettings
from config.emergency import EmergencySettings
from config.keeping import AccountSettings, BacktestSettings, DatabaseSettings, LogSettings, RetentionSettings
from config.kinds import ExchangeName, File, Secret, passwords_in, problem
from config.limits import ApprovalSettings, QualitySettings, RiskSettings
from config.markets import DerivativesSettings, ExchangeSettings, MarketsSettings, ReplaySettings, VenueSettings
from config.models import LlmSettings
from config.naming import did_you_mean
from config.people import AlertSettings, DigestSettings, PersonSettings
from config.platforms import FailoverSettings, SlackSettings, TelegramSettings, ViewerSettings, WebSettings
from config.section import Section
from config.sentiment import SentimentSettings
from engine.domain.figures import plain
from engine.domain.market import Timeframe
from engine.domain.messages import CardKind
from engine.risk.limits import RiskLimits
from engine.store.location import file_of
from engine.strategies.consolidation import Consolidation

PLATFORMS = ("telegram", "slack", "web")
"""The places where a person can have an identity."""
VENUE_NAME = "venue.sqlite"
"""The paper venue's file, where nothing else is set."""


class Settings(BaseSettings, Section):  # type: ignore[misc] # each has a config of its own; they add up
    """Everything that can be set. Rules that look at two sections are here, the others in their section."""

    profile: str = "base"
    """The profile in force; a database belongs to one."""
    secrets_dir: File | None = None
    """A folder with a file for each secret, such as bot_telegram__token; nothing for /run/secrets where that is."""
    keys_file: File | None = None
    """The file that `bot keys set` has sealed venues' keys in; what it keeps is under files of secrets."""
    keys_passphrase: Secret | None = None
    """What opens it; without it `bot` asks whoever is at the terminal."""
    live_trading: str | None = None
    """Must say "I understand" before an order may go to a real venue; paper profiles do not look at it."""
    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    """Where everything is kept."""
    account: AccountSettings = Field(default_factory=AccountSettings)
    """The account whose books are kept."""
    web: WebSettings = Field(default_factory=WebSettings)
    """The web chat and the API."""
    telegram: TelegramSettings = Field(default_factory=TelegramSettings)
    """The operators' bot on Telegram."""
    slack: SlackSettings = Field(default_factory=SlackSettings)
    """The operators' bot on Slack."""
    viewer: ViewerSettings = Field(default_factory=ViewerSettings)
    """The followers' bot."""
    people: tuple[PersonSettings, ...] = ()
    """Who may use the bot; nobody else can do anything."""
    failover: FailoverSettings = Field(default_factory=FailoverSettings)
    """When another platform steps in."""
    approval: ApprovalSettings = Field(default_factory=ApprovalSettings)
    """How far the bot may go alone."""
    risk: RiskSettings = Field(default_factory=RiskSettings)
    """What no confidence can buy its way past."""
    capital: CapitalSettings = Field(default_factory=CapitalSettings)
    """How much of the account may be used, and how that grows."""
    emergency: EmergencySettings = Field(default_factory=EmergencySettings)
    """What calls for a stop by itself, and what one does."""
    market: MarketsSettings = Field(default_factory=MarketsSettings)
    """Where prices come from, and which clock decides."""
    exchanges: dict[ExchangeName, ExchangeSettings] = Field(default_factory=dict)
    """The venues, by their ids in ccxt; in a replay each that is on is a paper venue by itself, where several are."""
    derivatives: DerivativesSettings = Field(default_factory=DerivativesSettings)
    """What futures tell of the markets."""
    sentiment: SentimentSettings = Field(default_factory=SentimentSettings)
    """What is said of the markets."""
    venue: VenueSettings = Field(default_factory=VenueSettings)
    """The paper venue."""
    replay: ReplaySettings = Field(default_factory=ReplaySettings)
    """How a market is replayed."""
    backtest: BacktestSettings = Field(default_factory=BacktestSettings)
    """What backtests keep, and whom they ask."""
    digest: DigestSettings = Field(default_factory=DigestSettings)
    """The digest of days or weeks."""
    alerts: AlertSettings = Field(default_factory=AlertSettings)
    """What people are alerted to."""
    retention: RetentionSettings = Field(default_factory=RetentionSettings)
    """How long things are kept."""
    quality: QualitySettings = Field(default_factory=QualitySettings)
    """When candles are too bad to trade on."""
    indicators: tuple[IndicatorSettings, ...] = ()
    """What is computed beside the standard set, for conditions, /why and strategies of one's own."""
    contexts: tuple[ContextSettings, ...] = ()
    """The strategies at work, each on its markets."""
    consolidation: Consolidation = Consolidation.OWN
    """Whether contexts on one coin trade each for its own, or one gives way: own, prioritised, weighted, netted."""
    ai: AiSettings = Field(default_factory=AiSettings)
    """Whether anybody is asked beside the strategies."""
    ppo: PpoSettings = Field(default_factory=PpoSettings)
    """The policy that adjusts entries, and what one is trained for."""
    llm: LlmSettings = Field(default_factory=LlmSettings)
    """Language models: who runs them, who is asked, and what that may cost."""
    logs: LogSettings = Field(default_factory=LogSettings)
    """What the program writes about itself."""

    @property
    def venue_file(self) -> Path:
        """The paper venue's file: as set, else ``venue.sqlite`` beside an SQLite database, else under ``var/``."""
        return self.venue.file or _beside(self.database.url, self.profile) / VENUE_NAME

    @property
    def exchange(self) -> tuple[str, ExchangeSettings]:
        """The venue whose real prices the contexts trade on, and how; its name is empty where they name none."""
        name = next((context.exchange for context in self.contexts if context.exchange), "")
        return name, self.exchanges.get(name, ExchangeSettings())

    @property
    def price_venues(self) -> tuple[str, ...]:
        """The venues whose real prices are followed, each of ccxt once; ``exchange`` is the first.

        A further venue of a context goes by the candles of its first one, unless contexts of several may buy there.
        """
        found: dict[str, str] = {}
        for context in self.contexts:
            if context.exchange:
                found.setdefault(self.listed_as(context.exchange), context.exchange)
        may_come = [(other, self.listed_as(each.exchange or "")) for each in self.contexts for other in each.venues[1:]]
        for other, _ in may_come:
            if len({first for each, first in may_come if self.listed_as(each) == self.listed_as(other)}) > 1:
                found.setdefault(self.listed_as(other), other)
        return tuple(found.values())

    def listed_as(self, name: str) -> str:
        """A venue's id in ccxt: two accounts there have the same."""
        return self.exchanges.get(name, ExchangeSettings()).venue or name

    @property
    def limits(self) -> RiskLimits:
        """The risk limits of the account and of its contexts, as the rules have them."""
        own = {each.name: each.risk.limits for each in self.contexts if each.risk}
        return replace(self.risk.limits, own=own) if own else self.risk.limits

    @property
    def asks_models(self) -> bool:
        """Whether language models are asked: as it says, else as soon as there is one."""
        return bool(self.llm.providers) if self.ai.enabled is None else self.ai.enabled

    @property
    def predicts(self) -> tuple[Timeframe, ...]:
        """The timeframes on which predictions are made, the shortest first; none where nothing is predicted."""
        asked = self.ai.prediction
        return asked.timeframes if self.asks_models and asked.enabled else ()

    @property
    def several(self) -> tuple[str, ...]:
        """The venues of a replay, those that are on, where there are several; else none: one has no name of its own."""
        on = _on(self.exchanges) if self.market.source == "replay" else []
        return tuple(sorted(on)) if len(on) > 1 else ()

    @field_validator("exchanges")
    @classmethod
    def _some_venue(cls, exchanges: dict[str, ExchangeSettings], info: ValidationInfo) -> dict[str, ExchangeSettings]:
        market = info.data.get("market")
        if market and market.source == "ccxt" and not _on(exchanges):
            message = "must have a venue that is on, e.g. binance: {}, because market.source is ccxt"
            raise problem(message, other="market.source")
        return exchanges

    @field_validator("derivatives")
    @classmethod
    def _of_now(cls, derivatives: DerivativesSettings, info: ValidationInfo) -> DerivativesSettings:
        market = info.data.get("market")
        if market and derivatives.source == "binance" and market.clock == "replay":
            message = "must not be a venue while market.clock is replay: it tells of this moment alone"
            raise problem(message, at="derivatives.source", other="market.clock")
        return derivatives

    @field_validator("venue")
    @classmethod
    def _a_file_of_its_own(cls, venue: VenueSettings, info: ValidationInfo) -> VenueSettings:
        database = info.data.get("database")
        file = file_of(database.url) if database else None
        if file and file.resolve() == (venue.file or file.with_name(VENUE_NAME)).resolve():
            raise problem("must be another file than the database", at="venue.file", other="database.url")
        return venue

    @field_validator("people")
    @classmethod
    def _distinct_people(cls, people: tuple[PersonSettings, ...]) -> tuple[PersonSettings, ...]:
        _refuse_twice("people", "name", [person.name.casefold() for person in people])
        for platform in PLATFORMS:
            _refuse_twice("people", platform, [getattr(person, platform) for person in people])
        return people

    @field_validator("people")
    @classmethod
    def _somebody_to_talk_to(
        cls, people: tuple[PersonSettings, ...], info: ValidationInfo
    ) -> tuple[PersonSettings, ...]:
        telegram, slack = info.data.get("telegram"), info.data.get("slack")
        tokens = {
            "telegram.token": telegram and telegram.token,
            "slack.bot_token": slack and slack.bot_token,
        }
        for name, token in tokens.items():
            if token and not people:
                message = "must name at least one person, because a chat token is set: nobody could answer the bot"
                raise problem(message, other=name)
        return people

    @field_validator("telegram")
    @classmethod
    def _called_at_the_web_server(cls, telegram: TelegramSettings, info: ValidationInfo) -> TelegramSettings:
        web = info.data.get("web")
        if telegram.mode == "webhook" and web and not web.enabled:
            raise problem("webhook needs the web server, which is off", at="telegram.mode", other="web.enabled")
        return telegram

    @field_validator("slack")
    @classmethod
    def _called_somewhere(cls, slack: SlackSettings, info: ValidationInfo) -> SlackSettings:
        web = info.data.get("web")
        if slack.bot_token and slack.mode == "http" and web and not web.enabled:
            raise problem("http needs the web server, which is off", at="slack.mode", other="web.enabled")
        return slack

    @field_validator("viewer")
    @classmethod
    def _a_bot_of_its_own(cls, viewer: ViewerSettings, info: ValidationInfo) -> ViewerSettings:
        telegram = info.data.get("telegram")
        if viewer.token and telegram and viewer.token == telegram.token:
            message = "is the operators' token: two programs cannot read one bot's messages; make another bot"
            raise problem(message, at="viewer.token", other="telegram.token")
        return viewer

    @field_validator("failover")
    @classmethod
    def _shown_somewhere(cls, failover: FailoverSettings, info: ValidationInfo) -> FailoverSettings:
        places = [name for name in PLATFORMS if _has_place(info.data.get(name))]
        for kind in (CardKind.APPROVALS, CardKind.ALERTS):
            if places and not any(kind in info.data[name].cards for name in places):
                message = f"must have {kind} somewhere: no platform that is on shows them"
                raise problem(message, at=f"{places[0]}.cards")
        return failover

    @field_validator("contexts")
    @classmethod
    def _distinct_contexts(cls, contexts: tuple[ContextSettings, ...]) -> tuple[ContextSettings, ...]:
        _refuse_twice("contexts", "name", [context.name.casefold() for context in contexts])
        return contexts

    @field_validator("contexts")
    @classmethod
    def _only_tighter(cls, contexts: tuple[ContextSettings, ...], info: ValidationInfo) -> tuple[ContextSettings, ...]:
        risk = info.data.get("risk")
        for number, context in enumerate(contexts if risk else ()):
            for name, own in (context.risk.model_dump() if context.risk else {}).items():
                limit = getattr(risk, name)
                if own is not None and limit is not None and own > limit:
                    message = f"must not be above risk.{name}, which is {plain(limit)}: a context only tightens it"
                    raise problem(message, at=f"contexts.{number}.risk.{name}", other=f"risk.{name}")
        return contexts

    @field_validator("contexts")
    @classmethod
    def _on_a_venue(cls, contexts: tuple[ContextSettings, ...], info: ValidationInfo) -> tuple[ContextSettings, ...]:
        """Each context on a venue that is on: the one it names, else the only one there is."""
        market, exchanges = info.data.get("market"), info.data.get("exchanges")
        if market is None or exchanges is None:
            return contexts
        on = _on(exchanges)
        contexts = tuple(_at_its_first(each, f"contexts.{number}") for number, each in enumerate(contexts))
        for number, venue in [(number, venue) for number, each in enumerate(contexts) for venue in each.venues]:
            if venue not in on:
                message = "is off" if venue in exchanges else f"is not among exchanges{did_you_mean(venue, exchanges)}"
                raise problem(f"{venue} {message}", at=f"contexts.{number}.venues")
            if market.source == "ccxt" and exchanges[venue].orders != "real":
                message = f"{venue} must have orders: real, as paper orders at real prices have one venue"
                raise problem(message, at=f"contexts.{number}.venues", other=f"exchanges.{venue}.orders")
        for number, context in enumerate(contexts):
            name, at = context.exchange, f"contexts.{number}.exchange"
            if name in exchanges and name not in on:
                raise problem("is off", at=at, other=f"exchanges.{name}.enabled")
            if name and name not in exchanges:
                raise problem(f"is not among exchanges{did_you_mean(name, exchanges)}", at=at)
            if not name and len(on) > 1:
                message = f"must name one of {', '.join(on)}, or leave one alone on"
                raise problem(message, at=at, other=f"exchanges.{on[-1]}")
        only = on[0] if len(on) == 1 and market.source == "ccxt" else None
        return tuple(each if each.exchange else each.model_copy(update={"exchange": only}) for each in contexts)

    @field_validator("llm")
    @classmethod
    def _of_contexts(cls, llm: LlmSettings, info: ValidationInfo) -> LlmSettings:
        names = [context.name for context in info.data.get("contexts") or ()]
        for name in llm.contexts if "contexts" in info.data else ():
            if name not in names:
                message = f"is not among contexts{did_you_mean(name, names)}"
                raise problem(message, at=f"llm.contexts.{name}", other="contexts")
        return llm

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - what pydantic-settings calls it with
        init_settings: PydanticBaseSettingsSource,
        *_: PydanticBaseSettingsSource,
        **__: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """By themselves settings are what they are given; ``load`` brings sources that know their places."""
        return (init_settings,)


def secrets(settings: Settings) -> tuple[SecretStr, ...]:
    """Every secret that is set, passwords inside the database's URL included: what logs must mask."""
    return (*_secrets_in(settings), *map(SecretStr, passwords_in(settings.database.url)))


def _secrets_in(section: BaseModel) -> Iterator[SecretStr]:
    for _, value in section:
        if isinstance(value, SecretStr):
            yield value
        elif isinstance(value, BaseModel):
            yield from _secrets_in(value)
        elif isinstance(value, dict):
            for each in value.values():
                if isinstance(each, BaseModel):
                    yield from _secrets_in(each)


def _beside(url: str, profile: str) -> Path:
    """The folder where a profile's files are: its database's, or one under ``var/`` where that is on a server."""
    file = file_of(url)
    return file.parent if file else Path("var") / profile


def _at_its_first(context: ContextSettings, at: str) -> ContextSettings:
    """A context with several venues is on the first of them."""
    first = next(iter(context.venues), None)
    if first and context.exchange not in (None, first):
        raise problem(f"must be {first}, the first of its venues, or left out", at=f"{at}.exchange")
    if len(set(context.venues)) < len(context.venues):
        raise problem("names a venue twice", at=f"{at}.venues")
    return context.model_copy(update={"exchange": first}) if first else context


def _on(exchanges: dict[str, ExchangeSettings]) -> list[str]:
    """The venues that are on."""
    return [name for name, each in exchanges.items() if each.enabled]


def _has_place(section: object) -> bool:
    """Whether cards go to a platform."""
    match section:
        case WebSettings():
            return section.enabled
        case TelegramSettings():
            return bool(section.token and section.chat_id)
        case SlackSettings():
            return section.bot_token is not None
        case _:
            return False


def _refuse_twice(listed: str, name: str, values: list[str | None]) -> None:
    seen: dict[str, int] = {}
    for number, value in enumerate(values):
        if value is None:
            continue
        if value in seen:
            first = f"{listed}.{seen[value]}.{name}"
            raise problem(f"is the same as {first}", at=f"{listed}.{number}.{name}", other=first)
        seen[value] = number
