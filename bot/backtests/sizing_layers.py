"""The layers after everybody was heard: a policy that sizes entries beside rules with one number, and people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.backtests.full import FullRun
from bot.backtests.layer_rows import Layer, Span
from bot.backtests.setups import people_of
from config.limits import RiskSettings
from config.settings import Settings
from engine.backtest.setup import RiskTerms
from engine.domain.adjustments import AdjusterMode
from engine.learning.adjuster import PPOAdjuster
from engine.learning.features import Shares
from engine.learning.policy import BEST_SCALE, BEST_VOLATILITY, Policy, PolicyCard
from engine.learning.policy_files import BadPolicy, load_policy
from engine.learning.sizing import RULE_BOUNDS, Choose, Sizing, SizingRule, constant, targeting
from handlers.cards.wording import count

PPO, PEOPLE, TARGETING, CONSTANT = "+ PPO", "+ people", "volatility targeting", "constant scale"
_BARE = "a bare run has neither (--risk off)"


@dataclass(frozen=True, slots=True, kw_only=True)
class SizingLayers:
    """The policy, and what it has to be better than.

    Attributes:
        policy: Its file; ``None`` where there is none.
        max_age: How long after the end of its training it may be asked.
        limits: The limits that what it sees is held against.
        span: The time that is traded in.
    """

    policy: Path | None
    max_age: timedelta | None
    limits: RiskSettings
    span: Span

    def of(self, before: Layer) -> Iterator[Layer]:
        """Volatility targeting, a constant scale and the policy, each on all that is before them.

        Args:
            before: The newest layer that was tried.
        """
        try:
            policy = self._policy(before)
        except _NoRowError as error:
            yield replace(before, name=PPO, missing=error.reason)
            return
        card = policy.card
        yield self._rule(before, TARGETING, card, BEST_VOLATILITY)
        yield self._rule(before, CONSTANT, card, BEST_SCALE)
        yield replace(before, name=PPO, adjuster=self._adjuster(policy, self.max_age), faces=(TARGETING, CONSTANT))

    def _policy(self, before: Layer) -> Policy:
        if self.policy is None:
            raise _NoRowError("no policy (ppo.policy)")
        if not isinstance(before.setup.terms, RiskTerms):
            raise _NoRowError(_BARE)
        try:
            found = load_policy(self.policy)
        except BadPolicy as error:
            raise _NoRowError(error.message.rstrip(".")) from None
        seen = found.card.tested_from
        if not seen:
            raise _NoRowError(f"{found.card.name} does not say what it was trained and chosen on")
        if self.span[0] < datetime.fromisoformat(seen).replace(tzinfo=UTC):
            raise _NoRowError(f"{found.card.name} was trained and chosen on what came before {seen[:10]} (--start)")
        return found

    def _rule(self, before: Layer, name: str, card: PolicyCard, figure: str) -> Layer:
        """A rule with the number that was best where the policy was trained."""
        number = card.figures.get(figure)
        if number is None:
            return replace(before, name=name, missing=f"the training of {card.name} tells of none", is_aside=True)
        choose: Choose = (targeting if figure == BEST_VOLATILITY else constant)(number)
        rule = SizingRule(card=PolicyCard(name=name, bounds=RULE_BOUNDS), choose=choose)
        return replace(before, name=name, adjuster=self._adjuster(rule, None), is_aside=True)

    def _adjuster(self, sizing: Sizing, max_age: timedelta | None) -> PPOAdjuster:
        own = self.limits
        shares = Shares(risk_per_trade=float(own.risk_per_trade), max_position=float(own.max_position))
        return PPOAdjuster(mode=AdjusterMode.ACTIVE, policy=sizing, shares=shares, max_age=max_age)


class _NoRowError(Exception):
    """There is nothing to try, for a reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def people_layer(before: Layer, settings: Settings) -> Layer:
    """Simulated people who are asked about what is not sure enough, as by ``--approve human``."""
    terms, own = before.setup.terms, settings.approval.autonomy
    if not isinstance(terms, RiskTerms):
        return replace(before, name=PEOPLE, missing=_BARE, faces=())
    if own.ask_above >= own.auto_above:
        return replace(before, name=PEOPLE, missing="nobody is asked (approval.ask_above)", faces=())
    asked = replace(terms, confidence=own.auto_above, approved=False, people=people_of(settings))
    return replace(before, name=PEOPLE, setup=replace(before.setup, terms=asked), faces=())


def with_adjuster_off(settings: Settings) -> Settings:
    """The same without a policy that sizes entries."""
    return settings.model_copy(update={"ppo": settings.ppo.model_copy(update={"mode": AdjusterMode.OFF})})


def unadjusted(layer: Layer, run: FullRun) -> str:
    """Why a run with an adjuster says nothing of it; empty where it does."""
    if layer.adjuster is None or any(each.adjustment for each in run.adjusted):
        return ""
    if not run.adjusted:
        return "there was no entry to ask about"
    return f"it answered about none of {count(len(run.adjusted), 'entry', 'entries')}: {run.adjusted[0].why}"


def adjusting_notes(layer: Layer, run: FullRun) -> Iterator[str]:
    """What has to be known of who sized entries."""
    if layer.name not in (PPO, TARGETING, CONSTANT) or layer.adjuster is None or layer.adjuster.policy is None:
        return
    scales = [each.adjustment.scale for each in run.adjusted if each.adjustment is not None]
    card = layer.adjuster.policy.card
    yield (
        f"{layer.name}: {card.name} answered about {len(scales):,} of {len(run.adjusted):,} entries, "
        f"on average {sum(scales) / len(scales):.0%} of the size."
    )
    if card.degenerate:
        yield f"{card.name} is degenerate: {card.degenerate}."
