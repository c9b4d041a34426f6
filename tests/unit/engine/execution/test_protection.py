"""What an open position still needs at the venue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from engine.domain.orders import Order, OrderStatus
from engine.domain.positions import Position
from engine.execution.protection import Action, Cancel, Protect, protection_steps
from tests.fakes.engine import at
from tests.fakes.reports import closed_position, position
from tests.fakes.venue import leaving, oco, order

HELD = position(id="T1", quantity=Decimal(2))
OPEN, REJECTED, CANCELLED = OrderStatus.OPEN, OrderStatus.REJECTED, OrderStatus.CANCELLED


def needed(held: Position, orders: Sequence[Order], minutes: float = 60) -> tuple[Action, ...]:
    return protection_steps(held, orders, Decimal("0.00001"), at(minutes))


def test_a_fresh_position_gets_its_first_oco():
    assert needed(HELD, [order(1, position_id="T1")]) == (Protect(position=HELD, number=1, quantity=HELD.quantity),)


@pytest.mark.parametrize("status", [OrderStatus.OPEN, OrderStatus.INTENT, OrderStatus.UNKNOWN])
def test_an_oco_that_fits_is_left_alone_even_while_its_answer_is_awaited(status: OrderStatus):
    assert needed(HELD, [oco(2, status=status)]) == ()


def test_an_oco_of_another_size_is_replaced_by_the_next_one():
    small = oco(2, status=OPEN, quantity=Decimal(1))
    assert needed(HELD, [small]) == (Cancel(order=small),), "and nothing is placed while it may still sell"
    gone = replace(small, status=CANCELLED, cancel_requested_at=at(1))
    assert needed(HELD, [gone]) == (Protect(position=HELD, number=2, quantity=HELD.quantity),)


def test_of_an_oco_that_is_partly_filled_the_rest_counts():
    half_done = oco(2, status=OPEN, quantity=Decimal(3), filled=Decimal(1))
    assert needed(HELD, [half_done]) == ()


def test_one_oco_is_enough():
    first, second = oco(2, status=OPEN), oco(3, status=OPEN)
    assert needed(HELD, [first, second]) == (Cancel(order=second),)


@pytest.mark.parametrize("status", [OrderStatus.CANCELLED, OrderStatus.REJECTED, OrderStatus.FILLED])
def test_an_oco_that_is_over_is_followed_by_another(status: OrderStatus):
    assert needed(HELD, [oco(2, status=status)]) == (Protect(position=HELD, number=2, quantity=HELD.quantity),)


def test_while_it_is_being_sold_nothing_is_placed():
    assert needed(HELD, [leaving(2, status=OPEN)]) == ()
    assert needed(HELD, [leaving(2, status=OrderStatus.CANCELLED)]) == (
        Protect(position=HELD, number=1, quantity=HELD.quantity),
    )


@pytest.mark.parametrize("status", [OPEN, OrderStatus.UNKNOWN])
def test_while_a_part_is_being_sold_the_rest_gets_its_oco(status: OrderStatus):
    part = leaving(3, status=status, quantity=Decimal("1.5"), filled=Decimal("0.5"))
    assert needed(HELD, [part]) == (Protect(position=HELD, number=1, quantity=Decimal(1)),)
    whole, rest = oco(2, status=OPEN), oco(2, status=OPEN, quantity=Decimal(1))
    assert needed(HELD, [whole, part]) == (Cancel(order=whole),)
    assert needed(HELD, [rest, part]) == ()


def test_a_sale_of_a_part_that_is_not_sent_yet_changes_nothing():
    assert needed(HELD, [oco(2, status=OPEN), leaving(3, quantity=Decimal(1))]) == ()


def test_nothing_is_needed_once_it_is_closed_or_without_a_stop():
    assert needed(closed_position(), []) == ()
    assert needed(position(stop=None), []) == ()


def test_of_a_closed_position_nothing_stays_behind_that_could_sell_somebody_elses_coins():
    standing, exit_ = oco(2, status=OPEN), leaving(3, status=OrderStatus.UNKNOWN)
    assert needed(closed_position(id="T1"), [standing, exit_]) == (Cancel(order=standing), Cancel(order=exit_))
    assert needed(closed_position(id="T1"), [leaving(4)]) == (), "it was never sent, and will not be"


def test_an_exit_of_more_than_is_held_is_taken_back():
    """Somebody else has sold a part of it meanwhile."""
    exit_ = leaving(2, status=OPEN, quantity=Decimal(3), filled=Decimal("0.5"))
    assert needed(HELD, [exit_]) == (Cancel(order=exit_),)
    assert needed(HELD, [replace(exit_, filled=Decimal(1))]) == ()


def test_what_the_venue_refused_is_asked_for_again_after_a_pause_that_grows():
    once, twice = oco(2, status=REJECTED, reason="no"), oco(3, status=REJECTED, reason="no", created_at=at(10))
    assert needed(HELD, [once], minutes=0.1) == ()
    assert needed(HELD, [once], minutes=0.2) == (Protect(position=HELD, number=2, quantity=HELD.quantity),)
    assert needed(HELD, [once, twice], minutes=10.3) == ()
    assert needed(HELD, [once, twice], minutes=10.4) == (Protect(position=HELD, number=3, quantity=HELD.quantity),)
