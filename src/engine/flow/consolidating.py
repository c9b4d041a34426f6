"""In which turn contexts decide on what was seen at a close, and which of them gives way to another on its coin."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from engine.domain.decisions import Stance
from engine.domain.errors import StrategyError
from engine.domain.orders import Order, Purpose
from engine.domain.positions import Position
from engine.domain.snapshots import MarketSnapshot
from engine.flow.proposing import propose
from engine.flow.services import CycleServices
from engine.store.unit_of_work import UnitOfWork
from engine.strategies.consolidation import UNOPPOSED, Consolidation, Settlement, Voice, settle, turns
from engine.strategies.context import StrategyContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One context that decides on one market.

    Attributes:
        gives_way: Why it does not do what it wants; empty where nothing speaks against that.
        if_bought: Whether it gives way only where its coin has been bought at this close.
    """

    context: StrategyContext
    seen: MarketSnapshot
    gives_way: str = ""
    if_bought: bool = False

    @property
    def coin(self) -> str:
        """What is bought and sold there."""
        return self.seen.market.base

    def against(self, bought: Iterable[str]) -> str:
        """Why it gives way after some coins have been bought; empty where it does not."""
        return "" if self.if_bought and self.coin not in bought else self.gives_way


def in_turn(
    services: CycleServices, uow: UnitOfWork, closes: Sequence[tuple[StrategyContext, MarketSnapshot]]
) -> list[Turn]:
    """Who decides when, of contexts in the order in which they were configured; as they come where each is its own."""
    mode, given = services.consolidation, [Turn(context=context, seen=seen) for context, seen in closes]
    if mode is Consolidation.OWN:
        return given
    of_coins: dict[str, list[Turn]] = defaultdict(list)
    for turn in given:
        of_coins[turn.coin].append(turn)
    settled = {coin: _settled(services, uow, coin, own) for coin, own in of_coins.items()}

    def place(turn: Turn) -> tuple[bool, float]:
        own = turn.context
        return own.name not in settled[turn.coin].heard, turns(mode, own.weight, own.priority)

    return [_told(turn, settled[turn.coin]) for turn in sorted(given, key=place)]


def bought(orders: Iterable[Order]) -> set[str]:
    """The coins that some orders buy."""
    return {order.request.symbol.partition("/")[0] for order in orders if order.purpose is Purpose.ENTRY}


def _told(turn: Turn, settled: Settlement) -> Turn:
    name = turn.context.name
    if name in settled.waiting:
        return replace(turn, gives_way=settled.waiting[name], if_bought=True)
    return replace(turn, gives_way=settled.held_back.get(name, ""))


def _settled(services: CycleServices, uow: UnitOfWork, coin: str, own: Sequence[Turn]) -> Settlement:
    if all(turn.context.name == own[0].context.name for turn in own):
        return UNOPPOSED
    held = uow.positions.open()
    voices: dict[str, Voice] = {}
    for turn in own:
        voice = _voice(services, turn, held)
        # A context that leaves the coin at one venue and enters it at another wants out.
        if voice is not None and (voice.context not in voices or voice.stance is Stance.EXIT):
            voices[voice.context] = voice
    return settle(services.consolidation, coin, tuple(voices.values()))


def _voice(services: CycleServices, turn: Turn, held: Sequence[Position]) -> Voice | None:
    """What a context wants of its market; ``None`` where that is nothing, or its strategy fails: that is told later."""
    context, seen = turn.context, turn.seen
    about = (context.name, seen.market.symbol)
    own = tuple(each for each in held if (each.context, each.symbol) == about and each.venue in context.venues)
    with suppress(StrategyError):
        proposal = propose(context, seen, own)
        if proposal.exits:
            return Voice(context=context.name, stance=Stance.EXIT, weight=context.weight, priority=context.priority)
        if proposal.stance is Stance.ENTER and not own:
            return Voice(
                context=context.name,
                stance=Stance.ENTER,
                confidence=proposal.signals.confidence,
                weight=context.weight,
                priority=context.priority,
                at_once=not (services.panel.patience or context.fast),
            )
    return None
