"""What became of an account: payments are no result of it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.domain.payments import Change, Payment
from tests.fakes.reports import NOON

AMOUNTS = st.decimals("-500", "500", places=2)


def payment(amount: str | Decimal, benchmark: str | None = None) -> Payment:
    return Payment(at=NOON, amount=Decimal(amount), benchmark=Decimal(benchmark) if benchmark else None)


def change(before: str, after: str, *payments: Payment) -> Change:
    return Change(before=Decimal(before), after=Decimal(after), payments=payments)


@pytest.mark.parametrize(
    ("became", "net", "share"),
    [
        (change("1000", "1100"), 100, "0.1"),
        (change("1000", "2100", payment("1000")), 100, "0.05"),
        (change("1000", "200", payment("-900")), 100, "0.1"),
        (change("1000", "1000", payment("500"), payment("-500")), 0, "0"),
        (change("0", "110", payment("100")), 10, "0.1"),
        (change("0", "0"), 0, None),
    ],
)
def test_a_result_is_without_payments_and_of_what_was_there_or_came(became: Change, net: int, share: str | None):
    assert became.net == net
    assert became.share == (None if share is None else Decimal(share))


def test_what_was_paid_in_and_out_is_told_apart():
    became = change("1000", "1000", payment("500"), payment("-200"), payment("-100"))
    assert (became.paid_in, became.paid_out) == (500, 300)


@pytest.mark.parametrize(
    ("payments", "held"),
    [
        ((), "0.5"),
        ((payment("1000", "1.5"),), "0.25"),  # half of it came when all had risen already
        ((payment("-1000", "1"),), "0"),
        ((payment("1000"),), "0.5"),  # before anything was recorded: as if from the beginning
    ],
)
def test_the_same_money_is_held_each_payment_from_its_own_time_on(payments: tuple[Payment, ...], held: str):
    assert change("1000", "1000", *payments).held(Decimal(1), Decimal("1.5")) == Decimal(held)


def test_holding_needs_both_its_ends():
    assert change("1000", "1000").held(None, Decimal(3)) is None
    assert change("1000", "1000").held(Decimal(2), None) is None


@given(st.lists(AMOUNTS, max_size=5), st.decimals("0.5", "2", places=3))
def test_an_account_that_holds_the_markets_is_as_good_as_holding_them(amounts: list[Decimal], end: Decimal) -> None:
    """Whatever is paid in and out at the beginning."""
    payments = [payment(amount, "1") for amount in amounts]
    there = 5000 + sum(amounts, Decimal(0))
    assume(there > 0)
    became = Change(before=Decimal(5000), after=there * end, payments=payments)
    held = became.held(Decimal(1), end)
    assert held is not None
    assert became.share is not None
    assert abs(held - became.share) < Decimal("1e-20")
