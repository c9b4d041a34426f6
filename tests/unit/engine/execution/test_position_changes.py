"""What fills make of a position."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.errors import LedgerError
from engine.domain.positions import Position
from engine.execution import position_changes
from tests.fakes.engine import at
from tests.fakes.venue import fill, leaving, order

EMPTY = Position(
    id="T1", context="hand", symbol="BTC/USDT", quantity=Decimal(0), entry_price=Decimal(100), opened_at=at(0)
)
BUY, SELL = order(1), leaving(2)
LOTS = st.integers(1, 5000).map(lambda lots: Decimal(lots) / 1000)
PRICES = st.decimals("0.01", "99999", places=2)
FEES = st.decimals("0", "50", places=8)


def test_the_entry_price_is_the_mean_of_what_was_paid():
    once = position_changes.bought(EMPTY, fill(BUY, 1, Decimal(1), Decimal(100), Decimal("0.1")))
    twice = position_changes.bought(once, fill(BUY, 2, Decimal(3), Decimal(104), Decimal("0.3")))
    assert (twice.quantity, twice.entry_price, twice.fees) == (Decimal(4), Decimal(103), Decimal("0.4"))
    assert twice.is_open


def test_a_part_that_is_sold_realises_its_share_and_leaves_the_rest_open():
    held = position_changes.bought(EMPTY, fill(BUY, 1, Decimal(2), Decimal(100), Decimal("0.2")))
    after = position_changes.sold(held, fill(SELL, 2, Decimal("0.5"), Decimal(110), Decimal("0.1")), "target")
    assert (after.quantity, after.realised, after.fees) == (Decimal("1.5"), Decimal(5), Decimal("0.3"))
    assert after.entry_price == Decimal(100)
    assert (after.closed_at, after.closed_by) == (None, "")


def test_selling_the_rest_closes_it_and_says_how():
    held = position_changes.bought(EMPTY, fill(BUY, 1, Decimal(2)))
    after = position_changes.sold(held, fill(SELL, 2, Decimal(2), Decimal(95)), "stop")
    assert (after.quantity, after.realised) == (Decimal(0), Decimal(-10))
    assert (after.closed_at, after.closed_by) == (at(2), "stop")
    assert not after.is_open


def test_what_is_bought_after_it_was_closed_is_held_again():
    """The rest of an entry may fill after the stop has sold what there was."""
    held = position_changes.bought(EMPTY, fill(BUY, 1, Decimal(1)))
    closed = position_changes.sold(held, fill(SELL, 2, Decimal(1), Decimal(90)), "stop")
    again = position_changes.bought(closed, fill(BUY, 3, Decimal(1), Decimal(91)))
    assert again.is_open
    assert (again.quantity, again.entry_price, again.realised) == (Decimal(1), Decimal(91), Decimal(-10))


def test_what_it_cost_and_what_was_got_for_it_survive_selling_and_buying_again():
    held = position_changes.bought(EMPTY, fill(BUY, 1, Decimal(2), Decimal(100)))
    assert (held.bought, held.cost, held.sold, held.exit_price) == (2, 200, 0, None)
    part = position_changes.sold(held, fill(SELL, 2, Decimal(1), Decimal(110)), "exit")
    more = position_changes.bought(part, fill(BUY, 3, Decimal(1), Decimal(120)))
    assert (more.bought, more.cost, more.sold, more.exit_price) == (3, 320, 1, 110)
    closed = position_changes.sold(more, fill(SELL, 4, Decimal(2), Decimal(130)), "exit")
    assert closed.exit_price == Decimal(370) / 3
    assert closed.share(closed.realised) == Decimal(50) / 320
    assert EMPTY.share(Decimal(1)) is None


def test_more_than_is_held_cannot_be_sold():
    held = position_changes.bought(EMPTY, fill(BUY, 1, Decimal(2)))
    with pytest.raises(LedgerError, match="which holds 2"):
        position_changes.sold(held, fill(SELL, 2, Decimal("2.001")), "exit")


@given(LOTS, FEES)
def test_the_parts_of_a_fill_make_the_whole(quantity: Decimal, fee: Decimal):
    whole = fill(SELL, 1, 2 * quantity, fee=fee)
    parts = [position_changes.part(whole, quantity), position_changes.part(whole, quantity)]
    assert sum(each.quantity for each in parts) == whole.quantity
    assert abs(sum(each.fee for each in parts) - fee) < Decimal("1e-15")


@given(st.lists(st.tuples(LOTS, PRICES, FEES), min_size=1, max_size=6), PRICES, FEES)
def test_money_is_conserved(bought: list[tuple[Decimal, Decimal, Decimal]], price: Decimal, fee: Decimal):
    held, paid = EMPTY, Decimal(0)
    for number, (quantity, at_price, own_fee) in enumerate(bought, start=1):
        held = position_changes.bought(held, fill(BUY, number, quantity, at_price, own_fee))
        paid += quantity * at_price + own_fee
    assert held.quantity == sum(quantity for quantity, _, _ in bought)
    got = held.quantity * price - fee
    closed = position_changes.sold(held, fill(SELL, 9, held.quantity, price, fee), "exit")
    assert abs(closed.net - (got - paid)) < Decimal("1e-15")


@given(LOTS, PRICES, PRICES)
def test_a_position_is_worth_the_same_sold_or_held(quantity: Decimal, entry: Decimal, price: Decimal):
    held = position_changes.bought(EMPTY, fill(BUY, 1, quantity, entry))
    sold = position_changes.sold(held, fill(SELL, 2, quantity, price), "exit")
    assert sold.realised == held.unrealised(price)
    assert replace(sold, quantity=Decimal(1)).id == held.id
