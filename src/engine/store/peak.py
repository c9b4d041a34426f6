"""The true peak of an account that was kept by an older version, which counted anew after each drawdown pause."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from engine.domain.account import EquityPoint
from engine.domain.payments import Payment
from engine.domain.positions import fall
from engine.store.account import paid_into
from engine.store.unit_of_work import UnitOfWork

_ALWAYS = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


def recount_drawdown(uow: UnitOfWork) -> None:
    """Count the peak, and the drawdown at each candle, over the whole equity curve. Once in the life of a database."""
    curve = uow.curve.within(*_ALWAYS)
    peaks = tuple(running_peaks(uow.account.opening, curve, uow.account.payments()))
    drawdowns = {point.at: fall(peak, point.equity) for point, peak in zip(curve, peaks, strict=False)}
    changed = {point.at: drawdowns[point.at] for point in curve if drawdowns[point.at] != point.drawdown}
    uow.account.recount(peaks[-1], changed)


def running_peaks(opening: Decimal, curve: Sequence[EquityPoint], payments: Sequence[Payment]) -> Iterator[Decimal]:
    """The highest equity up to each point of a curve, and up to now last of all; payments move it in proportion."""
    peak = equity = opening
    counted = 0
    for point in curve:
        for payment in payments[counted : point.payments]:
            peak, equity = paid_into(peak, equity, payment.amount), equity + payment.amount
        counted = max(counted, point.payments)
        peak, equity = max(peak, point.equity), point.equity
        yield peak
    for payment in payments[counted:]:
        peak, equity = paid_into(peak, equity, payment.amount), equity + payment.amount
    yield peak
