"""The section about language models: who runs them, who is asked for what, and what that may cost.

The text under a field is its documentation: unit and meaning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from config.kinds import Duration, File, HttpUrl, Secret, problem
from config.naming import did_you_mean
from config.section import Section

OFFLINE = "offline"
"""The name of the offline analyst in a chain: rules that answer where no model does, for nothing."""
KINDS = ("openai", "anthropic", "local")
"""The interfaces that are spoken; a provider of one of these names speaks its own."""
ROLES = ("analyst", "risk", "devils_advocate", "supervisor", "prediction", "sentiment", "question")
"""What models are asked for."""

Dollars = Annotated[Decimal, Field(ge=0, max_digits=18, decimal_places=9)]
"""An amount of US dollars."""


def _check_provider(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9_-]{1,40}", value) or value == OFFLINE:
        raise problem("must be a name in small letters, e.g. openai; offline is the offline analyst's")
    return value


def _check_role(value: str) -> str:
    if value not in ROLES:
        raise problem(f"must be one of {', '.join(ROLES)}{did_you_mean(value, ROLES)}")
    return value


ProviderName = Annotated[str, AfterValidator(_check_provider)]
"""A provider of models, by the name that chains have for it."""
RoleName = Annotated[str, AfterValidator(_check_role)]
"""What a model is asked for."""
ModelName = Annotated[str, Field(max_length=200)]
"""A model of a chain: a provider of llm.providers, or one with another of its models, openai/NAME; or offline."""


class PriceSettings(Section):
    """What a model costs, in US dollars for a million tokens."""

    input: Dollars
    """What it reads."""
    output: Dollars
    """What it writes, its thinking included."""
    cached: Dollars | None = None
    """What it reads that its provider still has; nothing for the same as input."""


class ProviderSettings(Section):
    """Who runs models: openai, anthropic, local (any server with OpenAI's interface), or a name of your own."""

    kind: Literal["openai", "anthropic", "local"] | None = None
    """The interface that it speaks; nothing where its name says so."""
    api_key: Secret | None = None
    """The key; nothing for that of the provider with the name of its kind, and for servers that want none."""
    model: ModelName
    """The model that is asked, as the provider calls it; nothing with a path for the name of its file."""
    api_url: HttpUrl | None = None
    """Another server in its place; local needs one, e.g. http://127.0.0.1:11434/v1, or a path."""
    path: File | None = None
    """A file with a model (GGUF) that is run here, in the place of a server; for local, with the extra gguf."""
    price: PriceSettings | None = None
    """What the model costs; nothing where it is known, and for local, which is free."""
    cut_off: date | None = None
    """When the model's training ended, a day; nothing where nobody knows. What came before it may be known to it."""
    answer_within: Duration = timedelta(seconds=30)
    """How long one answer may take before another model is asked."""
    logprobs: bool = True
    """Whether a model is asked how sure it is (log-probabilities); false for a server that refuses that. Of local."""
    streamed: bool = False
    """Whether answers are taken in pieces, as some servers between here and there need."""

    @model_validator(mode="before")
    @classmethod
    def _called_as_its_file(cls, given: Any) -> Any:
        if isinstance(given, Mapping) and given.get("path") and not given.get("model"):
            return {**given, "model": Path(str(given["path"])).stem}
        return given

    @field_validator("answer_within")
    @classmethod
    def _bearable(cls, value: timedelta) -> timedelta:
        if not timedelta(seconds=1) <= value <= timedelta(minutes=10):
            raise problem("must be between 1s and 10m")
        return value


class ModelUseSettings(Section):
    """What differs for one role, or for one strategy context."""

    chain: tuple[ModelName, ...] | None = None
    """Who is asked, in order; nothing for llm.chain. That of a context goes before that of a role."""
    max_monthly_cost_usd: Dollars | None = None
    """The most it may cost in a month (UTC), beside what holds for all; nothing for no limit of its own."""
    max_daily_cost_usd: Dollars | None = None
    """The most it may cost in a day (UTC), beside what holds for all; nothing for no limit of its own."""
    max_tokens: int | None = Field(default=None, ge=1, le=200_000)
    """The most that an answer may have, in tokens; nothing for llm.max_tokens. Of roles alone."""


class LlmSettings(Section):
    """Language models."""

    providers: dict[ProviderName, ProviderSettings] = Field(default_factory=dict)
    """Who runs models."""
    chain: tuple[ModelName, ...] | None = None
    """Who is asked, in order, until one answers well; nothing for each of providers, then the offline analyst."""
    roles: dict[RoleName, ModelUseSettings] = Field(default_factory=dict)
    """What differs for what is asked."""
    contexts: dict[str, ModelUseSettings] = Field(default_factory=dict)
    """What differs for a strategy context, by its name."""
    max_monthly_cost_usd: Dollars = Decimal(100)
    """The most that all calls together may cost in a month (UTC), in US dollars."""
    max_daily_cost_usd: Dollars | None = None
    """The most that all calls together may cost in a day (UTC), in US dollars; nothing for no limit of its own."""
    cache_ttl: Duration = timedelta(minutes=15)
    """How long a good answer is good for the same question; 0 for never."""
    deadline: Duration = timedelta(seconds=60)
    """How long all tries for one answer may take together."""
    max_tokens: int = Field(default=2000, ge=1, le=200_000)
    """The most that an answer may have, in tokens."""
    canary: bool = True
    """Whether each model is asked a small question at the start, to see that it keeps to a schema."""
    tape: File | None = None
    """A tape that answers in the place of models, as bot llm tape export writes it: for nothing, always the same."""

    def cut_off_of(self, provider: str, model: str) -> datetime | None:
        """When a model's training ended; ``None`` where nobody knows."""
        own = self.providers.get(provider)
        if own is None or own.model != model or own.cut_off is None:
            return None
        return datetime.combine(own.cut_off, time(), UTC)

    @field_validator("providers")
    @classmethod
    def _usable(cls, providers: dict[str, ProviderSettings]) -> dict[str, ProviderSettings]:
        for name, each in providers.items():
            at, kind = f"llm.providers.{name}", kind_of(name, each)
            if kind is None:
                raise problem(f"must be one of {', '.join(KINDS)}{did_you_mean(name, KINDS)}", at=f"{at}.kind")
            if kind == "local" and each.api_url is None and each.path is None:
                raise problem("must be set: where the server is, e.g. http://127.0.0.1:11434/v1", at=f"{at}.api_url")
            if each.path is not None and (kind != "local" or each.api_url is not None):
                raise problem("is for local alone, and in the place of api_url", at=f"{at}.path")
        return providers

    @field_validator("chain")
    @classmethod
    def _of_providers(cls, chain: tuple[str, ...] | None, info: ValidationInfo) -> tuple[str, ...] | None:
        _check_chain(chain, info.data.get("providers"), "llm.chain")
        return chain

    @field_validator("roles", "contexts")
    @classmethod
    def _each_of_providers(cls, uses: dict[str, ModelUseSettings], info: ValidationInfo) -> dict[str, ModelUseSettings]:
        for name, use in uses.items():
            _check_chain(use.chain, info.data.get("providers"), f"llm.{info.field_name}.{name}.chain")
        return uses

    @field_validator("deadline")
    @classmethod
    def _bearable(cls, value: timedelta) -> timedelta:
        if not timedelta(seconds=1) <= value <= timedelta(minutes=30):
            raise problem("must be between 1s and 30m")
        return value


def kind_of(name: str, provider: ProviderSettings) -> str | None:
    """The interface that a provider speaks; ``None`` where neither it nor its name says so."""
    return provider.kind or (name if name in KINDS else None)


def key_of(name: str, providers: dict[str, ProviderSettings]) -> Secret | None:
    """A provider's key, or that of the one with the name of its kind; ``None`` where there is none."""
    own = providers[name]
    known = providers.get(kind_of(name, own) or "")
    return own.api_key or (known.api_key if known else None)


def _check_chain(chain: Iterable[str] | None, providers: dict[str, ProviderSettings] | None, at: str) -> None:
    if providers is None:
        return
    names = (*providers, OFFLINE)
    for number, item in enumerate(chain or ()):
        name, slash, model = item.partition("/")
        if name not in names:
            raise problem(f"is not among llm.providers{did_you_mean(name, names)}", at=f"{at}.{number}")
        if slash and (not model or name == OFFLINE):
            raise problem("must name a model after the slash, e.g. openai/NAME", at=f"{at}.{number}")
