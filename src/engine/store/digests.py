"""The digests: the figures of days that have ended, fixed once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select

from engine.domain.digests import Digest
from engine.domain.errors import UnknownId
from engine.store import codec
from engine.store.tables import DigestRow, key_of, table_of

_TABLE = table_of(DigestRow)
_ONE = select(_TABLE.c.figures).where(*key_of(_TABLE))
_ENDED_AT = select(_TABLE.c.figures).where(_TABLE.c.ends == bindparam("its_end"))
_ADD = insert(_TABLE)


class Digests:
    """The ``digests`` table."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, digest: Digest) -> bool:
        """Fix a day's figures; ``False`` where they were fixed already."""
        if self._figures(digest.id) is not None:
            return False
        new = {"id": digest.id, "ends": digest.ends, "figures": codec.dump(digest)}
        self._connection.execute(_ADD, new)
        return True

    def get(self, digest_id: str) -> Digest:
        """A day's figures.

        Raises:
            UnknownId: That day has not been fixed.
        """
        figures = self._figures(digest_id)
        if figures is None:
            raise UnknownId(f"There is no digest of {digest_id}.", "Days look like 2026-01-31.")
        return codec.load(Digest, figures)

    def named(self, names: Sequence[str]) -> tuple[Digest, ...]:
        """The figures of those of some days that have been fixed, in order."""
        found = (self._figures(name) for name in names)
        return tuple(codec.load(Digest, figures) for figures in found if figures is not None)

    def ended_at(self, at: datetime) -> Digest | None:
        """The figures of the day that ended at a time; ``None`` where none did, or it has not been fixed."""
        figures = self._connection.execute(_ENDED_AT, {"its_end": at}).scalar()
        return codec.load(Digest, figures) if figures is not None else None

    def newest(self, limit: int) -> tuple[Digest, ...]:
        """The newest first."""
        query = select(_TABLE.c.figures).order_by(_TABLE.c.ends.desc()).limit(limit)
        return tuple(codec.load(Digest, figures) for figures in self._connection.execute(query).scalars())

    def _figures(self, digest_id: str) -> str | None:
        return self._connection.execute(_ONE, {"its_id": digest_id}).scalar()
