"""Short readable ids: a letter and a running number."""

from __future__ import annotations

from sqlmodel import Session

from engine.store.tables import Sequence


class Numbering:
    """Gives the next number of each prefix, without gaps within committed transactions."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def next(self, prefix: str) -> int:
        """The next number of a prefix, beginning with 1."""
        row = self._session.get(Sequence, prefix, with_for_update=True)
        if row is None:
            row = Sequence(prefix=prefix, last=0)
        row.last += 1
        self._session.add(row)
        self._session.flush()
        return row.last
