"""The policy that adjusts entries, by the settings, and what people are shown of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from config.settings import Settings
from engine.domain.adjustments import AdjustedEntry, AdjusterView
from engine.domain.decisions import Judged
from engine.flow.adjuster_modes import CurrentAdjuster
from engine.learning.adjuster import PPOAdjuster, stale
from engine.learning.features import Shares
from engine.learning.policy import PolicyCard
from engine.learning.policy_files import BadPolicy, load_policy
from engine.ports import Clock
from engine.store.database import Database
from engine.store.decisions import status_of
from engine.store.unit_of_work import UnitOfWork
from handlers.cards import wording

_LOOKED_AT, _SHOWN = 100, 8


class SettingsAdjuster:
    """Who adjusts entries by the settings, in the mode that was set from chat where one was.

    The policy's files are read again once they have changed: one that was damaged since leaves the static rules in
    force, and says why.
    """

    def __init__(self, settings: Settings) -> None:
        self._own = settings.ppo
        limits = settings.risk
        self._shares = Shares(risk_per_trade=float(limits.risk_per_trade), max_position=float(limits.max_position))
        self._read_at: tuple[Path, tuple[int, int], tuple[int, int]] | None = None
        self._adjuster = PPOAdjuster(shares=self._shares)

    def __call__(self, uow: UnitOfWork) -> PPOAdjuster:
        """Who adjusts entries now."""
        chosen, adopted = uow.adjuster_modes.current(), uow.policy_proposals.adopted()
        file = Path(adopted.file) if adopted else self._own.policy
        return replace(self._of_files(file), mode=chosen.mode if chosen else self._own.mode)

    def _of_files(self, file: Path | None) -> PPOAdjuster:
        """A policy as its files are now."""
        if file is None:
            return PPOAdjuster(shares=self._shares)
        now = (file, _stamp(file), _stamp(file.with_suffix(".npz")))
        if now != self._read_at:
            self._read_at, self._adjuster = now, self._loaded(file)
        return self._adjuster

    def _loaded(self, file: Path) -> PPOAdjuster:
        try:
            return PPOAdjuster(policy=load_policy(file), shares=self._shares, max_age=self._own.max_age)
        except BadPolicy as error:
            return PPOAdjuster(fault=error.message, shares=self._shares)


def _stamp(file: Path) -> tuple[int, int]:
    """What changes when a file does: its time and size; zeros where it is not there."""
    try:
        found = file.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


def known_of(adjuster: PPOAdjuster, now: datetime) -> tuple[str, ...]:
    """What people are told of its policy, in sentences; first that it is too old to be asked, where it is."""
    if adjuster.policy is None:
        return ()
    old = stale(adjuster.policy, now, adjuster.max_age)
    return (*((old,) if old else ()), *about(adjuster.policy.card))


def adjuster_view(
    current: CurrentAdjuster, store: Database, clock: Clock, spared: tuple[str, ...] = ()
) -> Callable[[], Awaitable[AdjusterView]]:
    """Tells what it did, and what it would have done; ``spared`` are the contexts whose entries it leaves alone."""

    async def view() -> AdjusterView:
        adjuster, chosen = await store.read(lambda uow: (current(uow), uow.adjuster_modes.current()))
        set_by = f"{chosen.by}, {wording.moment(chosen.at)}" if chosen else ""
        if not adjuster.is_on:
            return AdjusterView(mode=adjuster.mode, set_by=set_by)
        entries = await store.read(lambda uow: uow.decisions.entries(_LOOKED_AT))
        asked = [(each, each.adjustment) for each in entries if each.adjustment is not None]
        scales = [each.adjustment.scale for _, each in asked if each.adjustment is not None]
        return AdjusterView(
            mode=adjuster.mode,
            set_by=set_by,
            spared=spared,
            policy=adjuster.policy.card.name if adjuster.policy else "",
            about=about(adjuster.policy.card) if adjuster.policy else (),
            fault=adjuster.fault or (stale(adjuster.policy, clock.now(), adjuster.max_age) if adjuster.policy else ""),
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
    return tuple(
        filter(None, (trained, _tested(card), f"It is degenerate: {card.degenerate}." if card.degenerate else ""))
    )


def _tested(card: PolicyCard) -> str:
    """What it came to on its test, and over what that is no improvement; empty where it was not tested."""
    figures, growth = card.figures, card.figures.get("test_growth")
    if growth is None:
        return ""
    over = [name.removeprefix(_GAIN) for name in figures if name.startswith(_GAIN) and not name.endswith(_SIDES)]
    unsure = [each for each in over if not figures.get(f"{_GAIN}{each}, low", 0.0) > 0]
    said = f"no improvement is shown over {', '.join(unsure)}" if unsure else f"better than {', '.join(over)}"
    return f"Tested once from {card.tested_from[:10]} on: {wording.signed_percent(growth)}; {said}."


_GAIN, _SIDES = "gain over ", (", low", ", high")
