"""Who wrote without being listed among the people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from engine.domain.people import Stranger
from engine.store import codec
from engine.store.settings import Settings

KEPT = 30
"""How many are kept: those who wrote last."""

_KEY = "strangers"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    newest_first: tuple[Stranger, ...] = ()


class Strangers:
    """Kept among the small facts: they are few."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def recent(self) -> tuple[Stranger, ...]:
        """Those who wrote last, the newest first."""
        kept = self._settings.get(_KEY)
        return codec.load(_Kept, kept).newest_first if kept else ()

    def note(self, met: Stranger) -> bool:
        """Count what a stranger wrote to what is known of them; whether nothing was."""
        known = self.recent()
        before = next((each for each in known if _is_same(each, met)), None)
        if before is not None:
            times = before.times + met.times
            met = replace(met, name=met.name or before.name, first_at=before.first_at, times=times)
        self._keep([met, *(each for each in known if not _is_same(each, met))])
        return before is None

    def forget(self, is_known: Callable[[Stranger], bool]) -> None:
        """Drop those who are strangers no more."""
        recent = self.recent()
        left = [each for each in recent if not is_known(each)]
        if len(left) < len(recent):
            self._keep(left)

    def _keep(self, newest_first: list[Stranger]) -> None:
        self._settings.set(_KEY, codec.dump(_Kept(newest_first=tuple(newest_first[:KEPT]))))


def _is_same(one: Stranger, other: Stranger) -> bool:
    return (one.platform, one.user) == (other.platform, other.user)
