"""What people were told once, so that they are not told again: of caps on models, and of a policy that is not asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from engine.domain.errors import UnknownId
from engine.store import codec
from engine.store.settings import Settings


class Notice(Protocol):
    """Something that people are told once."""

    @property
    def id(self) -> str:
        """The same for what is not to be told again."""
        ...


N = TypeVar("N", bound=Notice)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notices(Generic[N]):
    """Notices of one kind, kept among the small facts: they are few.

    Attributes:
        prefix: Of their keys.
        kind: Their class.
        over_at: Tells when what one is about is over.
    """

    settings: Settings
    prefix: str
    kind: type[N]
    over_at: Callable[[N], datetime]

    def has(self, notice_id: str) -> bool:
        """Whether people were told of it."""
        return self.settings.get(self.prefix + notice_id) is not None

    def put(self, notice: N) -> None:
        """Keep what people are told."""
        self.settings.set(self.prefix + notice.id, codec.dump(notice))

    def get(self, notice_id: str) -> N:
        """What people were told.

        Raises:
            UnknownId: They were told of no such thing.
        """
        kept = self.settings.get(self.prefix + notice_id)
        if kept is None:
            raise UnknownId(f"There is no notice {notice_id}.")
        return codec.load(self.kind, kept)

    def not_over_by(self, before: datetime) -> frozenset[str]:
        """The ids of those that were not over by then."""
        return frozenset(each.id for each in self._all() if self.over_at(each) >= before)

    def let_go(self, before: datetime) -> None:
        """Forget those that were over by then."""
        self.settings.drop([self.prefix + each.id for each in self._all() if self.over_at(each) < before])

    def _all(self) -> list[N]:
        return [codec.load(self.kind, kept) for kept in self.settings.starting_with(self.prefix).values()]
