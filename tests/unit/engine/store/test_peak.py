"""The peak of an account that an older version has kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, insert, update

from engine.domain.account import EquityPoint
from engine.domain.payments import Payment
from engine.store.database import Database
from engine.store.peak import recount_drawdown, running_peaks
from engine.store.tables import AccountRow, EquityRow, Setting, table_of
from engine.store.unit_of_work import UnitOfWork
from tests.fakes.engine import at
from tests.fakes.examples import examples

CASH = Decimal(10_000)


def curve(*values: int) -> list[EquityPoint]:
    """A value each minute, as it was counted without a peak."""
    none = Decimal(0)
    return [EquityPoint(at=at(n), equity=Decimal(v), cash=none, drawdown=none) for n, v in enumerate(values)]


@examples(60)
@given(st.lists(st.integers(1, 20_000), max_size=20))
def test_without_payments_the_peak_is_the_highest_so_far(values: Sequence[int]):
    peaks = list(running_peaks(CASH, curve(*values), ()))
    highest = [max([CASH, *values[: n + 1]]) for n in range(len(values))]
    assert peaks == [*highest, max([CASH, *values])]


@pytest.mark.parametrize(
    ("values", "first", "amount", "expected"),
    [
        ((12_000, 9_000, 19_000), 2, 9_000, [12_000, 12_000, 24_000, 24_000]),  # a quarter below before and after
        ((12_000, 9_000, 4_500), 2, -4_500, [12_000, 12_000, 6_000, 6_000]),
        ((12_000, 9_000), 2, 9_000, [12_000, 12_000, 24_000]),
        ((20_000,), 0, 10_000, [20_000, 20_000]),
    ],
)
def test_payments_move_the_peak_in_proportion(values: tuple[int, ...], first: int, amount: int, expected: list[int]):
    """The points from the first one on have the payment in them."""
    points = [replace(point, payments=int(number >= first)) for number, point in enumerate(curve(*values))]
    payment = Payment(at=at(first), amount=Decimal(amount))
    assert list(running_peaks(CASH, points, (payment,))) == expected


async def test_an_older_versions_books_are_put_right_and_the_pause_of_before_is_not_called_again(store: Database):
    """It rose to 12,000, fell to 9,000, where a pause ended, and then as much was paid in again."""

    def of_before(uow: UnitOfWork) -> None:
        uow.account.open("paper", "USDT", CASH)
        points = [
            {"at": point.at, "equity": point.equity, "cash": CASH, "drawdown": CASH} for point in curve(12_000, 9_000)
        ]
        uow.connection.execute(insert(table_of(EquityRow)), points)
        uow.ledger.change("paper", "USDT", 9_000 - CASH)
        uow.connection.execute(update(table_of(AccountRow)).values({"peak": Decimal(9_000)}))
        uow.account.pay_in("paper", Decimal(9_000), at(1))
        uow.connection.execute(delete(table_of(Setting)))

    await store.transact(of_before)
    assert not await store.read(lambda uow: uow.account.counts_from_peak())
    await store.transact(recount_drawdown)
    assert await store.read(lambda uow: uow.account.counts_from_peak())
    now = await store.read(lambda uow: uow.account.portfolio())
    assert (now.peak, now.drawdown, now.paused_drawdown, now.total_from) == (
        24_000,
        Decimal("0.25"),
        Decimal("0.25"),
        None,
    )
    kept = await store.read(lambda uow: uow.curve.within(at(-1), at(9)))
    assert [point.drawdown for point in kept] == [0, Decimal("0.25")]
