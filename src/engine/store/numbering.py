"""Short readable ids: a letter and a running number."""

from __future__ import annotations

from sqlalchemy import Connection, Integer, String, text

from engine.store.memory import NoMemory

_LAST = text("SELECT prefix, last FROM sequences").columns(prefix=String, last=Integer)
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
            self._last[prefix] = self._kept().get(prefix, 0)
        self._last[prefix] += 1
        return self._last[prefix]

    def keep(self) -> None:
        """Write down the numbers that were given."""
        if self._last:
            kept = self._kept() | self._last
            given = [{"prefix": prefix, "last": last} for prefix, last in self._last.items()]
            self._connection.execute(_KEEP, given)
            self._memory.keep("sequences", "all", kept)

    def _kept(self) -> dict[str, int]:
        """The last number of each prefix; they are few."""
        return self._memory.get_or_load("sequences", "all", self._load)

    def _load(self) -> dict[str, int]:
        return {row.prefix: row.last for row in self._connection.execute(_LAST)}
