"""What people were told of the caps on what language models cost."""

from __future__ import annotations

from datetime import datetime

from engine.domain.errors import UnknownId
from engine.domain.model_ledger import BudgetNotice
from engine.store import codec
from engine.store.settings import Settings

_PREFIX = "model_budget."


class ModelBudgets:
    """Kept among the small facts: they are few."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def has(self, notice_id: str) -> bool:
        """Whether people were told of it."""
        return self._settings.get(_PREFIX + notice_id) is not None

    def put(self, notice: BudgetNotice) -> None:
        """Keep what people are told."""
        self._settings.set(_PREFIX + notice.id, codec.dump(notice))

    def get(self, notice_id: str) -> BudgetNotice:
        """What people were told.

        Raises:
            UnknownId: They were told of no such thing.
        """
        kept = self._settings.get(_PREFIX + notice_id)
        if kept is None:
            raise UnknownId(f"There is no notice {notice_id}.")
        return codec.load(BudgetNotice, kept)

    def not_over_by(self, before: datetime) -> frozenset[str]:
        """The ids of those whose period was not over by then."""
        return frozenset(each.id for each in self._all() if not _was_over(each, before))

    def let_go(self, before: datetime) -> None:
        """Forget those whose period was over by then."""
        self._settings.drop([_PREFIX + each.id for each in self._all() if _was_over(each, before)])

    def _all(self) -> list[BudgetNotice]:
        return [codec.load(BudgetNotice, kept) for kept in self._settings.starting_with(_PREFIX).values()]


def _was_over(notice: BudgetNotice, before: datetime) -> bool:
    return notice.cap.begins_anew(notice.at) < before
