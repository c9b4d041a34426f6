"""Setting the adjuster from chat: asked for by an admin, confirmed by a press, kept over restarts.

ask ─▶ what it would mean ─▶ press by the same person, in time ─▶ the mode holds from the next entry on
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from engine.domain.adjuster_modes import ModeChoice, ModeSet, ModeStage, ModeWish
from engine.domain.adjustments import AdjusterMode
from engine.domain.errors import BadInput, NotAllowed
from engine.learning.adjuster import OFF, PPOAdjuster
from engine.store.database import Database
from engine.store.unit_of_work import UnitOfWork

GOOD_FOR = timedelta(minutes=2)
"""How long a press confirms what was asked for."""

CurrentAdjuster = Callable[[UnitOfWork], PPOAdjuster]
"""Who adjusts entries now: by the settings, or by what was set from chat."""


def no_adjuster(_: UnitOfWork) -> PPOAdjuster:
    """Nobody is asked."""
    return OFF


class AdjusterModes:
    """Lets people set how far the adjuster goes.

    Args:
        adjuster: Who adjusts entries now.
        about: What is known of a policy, in sentences.
        wall: The time on the wall: people press by their own clock.
        good_for: How long a press confirms what was asked for.
    """

    def __init__(
        self,
        *,
        store: Database,
        adjuster: CurrentAdjuster,
        about: Callable[[PPOAdjuster], tuple[str, ...]],
        wall: Callable[[], datetime],
        good_for: timedelta = GOOD_FOR,
    ) -> None:
        self._store, self._adjuster, self._about = store, adjuster, about
        self._wall, self._good_for = wall, good_for

    async def ask(self, person: str, wanted: AdjusterMode) -> ModeWish:
        """Ask for a mode. Nothing is changed before it is confirmed.

        Raises:
            BadInput: It holds already, or there is no policy that could be asked.
        """
        return await self._store.transact(lambda uow: self._ask(uow, person, wanted))

    async def press(self, wish_id: str, person: str, choice: ModeChoice) -> ModeWish:
        """Confirm what was asked for, or let it be: once, in time, and by who asked.

        Raises:
            BadInput: Somebody has asked for something else since.
            NotAllowed: Somebody else asked for it.
        """
        return await self._store.transact(lambda uow: self._press(uow, wish_id, person, choice))

    def _ask(self, uow: UnitOfWork, person: str, wanted: AdjusterMode) -> ModeWish:
        adjuster = self._adjuster(uow)
        if adjuster.mode is wanted:
            raise BadInput(f"The adjuster is {wanted} already.", "/ppo tells more.")
        if wanted is not AdjusterMode.OFF and adjuster.policy is None:
            raise BadInput(
                adjuster.fault or "There is no policy to ask.", "Name one that is whole in the settings: ppo.policy."
            )
        last = uow.adjuster_modes.wish()
        wish = ModeWish(
            id=f"M{int(last.id[1:]) + 1 if last else 1}",
            person=person,
            before=adjuster.mode,
            wanted=wanted,
            policy=adjuster.policy.card.name if adjuster.policy else "",
            about=self._about(adjuster),
            expires_at=self._wall() + self._good_for,
        )
        uow.adjuster_modes.put(wish)
        return wish

    def _press(self, uow: UnitOfWork, wish_id: str, person: str, choice: ModeChoice) -> ModeWish:
        wish = uow.adjuster_modes.wish()
        if wish is None or wish.id != wish_id:
            raise BadInput("Something else was asked for since: nothing was changed.", "/ppo tells what holds now.")
        if wish.person != person:
            raise NotAllowed(
                f"{wish.person} asked for that, and only {wish.person} can answer it: nothing was changed."
            )
        if wish.stage is not ModeStage.ASKED:
            return wish
        now = self._wall()
        if now >= wish.expires_at:
            wish = replace(wish, stage=ModeStage.EXPIRED)
        elif choice is ModeChoice.SET:
            wish = replace(wish, stage=ModeStage.SET)
            uow.adjuster_modes.set(ModeSet(mode=wish.wanted, by=person, at=now))
        else:
            wish = replace(wish, stage=ModeStage.LEFT)
        uow.adjuster_modes.put(wish)
        return wish
