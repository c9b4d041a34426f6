"""The times in which no strategy manages a position."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from engine.domain.errors import UnknownId
from engine.domain.unmanaged import Absence, Ending, Unmanaged
from engine.store import codec
from engine.store.numbering import Numbering
from engine.store.settings import Settings


class UnmanagedPositions:
    """Kept among the small facts: they are few."""

    def __init__(self, settings: Settings, numbering: Numbering) -> None:
        self._settings = settings
        self._numbering = numbering

    def begin(self, position_id: str, why: Absence, at: datetime) -> Unmanaged:
        """No strategy manages a position from now on."""
        told = Unmanaged(id=f"N{self._numbering.next('N')}", position_id=position_id, why=why, since=at)
        self._settings.set(_standing(position_id), told.id)
        return self._keep(told)

    def end(self, told: Unmanaged, at: datetime, by: Ending) -> Unmanaged:
        """That is over."""
        self._settings.drop((_standing(told.position_id),))
        return self._keep(replace(told, ended_at=at, ended_by=by))

    def get(self, unmanaged_id: str) -> Unmanaged:
        """One of these times.

        Raises:
            UnknownId: There is none with that id.
        """
        kept = self._settings.get(_key(unmanaged_id))
        if kept is None:
            raise UnknownId(f"There is no {unmanaged_id}.")
        return codec.load(Unmanaged, kept)

    def of(self, position_id: str) -> Unmanaged | None:
        """The one that a position is in; ``None`` where people know of none."""
        unmanaged_id = self._settings.get(_standing(position_id))
        return self.get(unmanaged_id) if unmanaged_id else None

    def standing(self) -> tuple[Unmanaged, ...]:
        """Those that are not over, oldest first."""
        return tuple(sorted((each for each in self._all() if each.ended_at is None), key=_number))

    def not_over_by(self, before: datetime) -> frozenset[str]:
        """The ids of those that are not over, or were not by then."""
        return frozenset(each.id for each in self._all() if not _was_over(each, before))

    def let_go(self, before: datetime) -> None:
        """Forget those that were over by then."""
        self._settings.drop([_key(each.id) for each in self._all() if _was_over(each, before)])

    def _all(self) -> list[Unmanaged]:
        return [codec.load(Unmanaged, kept) for kept in self._settings.starting_with(_key("N")).values()]

    def _keep(self, told: Unmanaged) -> Unmanaged:
        self._settings.set(_key(told.id), codec.dump(told))
        return told


def _was_over(told: Unmanaged, before: datetime) -> bool:
    return told.ended_at is not None and told.ended_at < before


def _number(told: Unmanaged) -> int:
    return int(told.id[1:])


def _key(unmanaged_id: str) -> str:
    return f"unmanaged.{unmanaged_id}"


def _standing(position_id: str) -> str:
    return f"unmanaged.standing.{position_id}"
