"""The policy that adjusts entries, by the settings, and what people are shown of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from config.settings import Settings
from engine.domain.adjustments import AdjustedEntry, AdjusterMode, AdjusterView
from engine.domain.decisions import Judged
from engine.learning.adjuster import PPOAdjuster
from engine.learning.features import Shares
from engine.learning.policy import PolicyCard
from engine.learning.policy_files import BadPolicy, load_policy
from engine.store.database import Database
from engine.store.decisions import status_of

_LOOKED_AT, _SHOWN = 100, 8


def adjuster_of(settings: Settings) -> PPOAdjuster:
    """The adjuster; one whose policy cannot be used leaves the static rules in force, and says why."""
    own, limits = settings.ppo, settings.risk
    shares = Shares(risk_per_trade=float(limits.risk_per_trade), max_position=float(limits.max_position))
    if own.mode is AdjusterMode.OFF or own.policy is None:
        return PPOAdjuster(shares=shares)
    try:
        return PPOAdjuster(mode=own.mode, policy=load_policy(own.policy), shares=shares, max_age=own.max_age)
    except BadPolicy as error:
        return PPOAdjuster(mode=own.mode, fault=error.message, shares=shares)


def adjuster_view(adjuster: PPOAdjuster, store: Database) -> Callable[[], Awaitable[AdjusterView]]:
    """Tells what it did, and what it would have done."""

    async def view() -> AdjusterView:
        if not adjuster.is_on:
            return AdjusterView(mode=adjuster.mode)
        entries = await store.read(lambda uow: uow.decisions.entries(_LOOKED_AT))
        asked = [(each, each.adjustment) for each in entries if each.adjustment is not None]
        scales = [each.adjustment.scale for _, each in asked if each.adjustment is not None]
        return AdjusterView(
            mode=adjuster.mode,
            policy=adjuster.policy.card.name if adjuster.policy else "",
            about=about(adjuster.policy.card) if adjuster.policy else (),
            fault=adjuster.fault,
            asked=len(asked),
            unknown=len(asked) - len(scales),
            mean_scale=sum(scales) / len(scales) if scales else None,
            newest=tuple(_entry(each) for each, _ in asked[:_SHOWN]),
        )

    return view


def _entry(judged: Judged) -> AdjustedEntry:
    if judged.adjustment is None:
        raise ValueError("Only what was adjusted is told.")
    decision = judged.decision
    return AdjustedEntry(
        decision_id=decision.id,
        symbol=decision.symbol,
        at=decision.at,
        adjusted=judged.adjustment,
        became=status_of(judged),
    )


def about(card: PolicyCard) -> tuple[str, ...]:
    """What people are told of a policy, in sentences."""
    trained = f"Trained {card.begins} to {card.ends} UTC on {card.timeframe} candles." if card.ends else ""
    return tuple(filter(None, (trained, f"It is degenerate: {card.degenerate}." if card.degenerate else "")))
