"""Losses in a row, of each strategy context by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from engine.domain.errors import UnknownId
from engine.domain.streaks import Streak
from engine.store import codec
from engine.store.numbering import Numbering
from engine.store.settings import Settings


class Streaks:
    """Kept among the small facts: they are few."""

    def __init__(self, settings: Settings, numbering: Numbering) -> None:
        self._settings = settings
        self._numbering = numbering

    def next_id(self) -> str:
        """An id for the next streak."""
        return f"S{self._numbering.next('S')}"

    def running(self, context: str) -> Streak | None:
        """The streak a context is in; ``None`` where its last trade did not lose."""
        newest = self._settings.get(_newest(context))
        streak = self.get(newest) if newest else None
        return streak if streak is not None and streak.ended_at is None else None

    def put(self, streak: Streak) -> None:
        """Keep a streak as it is now: the newest of its context."""
        self._settings.set(_key(streak.id), codec.dump(streak))
        self._settings.set(_newest(streak.context), streak.id)

    def end(self, streak: Streak, at: datetime, by: str) -> None:
        """A trade ended it."""
        self.put(replace(streak, ended_at=at, ended_by=by))

    def not_over_by(self, before: datetime) -> frozenset[str]:
        """The ids of those that are not over, or were not by then."""
        return frozenset(streak.id for streak in self._all() if not _was_over(streak, before))

    def let_go(self, before: datetime) -> None:
        """Delete the streaks that had ended by then, except the newest of each context."""
        newest = set(self._settings.starting_with(_newest("")).values())
        over = [each.id for each in self._all() if _was_over(each, before) and each.id not in newest]
        self._settings.drop([_key(streak_id) for streak_id in over])

    def _all(self) -> list[Streak]:
        return [codec.load(Streak, kept) for kept in self._settings.starting_with(_key("S")).values()]

    def get(self, streak_id: str) -> Streak:
        """One streak.

        Raises:
            UnknownId: There is none with that id.
        """
        kept = self._settings.get(_key(streak_id))
        if kept is None:
            raise UnknownId(f"There is no streak {streak_id}.")
        return codec.load(Streak, kept)


def _was_over(streak: Streak, before: datetime) -> bool:
    return streak.ended_at is not None and streak.ended_at < before


def _key(streak_id: str) -> str:
    return f"streak.{streak_id}"


def _newest(context: str) -> str:
    return f"streak.newest.{context}"
