"""When platforms were not well."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from engine.domain.errors import UnknownId
from engine.domain.health import PlatformTrouble
from engine.store import codec
from engine.store.numbering import Numbering
from engine.store.settings import Settings


class Troubles:
    """Kept among the small facts: they are few."""

    def __init__(self, settings: Settings, numbering: Numbering) -> None:
        self._settings = settings
        self._numbering = numbering

    def begin(self, platform: str, text: str, at: datetime) -> PlatformTrouble:
        """A platform is no longer well."""
        trouble = PlatformTrouble(id=f"P{self._numbering.next('P')}", platform=platform, text=text, since=at)
        self._settings.set(_newest(platform), trouble.id)
        return self._keep(trouble)

    def go_on(self, trouble: PlatformTrouble, text: str) -> PlatformTrouble:
        """It is still not well, or not well again so soon that it is the same trouble."""
        return self._keep(replace(trouble, text=text, ended_at=None))

    def end(self, trouble: PlatformTrouble, at: datetime) -> PlatformTrouble:
        """The platform is well."""
        return self._keep(replace(trouble, ended_at=at))

    def get(self, trouble_id: str) -> PlatformTrouble:
        """One trouble.

        Raises:
            UnknownId: There is none with that id.
        """
        kept = self._settings.get(_key(trouble_id))
        if kept is None:
            raise UnknownId(f"There is no trouble {trouble_id}.")
        return codec.load(PlatformTrouble, kept)

    def newest(self, platform: str) -> PlatformTrouble | None:
        """The last trouble of a platform, ended or not; ``None`` where it never had any."""
        trouble_id = self._settings.get(_newest(platform))
        return self.get(trouble_id) if trouble_id else None

    def not_over_by(self, before: datetime) -> frozenset[str]:
        """The ids of those that are not over, or were not by then."""
        return frozenset(trouble.id for trouble in self._all() if not _was_over(trouble, before))

    def let_go(self, before: datetime) -> None:
        """Forget those that were over by then, but for the newest of each platform."""
        newest = set(self._settings.starting_with(_newest("")).values())
        over = [each.id for each in self._all() if _was_over(each, before) and each.id not in newest]
        self._settings.drop([_key(trouble_id) for trouble_id in over])

    def _all(self) -> list[PlatformTrouble]:
        return [codec.load(PlatformTrouble, kept) for kept in self._settings.starting_with(_key("")).values()]

    def _keep(self, trouble: PlatformTrouble) -> PlatformTrouble:
        self._settings.set(_key(trouble.id), codec.dump(trouble))
        return trouble


def _was_over(trouble: PlatformTrouble, before: datetime) -> bool:
    return trouble.ended_at is not None and trouble.ended_at < before


def _key(trouble_id: str) -> str:
    return f"platform.trouble.{trouble_id}"


def _newest(platform: str) -> str:
    return f"platform.newest.{platform}"
