"""The mode of the adjuster that was set from chat, and the newest wish for one: kept among the small facts."""

from __future__ import annotations

from dataclasses import dataclass

from engine.domain.adjuster_modes import ModeSet, ModeWish
from engine.store import codec
from engine.store.settings import Settings

_SET, _WISH = "ppo.mode", "ppo.wish"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjusterModes:
    """What was set, and what somebody asked for."""

    settings: Settings

    def current(self) -> ModeSet | None:
        """What was set last; ``None`` where the settings of the program hold."""
        kept = self.settings.get(_SET)
        return codec.load(ModeSet, kept) if kept else None

    def set(self, found: ModeSet) -> None:
        """Keep what was set."""
        self.settings.set(_SET, codec.dump(found))

    def wish(self) -> ModeWish | None:
        """The newest wish, whatever became of it."""
        kept = self.settings.get(_WISH)
        return codec.load(ModeWish, kept) if kept else None

    def put(self, wish: ModeWish) -> None:
        """Keep a wish, in place of the one before."""
        self.settings.set(_WISH, codec.dump(wish))
