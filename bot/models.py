"""The language models put together: who runs them by the settings, what they may cost, and one manager over all.

settings ─▶ providers, prices, caps, chains ─▶ LLMManager: the models themselves, or a tape in their place
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.model_chains import all_links, caps_of, chain_of, faults, price_list
from config.models import OFFLINE, LlmSettings, ProviderSettings, key_of, kind_of
from config.settings import Settings
from engine.ai.rules import RULES
from engine.domain.errors import ConfigError
from engine.llm.answers import Calls, Link
from engine.llm.breakers import Breakers
from engine.llm.canary import NO_CANARIES, ask_canaries
from engine.llm.ledger import CostLedger
from engine.llm.live_calls import LiveCalls
from engine.llm.manager import LLMManager
from engine.llm.offline import OfflineAnalyst
from engine.llm.overview import ModelsOverview
from engine.llm.tape import TapeCalls, read_tape
from engine.ports import Clock, ModelProvider
from engine.store import migrate
from engine.store.database import Database
from engine.timing.clocks import WallClock, wall


class Board:
    """How each provider is.

    Attributes:
        canaries: What was wrong at the start.
    """

    def __init__(self, calls: LiveCalls) -> None:
        self._calls = calls
        self.canaries = NO_CANARIES

    def trouble(self, provider: str) -> str:
        """What is wrong with a provider; empty where nothing is, or no more."""
        silent = "" if self._calls.has_answered(provider) else self.canaries.silent.get(provider, "")
        return self._calls.trouble(provider) or self.canaries.schemaless.get(provider, "") or silent


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """Everything about language models that runs.

    Attributes:
        manager: Whom to ask.
        overview: What people see of them.
        ledger: What they cost.
        providers: Who runs them; empty where a tape answers, or nobody is asked.
        board: How each of them is.
        canaries: The models that are asked a small question at the start.
        tape: What answers in their place; ``None`` where they answer themselves.
    """

    manager: LLMManager
    overview: ModelsOverview
    ledger: CostLedger
    providers: Mapping[str, ModelProvider]
    board: Board
    canaries: tuple[Link, ...]
    tape: TapeCalls | None
    _asking: list[asyncio.Task[None]] = field(default_factory=list, init=False)

    @property
    def remote(self) -> tuple[str, ...]:
        """The providers that are asked over a network."""
        return tuple(sorted(name for name in self.providers if name != OFFLINE))

    def health_of(self, provider: str) -> Callable[[], str]:
        """Tells how a provider is: ``ok``, or what is wrong."""
        return lambda: self.board.trouble(provider) or "ok"

    async def begin(self) -> None:
        """Keep what an earlier run has left under way, for it may have been billed; and ask the canaries, beside."""
        await self.ledger.keep_lost()
        if self.canaries:
            self._asking.append(asyncio.create_task(self._ask_canaries(), name="canaries"))

    async def _ask_canaries(self) -> None:
        # What importing takes is not taken of the time for an answer; the question says what is wrong with one.
        names = dict.fromkeys(link.provider for link in self.canaries)
        await asyncio.gather(*(self.providers[name].open() for name in names), return_exceptions=True)
        self.board.canaries = await ask_canaries(self.manager, self.canaries)

    async def close(self) -> None:
        """Let go of every connection."""
        for task in self._asking:
            task.cancel()
        await asyncio.gather(*self._asking, return_exceptions=True)
        for provider in self.providers.values():
            await provider.close()


def build_models(
    settings: Settings,
    store: Database,
    clock: Clock,
    wall: Callable[[], datetime],
    member: Callable[[str], ModelProvider] | None = None,
) -> Models:
    """Put them together; nobody is asked, and no connection opened, for that.

    Args:
        settings: The settings.
        store: Where calls are kept.
        clock: The market's time.
        wall: The wall's, as providers bill.
        member: Runs the models of a provider; ``None`` for the providers themselves.

    Raises:
        DataError: The tape cannot be read.
    """
    llm = settings.llm
    ledger = CostLedger(store=store, caps=caps_of(llm), clock=clock, wall=wall)
    prices = price_list(llm)
    asks = settings.asks_models and llm.tape is None
    links = all_links(llm) if settings.asks_models else ()
    used = {link.provider for link in links}
    run_by = member or (lambda name: _member(name, llm))
    providers = {name: run_by(name) for name in used} if asks else {}
    breakers = Breakers()
    live = LiveCalls(
        store=store,
        ledger=ledger,
        providers=providers,
        pricing=prices,
        breakers=breakers,
        cache_ttl=llm.cache_ttl,
        wall=wall,
    )
    board = Board(live)
    recorded = read_tape(llm.tape) if llm.tape is not None and settings.asks_models else ()
    tape = TapeCalls(recorded, OfflineAnalyst(rules=RULES, name=OFFLINE)) if llm.tape is not None else None
    calls: Calls = live if tape is None else tape
    return Models(
        manager=LLMManager(
            calls=calls,
            chain=lambda purpose, context: chain_of(llm, purpose, context),
            pricing=prices,
            deadline=llm.deadline.total_seconds(),
            max_tokens={"": llm.max_tokens}
            | {role: use.max_tokens for role, use in llm.roles.items() if use.max_tokens is not None},
            is_on=settings.asks_models,
            on_tape=tape is not None,
        ),
        overview=ModelsOverview(
            store=store,
            links=links,
            caps=ledger.caps,
            trouble=board.trouble,
            wall=wall,
            is_on=settings.asks_models,
            tape=str(llm.tape or ""),
        ),
        ledger=ledger,
        providers=providers,
        board=board,
        canaries=tuple(link for link in links if llm.canary and asks and not link.is_offline),
        tape=tape,
    )


@asynccontextmanager
async def models_beside(settings: Settings) -> AsyncIterator[Models]:
    """The models on the account's own database, for a single question: its caps hold, also beside the running bot.

    Raises:
        GreenlightError: Something that they need is missing.
    """
    for fault in faults(settings):
        raise fault
    await asyncio.to_thread(migrate.upgrade, settings.database.url)
    store = Database(settings.database.url)
    models = build_models(settings, store, WallClock(), wall)
    try:
        yield models
    finally:
        await models.close()
        await store.close()


def _member(name: str, llm: LlmSettings) -> ModelProvider:
    """Who runs a provider's models."""
    if name == OFFLINE:
        return OfflineAnalyst(rules=RULES, name=OFFLINE)
    return _remote(name, llm.providers[name], llm)


def _remote(name: str, own: ProviderSettings, llm: LlmSettings) -> ModelProvider:
    from engine.llm.anthropic import AnthropicProvider
    from engine.llm.local import LocalProvider
    from engine.llm.model_file import ModelFileProvider
    from engine.llm.openai import OpenAIProvider
    from engine.llm.sdk import SdkProvider

    members: Mapping[str, type[SdkProvider[Any]]] = {
        "openai": OpenAIProvider,
        "anthropic": AnthropicProvider,
    }
    silent_for = own.answer_within.total_seconds()
    if own.path is not None:
        return ModelFileProvider(name=name, path=own.path, streamed=own.streamed, silent_for=silent_for)
    kind, key = kind_of(name, own) or "", key_of(name, llm.providers)
    if kind == "local":
        return LocalProvider(
            name=name,
            api_key=key,
            api_url=own.api_url or "",
            streamed=own.streamed,
            silent_for=silent_for,
            logprobs=own.logprobs,
        )
    if key is None:
        raise ConfigError("must be set.", key=f"llm.providers.{name}.api_key")
    return members[kind](
        name=name,
        api_key=key,
        api_url=own.api_url or "",
        streamed=own.streamed,
        silent_for=silent_for,
    )
