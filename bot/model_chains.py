"""What the settings say of language models: whom to ask, what they cost at most, and what is missing for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path

from config.models import OFFLINE, LlmSettings, ModelUseSettings, key_of, kind_of
from config.settings import Settings
from engine.domain.days import Period
from engine.domain.errors import ConfigError, GreenlightError
from engine.domain.extras import Extra, install
from engine.domain.model_calls import ModelRequest
from engine.domain.model_ledger import Cap
from engine.llm.answers import Link
from engine.llm.model_file import LIBRARY
from engine.llm.offline import LABEL
from engine.llm.prices import ANY_MODEL, FREE, Price, PriceList
from engine.timing.clocks import WallClock

_SDKS = {"openai": ("openai", "genai_prices"), "local": ("openai", "genai_prices"), "anthropic": ("anthropic",)}
"""What each interface needs to be spoken."""


def chain_of(llm: LlmSettings, purpose: str, context: str) -> tuple[Link, ...]:
    """Whom to ask for a purpose in a strategy context: as that says, else as the role does, else as all do."""
    uses = (llm.contexts.get(context), llm.roles.get(purpose))
    own = [use.chain for use in uses if use is not None and use.chain is not None]
    return tuple(_link(item, llm) for item in (own[0] if own else _usual(llm)))


def caps_of(llm: LlmSettings) -> tuple[Cap, ...]:
    """The most that may be spent: on all, on each role, and on each strategy context."""
    month = Cap(period=Period.MONTH, usd=llm.max_monthly_cost_usd)
    day = _caps(None, llm.max_daily_cost_usd)
    roles = (_caps(use.max_monthly_cost_usd, use.max_daily_cost_usd, purpose=role) for role, use in llm.roles.items())
    contexts = (
        _caps(use.max_monthly_cost_usd, use.max_daily_cost_usd, context=name) for name, use in llm.contexts.items()
    )
    return (month, *day, *(cap for each in (*roles, *contexts) for cap in each))


def _caps(month: Decimal | None, day: Decimal | None, **about: str) -> tuple[Cap, ...]:
    asked = ((Period.MONTH, month), (Period.DAY, day))
    return tuple(Cap(period=period, usd=usd, **about) for period, usd in asked if usd is not None)


def price_list(llm: LlmSettings) -> PriceList:
    """What the models cost: as configured, nothing where one's own server or rules answer, else as it is known."""
    own = {(OFFLINE, ANY_MODEL): FREE}
    for name, each in llm.providers.items():
        if each.price is not None:
            own[name, each.model] = Price(**each.price.model_dump())
        elif kind_of(name, each) == "local":
            own[name, ANY_MODEL] = FREE
    known = {name: kind_of(name, each) for name, each in llm.providers.items()}
    sources = {name: kind for name, kind in known.items() if kind in ("openai", "anthropic")}
    return PriceList(own=own, sources={name: kind for name, kind in sources.items() if kind}, clock=WallClock())


def faults(
    settings: Settings, has: Callable[[str], bool] = lambda name: find_spec(name) is not None
) -> Iterator[ConfigError]:
    """What must hold before anybody is asked: a key, what speaks the interface, and a price for each model."""
    llm = settings.llm
    if not settings.asks_models or llm.tape is not None:
        yield from _no_tape(llm.tape)
        return
    missing = False
    for name, each in llm.providers.items():
        kind = kind_of(name, each) or ""
        if kind != "local" and key_of(name, llm.providers) is None:
            remedy = f"Set BOT_LLM__PROVIDERS__{name.upper()}__API_KEY, in the environment or in .env."
            yield ConfigError("must be set.", remedy, key=f"llm.providers.{name}.api_key")
        if each.path is not None and not each.path.is_file():
            yield ConfigError(
                f"there is no file {each.path}.", "It must be a model (GGUF).", key=f"llm.providers.{name}.path"
            )
        extra: Extra = "gguf" if each.path else "ai"
        modules = (*_SDKS[kind], LIBRARY) if each.path else _SDKS[kind]
        if not all(map(has, modules)):
            missing = True
            yield ConfigError(f"nothing here can talk to {name}.", install(extra), key=f"llm.providers.{name}")
    if not missing:
        yield from _unpriced(llm)


def _no_tape(tape: Path | None) -> Iterator[ConfigError]:
    if tape is not None and not tape.is_file():
        yield ConfigError(f"there is no file {tape}.", "bot llm tape export writes one.", key="llm.tape")


def _unpriced(llm: LlmSettings) -> Iterator[ConfigError]:
    """Whose cost nobody knows could not be kept within any cap."""
    prices = price_list(llm)
    small = ModelRequest(purpose="", model="", system_message="", prompt="", max_tokens=1)
    for link in all_links(llm):
        try:
            prices.worst(link.provider, replace(small, model=link.model))
        except GreenlightError as error:
            own = llm.providers[link.provider]
            only = (
                "" if link.model == own.model else f" That is for {own.model} alone: another is a provider of its own."
            )
            yield ConfigError(error.message, f"{error.remedy}{only}", key=f"llm.providers.{link.provider}.price")


def all_links(llm: LlmSettings) -> tuple[Link, ...]:
    """Every model that any chain asks, in order."""
    uses: Sequence[ModelUseSettings] = (*llm.roles.values(), *llm.contexts.values())
    items = [*_usual(llm), *(item for use in uses for item in use.chain or ())]
    return tuple(dict.fromkeys(_link(item, llm) for item in items))


def _usual(llm: LlmSettings) -> tuple[str, ...]:
    return (*llm.providers, OFFLINE) if llm.chain is None else llm.chain


def _link(item: str, llm: LlmSettings) -> Link:
    name, _, model = item.partition("/")
    if name == OFFLINE:
        return Link(provider=OFFLINE, model=LABEL, is_offline=True)
    own = llm.providers[name]
    return Link(provider=name, model=model or own.model, within=own.answer_within.total_seconds())
