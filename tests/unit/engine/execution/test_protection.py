"""What an open position still needs at the venue."""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine.domain.trading import OrderStatus
from engine.execution.protection import Cancel, Protect, protect
from tests.fakes.reports import closed_position, position
from tests.fakes.venue import bracket, leaving, order

HELD = position(id="T1", quantity=Decimal(2))
OPEN = OrderStatus.OPEN


def test_a_fresh_position_gets_its_first_bracket():
    assert protect(HELD, [order(1, position_id="T1")]) == (Protect(position=HELD, number=1),)


@pytest.mark.parametrize("status", [OrderStatus.OPEN, OrderStatus.INTENT, OrderStatus.UNKNOWN])
def test_a_bracket_that_fits_is_left_alone_even_while_its_answer_is_awaited(status: OrderStatus):
    assert protect(HELD, [bracket(2, status=status)]) == ()


def test_a_bracket_of_another_size_is_replaced_by_the_next_one():
    small = bracket(2, status=OPEN, quantity=Decimal(1))
    assert protect(HELD, [small]) == (Cancel(order=small), Protect(position=HELD, number=2))


def test_of_a_bracket_that_is_partly_filled_the_rest_counts():
    half_done = bracket(2, status=OPEN, quantity=Decimal(3), filled=Decimal(1))
    assert protect(HELD, [half_done]) == ()


def test_one_bracket_is_enough():
    first, second = bracket(2, status=OPEN), bracket(3, status=OPEN)
    assert protect(HELD, [first, second]) == (Cancel(order=second),)


@pytest.mark.parametrize("status", [OrderStatus.CANCELLED, OrderStatus.REJECTED, OrderStatus.FILLED])
def test_a_bracket_that_is_over_is_followed_by_another(status: OrderStatus):
    assert protect(HELD, [bracket(2, status=status)]) == (Protect(position=HELD, number=2),)


def test_while_it_is_being_sold_nothing_is_placed():
    assert protect(HELD, [leaving(2, status=OPEN)]) == ()
    assert protect(HELD, [leaving(2, status=OrderStatus.CANCELLED)]) == (Protect(position=HELD, number=1),)


def test_nothing_is_needed_once_it_is_closed_or_without_a_stop():
    assert protect(closed_position(), []) == ()
    assert protect(position(stop=None), []) == ()
