"""The equity curve: the account at each closed candle."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, select, update

from engine.domain.account import EquityPoint
from engine.store.mapping import RowMapping
from engine.store.tables import EquityRow, table_of, upsert

_EQUITY = table_of(EquityRow)
_EQUITY_POINT = RowMapping(EquityPoint, _EQUITY)
_PUT = upsert(_EQUITY)
_RECOUNT = update(_EQUITY).where(_EQUITY.c.at == bindparam("moment"))
_CURVE = select(_EQUITY)
_BENCHMARKS = select(_EQUITY.c.benchmark)


def _last(rows: Select[Any]) -> Select[Any]:
    """The last of some rows at or before a ``moment``. Built once: to build and to name it takes longer than to ask."""
    return rows.where(_EQUITY.c.at <= bindparam("moment")).order_by(_EQUITY.c.at.desc()).limit(1)


_LAST = _last(_CURVE)
_LAST_BENCHMARK = _last(_BENCHMARKS)
_FIRST_BENCHMARK = _BENCHMARKS.order_by(_EQUITY.c.at).limit(1)


class Curve:
    """The ``equity`` table.

    Args:
        opening: Tells what the account began with.
    """

    def __init__(self, connection: Connection, opening: Callable[[], Decimal]) -> None:
        self._connection = connection
        self._opening = opening

    def put(self, *points: EquityPoint) -> None:
        """Put the account of some moments on the curve, in the place of what was said of them before."""
        if points:
            self._connection.execute(_PUT, list(map(_EQUITY_POINT.to_row, points)))

    def redraw(self, drawdowns: Mapping[datetime, Decimal]) -> None:
        """Put the true drawdown of some moments in the place of what an older version counted."""
        if drawdowns:
            rows = [{"moment": at, "drawdown": drawdown} for at, drawdown in drawdowns.items()]
            self._connection.execute(_RECOUNT, rows)

    def within(self, begin: datetime, end: datetime) -> tuple[EquityPoint, ...]:
        """The equity curve in ``(begin, end]`` with the drawdown of each moment, oldest first."""
        at = _EQUITY.c.at
        rows = self._connection.execute(_CURVE.where(at > begin, at <= end).order_by(at))
        return tuple(_EQUITY_POINT.from_row(row) for row in rows)

    def each(self, begin: datetime, end: datetime) -> Iterator[EquityPoint]:
        """The equity curve in ``(begin, end]``, oldest first, one by one: it is never in memory as a whole."""
        at = _EQUITY.c.at
        rows = self._connection.execute(_CURVE.where(at > begin, at <= end).order_by(at)).yield_per(500)
        yield from map(_EQUITY_POINT.from_row, rows)

    def page(self, begin: datetime | None, after: datetime | None, limit: int) -> tuple[EquityPoint, ...]:
        """A page of the equity curve, oldest first: from ``begin`` on, after the last point of the page before."""
        at = _EQUITY.c.at
        query = _CURVE if begin is None else _CURVE.where(at >= begin)
        query = query if after is None else query.where(at > after)
        return tuple(_EQUITY_POINT.from_row(row) for row in self._connection.execute(query.order_by(at).limit(limit)))

    def drawdown_at(self, at: datetime) -> Decimal:
        """The drawdown at the last mark at or before a time; 0 before the first."""
        row = self._last(at)
        return row.drawdown if row else Decimal(0)

    def equity_at(self, at: datetime) -> Decimal:
        """The equity at the last mark at or before a time; the opening balance before the first."""
        row = self._last(at)
        return row.equity if row else self._opening()

    def point_at(self, at: datetime) -> EquityPoint:
        """The account as it was at a time: at the last mark at or before it; at its opening before the first."""
        row = self._last(at)
        return replace(_EQUITY_POINT.from_row(row), at=at) if row is not None else self.opened_as(at)

    def opened_as(self, at: datetime) -> EquityPoint:
        """The account as it was opened, before anything was paid in or out; its benchmark is that of a time."""
        opening = self._opening()
        return EquityPoint(at=at, equity=opening, cash=opening, drawdown=Decimal(0), benchmark=self.benchmark_at(at))

    def benchmark_at(self, at: datetime) -> Decimal | None:
        """What 1 held in the markets had become at the last mark at or before a time; at the first one before it.

        ``None`` where that was not recorded then.
        """
        row = self._connection.execute(_LAST_BENCHMARK, {"moment": at}).first()
        if row is None:
            row = self._connection.execute(_FIRST_BENCHMARK).first()
        return row.benchmark if row else None

    def last_at(self) -> datetime | None:
        """When the equity was last recorded."""
        newest = self.newest(1)
        return newest[0].at if newest else None

    def newest(self, points: int) -> tuple[EquityPoint, ...]:
        """The newest points of the equity curve, oldest first."""
        rows = self._connection.execute(_CURVE.order_by(_EQUITY.c.at.desc()).limit(points)).all()
        return tuple(_EQUITY_POINT.from_row(row) for row in reversed(rows))

    def _last(self, at: datetime) -> Row[Any] | None:
        """The last mark at or before a time."""
        return self._connection.execute(_LAST, {"moment": at}).first()
