"""How far the bot may trade, now and before."""

from __future__ import annotations

from sqlalchemy import Connection, func, insert, select

from engine.domain.trading_states import StateChange
from engine.store.mapping import RowMapping
from engine.store.tables import TradingStateRow, table_of

_TABLE = table_of(TradingStateRow)
_STATE = RowMapping(StateChange, _TABLE)
_ADD = insert(_TABLE)
_LAST = select(func.max(_TABLE.c.number))
_NEWEST = select(_TABLE).order_by(_TABLE.c.number.desc())


class TradingStates:
    """The ``trading_states`` table: each change, which stays."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, change: StateChange) -> None:
        """Keep a change."""
        number = (self._connection.execute(_LAST).scalar() or 0) + 1
        self._connection.execute(_ADD, {"number": number, **_STATE.to_row(change)})

    def current(self) -> StateChange | None:
        """The newest; ``None`` where nothing was ever halted: everything is active then."""
        return next(iter(self.newest(1)), None)

    def newest(self, count: int) -> tuple[StateChange, ...]:
        """The newest changes first."""
        return tuple(_STATE.from_row(row) for row in self._connection.execute(_NEWEST.limit(count)))
