"""What is to be traded."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.fakes.feed import BTC
from tests.fakes.reports import plan


def test_a_plan_knows_its_value_and_what_it_risks():
    wanted = plan(quantity=Decimal(2), price=Decimal(100), stop=Decimal(95))
    assert (wanted.notional, wanted.risk) == (Decimal(200), Decimal(10))
    assert plan(quantity=Decimal(2), price=Decimal(100), stop=None).risk == Decimal(200)


@pytest.mark.parametrize(("whole", "half"), [("2", "1"), ("0.003", "0.001"), ("0.001", "0")])
def test_half_is_rounded_down_to_whole_lots(whole: str, half: str):
    assert plan(quantity=Decimal(whole)).halved(BTC).quantity == Decimal(half)


@pytest.mark.parametrize(
    ("share", "stop"), [("0.5", "97.5"), ("1", "95"), ("0.3333", "98.34"), ("0.0001", "99.99"), ("0.05", "99.75")]
)
def test_a_tighter_stop_is_nearer_and_never_at_the_price(share: str, stop: str):
    wanted = plan(quantity=Decimal(2), price=Decimal(100), stop=Decimal(95))
    tight = wanted.tightened(Decimal(share), BTC)
    assert (tight.stop, tight.quantity) == (Decimal(stop), Decimal(2))
    assert tight.risk <= wanted.risk


@pytest.mark.parametrize(("wanted", "stop"), [("98.333", "98.34"), ("94", "95"), ("95", "95"), ("99.99", "99.75")])
def test_a_stop_that_somebody_wants_is_never_lower_and_never_in_the_spread(wanted: str, stop: str):
    tight = plan(quantity=Decimal(2), price=Decimal(100), stop=Decimal(95)).stopped_above(Decimal(wanted), BTC)
    assert (tight.stop, tight.quantity) == (Decimal(stop), Decimal(2))


def test_where_there_is_no_stop_there_is_none_to_tighten():
    assert plan(stop=None).tightened(Decimal("0.5"), BTC).stop is None
    assert plan(stop=None).stopped_above(Decimal(99), BTC).stop is None
