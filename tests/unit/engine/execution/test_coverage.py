"""How much of a position may be sold."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from engine.domain.orders import Order, OrderStatus
from engine.execution.coverage import sellable
from tests.fakes.reports import position
from tests.fakes.venue import leaving, oco, order

HELD = position(id="T1", quantity=Decimal(10))
STATES = st.sampled_from(OrderStatus)
LOT = Decimal("0.01")
AMOUNTS = st.integers(min_value=1, max_value=20).map(Decimal)


def test_without_orders_all_of_it_may_be_sold():
    assert sellable(HELD, [], LOT) == 10


def test_an_oco_gives_way_and_an_entry_does_not_count():
    assert sellable(HELD, [oco(1, status=OrderStatus.OPEN, quantity=Decimal(10)), order(2)], LOT) == 10


def test_what_is_being_sold_is_taken_off_also_where_the_answer_is_awaited():
    for status in (OrderStatus.INTENT, OrderStatus.OPEN, OrderStatus.UNKNOWN):
        exit_ = leaving(1, status=status, quantity=Decimal(10), filled=Decimal(4))
        assert sellable(replace(HELD, quantity=Decimal(6)), [exit_], LOT) == 0
        assert sellable(replace(HELD, quantity=Decimal(6)), [exit_], LOT, "O1") == 6


@given(st.lists(st.tuples(STATES, AMOUNTS), max_size=5))
def test_a_sale_of_what_may_be_sold_never_sells_more_than_is_held(own: list[tuple[OrderStatus, Decimal]]):
    orders: list[Order] = [leaving(n, status=status, quantity=size) for n, (status, size) in enumerate(own, start=1)]
    under_way = sum((each.rest for each in orders if not each.status.final), Decimal(0))
    assert max(sellable(HELD, orders, LOT), 0) + under_way <= max(HELD.quantity, under_way)


def test_only_whole_lots_can_be_sold():
    """What fees in coins leave is no whole number of them."""
    held = replace(HELD, quantity=Decimal("9.98765"))
    assert sellable(held, [], LOT) == Decimal("9.98")
    assert sellable(held, [], Decimal(0)) == held.quantity, "of a market that is not known"
    over = leaving(1, status=OrderStatus.OPEN, quantity=Decimal("10.005"))
    assert sellable(held, [over], LOT) == Decimal("-0.01735"), "more is being sold than is held"
