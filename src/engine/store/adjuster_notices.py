"""What people were told of the adjuster."""

from __future__ import annotations

from datetime import datetime

from engine.domain.adjustments import AdjusterNotice
from engine.domain.errors import UnknownId
from engine.store import codec
from engine.store.settings import Settings

_PREFIX = "adjuster."


class AdjusterNotices:
    """Kept among the small facts: they are few."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def has(self, notice_id: str) -> bool:
        """Whether people were told of it."""
        return self._settings.get(_PREFIX + notice_id) is not None

    def put(self, notice: AdjusterNotice) -> None:
        """Keep what people are told."""
        self._settings.set(_PREFIX + notice.id, codec.dump(notice))

    def get(self, notice_id: str) -> AdjusterNotice:
        """What people were told.

        Raises:
            UnknownId: They were told of no such thing.
        """
        kept = self._settings.get(_PREFIX + notice_id)
        if kept is None:
            raise UnknownId(f"There is no notice {notice_id}.")
        return codec.load(AdjusterNotice, kept)

    def not_over_by(self, before: datetime) -> frozenset[str]:
        """The ids of those that people were told later than that."""
        return frozenset(each.id for each in self._all() if each.at >= before)

    def let_go(self, before: datetime) -> None:
        """Forget those of before."""
        self._settings.drop([_PREFIX + each.id for each in self._all() if each.at < before])

    def _all(self) -> list[AdjusterNotice]:
        return [codec.load(AdjusterNotice, each) for each in self._settings.starting_with(_PREFIX).values()]
