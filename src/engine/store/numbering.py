"""Short readable ids: a letter and a running number."""

from __future__ import annotations

from sqlalchemy import Integer, text
from sqlmodel import Session

_NEXT = text(
    "INSERT INTO sequences (prefix, last) VALUES (:prefix, 1)"
    " ON CONFLICT (prefix) DO UPDATE SET last = sequences.last + 1 RETURNING last"
).columns(last=Integer)


class Numbering:
    """Gives the next number of each prefix, without gaps within committed transactions."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def next(self, prefix: str) -> int:
        """The next number of a prefix, beginning with 1."""
        number: int = self._session.connection().execute(_NEXT, {"prefix": prefix}).scalar_one()
        return number
