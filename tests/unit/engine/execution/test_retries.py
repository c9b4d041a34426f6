"""When a sale that came to nothing at the venue is tried again."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.orders import OrderStatus, Purpose, Unsent
from engine.execution.retries import FIRST_PAUSE, LONGEST_PAUSE, failures, not_before, pause_after
from tests.fakes.engine import at
from tests.fakes.venue import leaving, oco

REJECTED, CANCELLED, FILLED = OrderStatus.REJECTED, OrderStatus.CANCELLED, OrderStatus.FILLED


@given(st.integers(min_value=1, max_value=10**6))
def test_a_pause_never_gets_shorter_and_has_a_longest(failed: int):
    assert FIRST_PAUSE <= pause_after(failed) <= pause_after(failed + 1) <= LONGEST_PAUSE


def test_pauses_double_from_ten_seconds_to_half_an_hour():
    pauses = [pause_after(failed) for failed in range(1, 10)]
    assert pauses[0] == timedelta(seconds=10)
    assert all(after in (2 * before, timedelta(minutes=30)) for before, after in pairwise(pauses))
    assert pauses[-1] == timedelta(minutes=30)


def test_nothing_that_failed_needs_no_pause():
    assert not_before([], Purpose.EXIT) is None
    assert not_before([oco(1, status=OrderStatus.OPEN), leaving(2)], Purpose.EXIT) is None


def test_it_is_counted_from_the_newest_that_failed():
    orders = [leaving(n, status=REJECTED, reason="closed", created_at=at(n)) for n in (1, 2, 3)]
    assert not_before(orders, Purpose.EXIT) == at(3) + timedelta(seconds=40)
    assert not_before(orders, Purpose.PROTECTION) is None


@pytest.mark.parametrize(
    "taken",
    [
        leaving(4, status=FILLED, filled=Decimal(2)),
        leaving(4, status=OrderStatus.OPEN),
        leaving(4, status=CANCELLED, filled=Decimal(1)),
        leaving(4, status=CANCELLED, cancel_requested_at=at(4)),
    ],
)
def test_one_that_the_venue_took_ends_the_row(taken):
    refused = [leaving(n, status=REJECTED, reason="closed") for n in (1, 2, 3)]
    assert failures([*refused, taken], Purpose.EXIT) == ()


@pytest.mark.parametrize("unsent", [Unsent.WITHHELD, Unsent.STOPPED])
def test_what_the_venue_has_never_seen_does_not_count(unsent: Unsent):
    refused = leaving(1, status=REJECTED, reason="closed")
    assert failures([refused, leaving(2, status=REJECTED, unsent=unsent)], Purpose.EXIT) == (refused,)


@pytest.mark.parametrize("status", [status for status in OrderStatus if status.in_doubt])
def test_what_is_in_doubt_does_not_count_yet(status: OrderStatus):
    refused = leaving(1, status=REJECTED, reason="closed")
    assert failures([refused, leaving(2, status=status)], Purpose.EXIT) == (refused,)


def test_one_that_was_lost_is_sent_again_at_once_and_a_row_of_them_waits_like_refusals():
    lost = [oco(n, status=REJECTED, unsent=Unsent.LOST, created_at=at(n)) for n in (1, 2, 3)]
    assert not_before(lost[:1], Purpose.PROTECTION) is None
    assert not_before(lost[:2], Purpose.PROTECTION) == at(2) + timedelta(seconds=20)
    assert not_before(lost, Purpose.PROTECTION) == at(3) + timedelta(seconds=40)


def test_an_order_that_the_venue_ends_at_once_failed_too():
    """It would be placed and ended again and again."""
    ended = leaving(1, status=CANCELLED)
    assert failures([ended], Purpose.EXIT) == (ended,)
