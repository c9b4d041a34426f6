"""The true peak of an account that was kept by an older version, which counted anew after each drawdown pause."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import select

from engine.domain.events import BalanceAdopted
from engine.domain.reports import EquityPoint
from engine.domain.trading import fall
from engine.store import codec
from engine.store.account import paid_into
from engine.store.tables import EventRow, table_of
from engine.store.unit_of_work import UnitOfWork

_EVENTS = table_of(EventRow)
_PAID = select(_EVENTS.c.body).where(_EVENTS.c.kind == BalanceAdopted.__name__).order_by(_EVENTS.c.id)
_ALWAYS = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))

Payment = tuple[datetime, Decimal]
"""When money was paid in, and how much; below 0 where it was paid out."""


def recount_drawdown(uow: UnitOfWork) -> None:
    """Count the peak, and the drawdown at each candle, over the whole equity curve. Once in the life of a database."""
    curve, payments = uow.account.curve_within(*_ALWAYS), tuple(_payments(uow))
    opening = uow.account.opening - sum((amount for _, amount in payments), Decimal(0))
    peaks = tuple(running_peaks(opening, curve, payments))
    drawdowns = {point.at: fall(peak, point.equity) for point, peak in zip(curve, peaks, strict=False)}
    changed = {point.at: drawdowns[point.at] for point in curve if drawdowns[point.at] != point.drawdown}
    uow.account.recount(peaks[-1], changed)


def running_peaks(opening: Decimal, curve: Sequence[EquityPoint], payments: Sequence[Payment]) -> Iterator[Decimal]:
    """The highest equity up to each point of a curve, and up to now last of all; payments move it in proportion."""
    peak = equity = opening
    waiting = list(payments)
    for point in curve:
        while waiting and waiting[0][0] < point.at:
            _, amount = waiting.pop(0)
            peak, equity = paid_into(peak, equity, amount), equity + amount
        peak, equity = max(peak, point.equity), point.equity
        yield peak
    for _, amount in waiting:
        peak, equity = paid_into(peak, equity, amount), equity + amount
    yield peak


def _payments(uow: UnitOfWork) -> Iterable[Payment]:
    for body in uow.connection.execute(_PAID).scalars():
        adopted = codec.load(BalanceAdopted, body)
        if adopted.currency == uow.account.quote:
            yield adopted.at, adopted.after - adopted.before
