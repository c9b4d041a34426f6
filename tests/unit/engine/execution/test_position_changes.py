"""What fills make of a position."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.errors import LedgerError
from engine.domain.money import Money
from engine.domain.orders import Fill
from engine.domain.positions import Direction, Position
from engine.execution import position_changes
from tests.fakes.engine import at
from tests.fakes.venue import fill, leaving, order

EMPTY = Position(
    venue="paper",
    id="T1",
    context="hand",
    symbol="BTC/USDT",
    quantity=Decimal(0),
    entry_price=Decimal(100),
    opened_at=at(0),
)
BUY, SELL = order(1), leaving(2)


def bought(position: Position, of: Fill) -> Position:
    return position_changes.increased(position, of, of.fee.amount)


def sold(position: Position, of: Fill, closed_by: str) -> Position:
    return position_changes.reduced(position, of, of.fee.amount, closed_by)


LOTS = st.integers(1, 5000).map(lambda lots: Decimal(lots) / 1000)
PRICES = st.decimals("0.01", "99999", places=2)
FEES = st.decimals("0", "50", places=8)


def test_the_entry_price_is_the_mean_of_what_was_paid():
    once = bought(EMPTY, fill(BUY, 1, Decimal(1), Decimal(100), Decimal("0.1")))
    twice = bought(once, fill(BUY, 2, Decimal(3), Decimal(104), Decimal("0.3")))
    assert (twice.quantity, twice.entry_price, twice.fees) == (Decimal(4), Decimal(103), Decimal("0.4"))
    assert twice.is_open


def test_a_part_that_is_sold_realises_its_share_and_leaves_the_rest_open():
    held = bought(EMPTY, fill(BUY, 1, Decimal(2), Decimal(100), Decimal("0.2")))
    after = sold(held, fill(SELL, 2, Decimal("0.5"), Decimal(110), Decimal("0.1")), "target")
    assert (after.quantity, after.realised, after.fees) == (Decimal("1.5"), Decimal(5), Decimal("0.3"))
    assert after.entry_price == Decimal(100)
    assert (after.closed_at, after.closed_by) == (None, "")


def test_selling_the_rest_closes_it_and_says_how():
    held = bought(EMPTY, fill(BUY, 1, Decimal(2)))
    after = sold(held, fill(SELL, 2, Decimal(2), Decimal(95)), "stop")
    assert (after.quantity, after.realised) == (Decimal(0), Decimal(-10))
    assert (after.closed_at, after.closed_by) == (at(2), "stop")
    assert not after.is_open


def test_what_is_bought_after_it_was_closed_is_held_again():
    """The rest of an entry may fill after the stop has sold what there was."""
    held = bought(EMPTY, fill(BUY, 1, Decimal(1)))
    closed = sold(held, fill(SELL, 2, Decimal(1), Decimal(90)), "stop")
    again = bought(closed, fill(BUY, 3, Decimal(1), Decimal(91)))
    assert again.is_open
    assert (again.quantity, again.entry_price, again.realised) == (Decimal(1), Decimal(91), Decimal(-10))


def test_what_it_cost_and_what_was_got_for_it_survive_selling_and_buying_again():
    held = bought(EMPTY, fill(BUY, 1, Decimal(2), Decimal(100)))
    assert (held.bought, held.cost, held.sold, held.exit_price) == (2, 200, 0, None)
    part = sold(held, fill(SELL, 2, Decimal(1), Decimal(110)), "exit")
    more = bought(part, fill(BUY, 3, Decimal(1), Decimal(120)))
    assert (more.bought, more.cost, more.sold, more.exit_price) == (3, 320, 1, 110)
    closed = sold(more, fill(SELL, 4, Decimal(2), Decimal(130)), "exit")
    assert closed.exit_price == Decimal(370) / 3
    assert closed.share(closed.realised) == Decimal(50) / 320
    assert EMPTY.share(Decimal(1)) is None


def test_more_than_is_held_cannot_be_sold():
    held = bought(EMPTY, fill(BUY, 1, Decimal(2)))
    with pytest.raises(LedgerError, match="which holds 2"):
        sold(held, fill(SELL, 2, Decimal("2.001")), "exit")


@given(LOTS, FEES)
def test_the_parts_of_a_fill_make_the_whole(quantity: Decimal, fee: Decimal):
    whole = fill(SELL, 1, 2 * quantity, fee=fee)
    parts = [position_changes.part(whole, quantity), position_changes.part(whole, quantity)]
    assert sum(each.quantity for each in parts) == whole.quantity
    assert abs(sum(each.fee.amount for each in parts) - fee) < Decimal("1e-15")


@given(st.lists(st.tuples(LOTS, PRICES, FEES), min_size=1, max_size=6), PRICES, FEES)
def test_money_is_conserved(purchases: list[tuple[Decimal, Decimal, Decimal]], price: Decimal, fee: Decimal):
    held, paid = EMPTY, Decimal(0)
    for number, (quantity, at_price, own_fee) in enumerate(purchases, start=1):
        held = bought(held, fill(BUY, number, quantity, at_price, own_fee))
        paid += quantity * at_price + own_fee
    assert held.quantity == sum(quantity for quantity, _, _ in purchases)
    got = held.quantity * price - fee
    closed = sold(held, fill(SELL, 9, held.quantity, price, fee), "exit")
    assert abs(closed.net - (got - paid)) < Decimal("1e-15")


@given(LOTS, PRICES, PRICES)
def test_a_position_is_worth_the_same_sold_or_held(quantity: Decimal, entry: Decimal, price: Decimal):
    held = bought(EMPTY, fill(BUY, 1, quantity, entry))
    closed = sold(held, fill(SELL, 2, quantity, price), "exit")
    assert closed.realised == held.unrealised(price)
    assert replace(closed, quantity=Decimal(1)).id == held.id


def in_coins(of: Fill, coins: str) -> Fill:
    """The same, with a fee that is taken from what was bought or sold."""
    return replace(of, fee=Money(amount=Decimal(coins), currency="BTC"))


@given(LOTS, PRICES, PRICES, st.decimals("0", "0.0009", places=8), st.sampled_from(["early", "late"]))
def test_a_fee_in_coins_leaves_fewer_and_profit_is_what_came_in_less_what_went_out(
    quantity: Decimal, entry: Decimal, price: Decimal, coins: Decimal, told: str
):
    """Whether the venue says what it took at once, or later."""
    whole = in_coins(fill(BUY, 1, quantity, entry), str(coins))
    if told == "early":
        held = position_changes.increased(EMPTY, whole, coins * entry)
    else:
        at_first = position_changes.increased(EMPTY, replace(whole, fee=None), Decimal(0))
        held, lacking = position_changes.charged(at_first, whole, coins * entry, coins)
        assert lacking == 0
    assert held.quantity == held.bought == quantity - coins
    closed = sold(held, fill(SELL, 2, held.quantity, price), "exit")
    assert abs(closed.net - (held.quantity * price - quantity * entry)) < Decimal("1e-12")
    assert abs(closed.exit_price - price) < Decimal("1e-12")


def test_a_fee_in_coins_of_a_sale_is_taken_from_what_is_left_as_far_as_that_goes():
    held = bought(EMPTY, fill(BUY, 1, Decimal(2), Decimal(100)))
    some = in_coins(fill(SELL, 2, Decimal(1), Decimal(110)), "0.1")
    after = position_changes.reduced(held, some, Decimal(11), "exit")
    assert (after.quantity, after.is_open, after.net) == (Decimal("0.9"), True, Decimal(10) + 1 - 11)
    rest = in_coins(fill(SELL, 3, Decimal("0.9"), Decimal(110)), "0.1")
    closed = position_changes.reduced(after, rest, Decimal(11), "exit")
    assert (closed.quantity, closed.is_open) == (0, False)


def test_a_late_fee_in_coins_that_were_sold_meanwhile_is_taken_from_beside():
    held = bought(EMPTY, fill(BUY, 1, Decimal(2)))
    closed = sold(held, fill(SELL, 2, Decimal(2)), "exit")
    after, lacking = position_changes.charged(closed, fill(BUY, 1, Decimal(2)), Decimal(1), Decimal("0.01"))
    assert (after.quantity, after.fees, lacking) == (0, 1, Decimal("0.01"))


def test_what_cannot_be_sold_any_more_is_written_off():
    held = bought(EMPTY, fill(BUY, 1, Decimal(2)))
    left = sold(held, fill(SELL, 2, Decimal("1.9"), Decimal(110)), "exit")
    closed = position_changes.closed(left, at(3), "exit", "Ann")
    assert (closed.quantity, closed.realised, closed.is_open) == (0, Decimal(19) - 10, False)
    assert (closed.closed_by, closed.closed_by_person) == ("exit", "Ann")


@given(LOTS, PRICES, PRICES, st.sampled_from(["1", "0.001", "10"]))
def test_a_short_position_gains_what_a_long_one_loses(quantity: Decimal, entry: Decimal, price: Decimal, size: str):
    """Of contracts of any size; its fees are the same."""
    long = replace(EMPTY, multiplier=Decimal(size))
    short = replace(long, direction=Direction.SHORT)
    held = [
        position_changes.increased(long, fill(BUY, 1, quantity, entry), Decimal(1)),
        position_changes.increased(short, fill(SELL, 1, quantity, entry), Decimal(1)),
    ]
    assert held[0].entry_price == held[1].entry_price == entry
    assert held[0].unrealised(price) == -held[1].unrealised(price) == quantity * Decimal(size) * (price - entry)
    assert held[0].worth(price) == -held[1].worth(price) == held[0].notional(price) == held[1].notional(price)
    closed = [
        position_changes.reduced(held[0], fill(SELL, 2, quantity, price), Decimal(2), "stop"),
        position_changes.reduced(held[1], fill(BUY, 2, quantity, price), Decimal(2), "stop"),
    ]
    assert closed[0].realised == -closed[1].realised == held[0].unrealised(price)
    assert [each.net for each in closed] == [each.realised - 3 for each in closed]
    assert all(abs(each.exit_price - price) < Decimal("1e-12") for each in closed)


def test_what_a_short_position_risks_is_above_its_price():
    short = replace(EMPTY, direction=Direction.SHORT, quantity=Decimal(2), stop=Decimal(110), multiplier=Decimal(10))
    assert (short.at_risk(Decimal(100)), short.at_risk(Decimal(120))) == (200, 0)
    assert replace(short, stop=None).at_risk(Decimal(100)) == 2000
