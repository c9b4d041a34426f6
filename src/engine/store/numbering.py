"""Short readable ids: a letter and a running number."""

from __future__ import annotations

from sqlalchemy import Connection, Integer, text

from engine.store.memory import NoMemory

_LAST = text("SELECT last FROM sequences WHERE prefix = :prefix").columns(last=Integer)
_KEEP = text(
    "INSERT INTO sequences (prefix, last) VALUES (:prefix, :last) ON CONFLICT (prefix) DO UPDATE SET last = :last"
)


class Numbering:
    """Gives the next number of each prefix, without gaps within committed transactions.

    Writers take turns (``store.connections``), so what was read once stays true until ``keep``.
    """

    def __init__(self, connection: Connection, memory: NoMemory) -> None:
        self._connection = connection
        self._memory = memory
        self._last: dict[str, int] = {}

    def next(self, prefix: str) -> int:
        """The next number of a prefix, beginning with 1."""
        if prefix not in self._last:
            self._last[prefix] = self._memory.get_or_load("sequences", prefix, lambda: self._load(prefix))
        self._last[prefix] += 1
        return self._last[prefix]

    def keep(self) -> None:
        """Write down the numbers that were given."""
        if self._last:
            given = [{"prefix": prefix, "last": last} for prefix, last in self._last.items()]
            self._connection.execute(_KEEP, given)
            for prefix, last in self._last.items():
                self._memory.keep("sequences", prefix, last)

    def _load(self, prefix: str) -> int:
        return self._connection.execute(_LAST, {"prefix": prefix}).scalar() or 0
