"""What closing a position comes to: whole lots, never more than is held, and no rest that could not be sold."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.closing import Sale, Unsold
from engine.domain.market import Market
from engine.execution.closing import confirmed, sale_of
from tests.fakes.reports import closed_position, position

BTC = Market(symbol="BTC/USDT", lot=Decimal("0.001"), min_notional=Decimal(10))
PRICE = Decimal(100)
LOTS = st.integers(1, 100_000).map(BTC.quantity)
PRICES = st.decimals("0.01", "100000", places=2)
SHARES = st.decimals("0.0001", "1", places=4).filter(bool)


def sale(held: str, share: str = "1", free: str = "", price: Decimal = PRICE) -> Sale | Unsold:
    own = position(id="T3", quantity=Decimal(held), entry_price=Decimal(90))
    return sale_of(own, Decimal(free or held), BTC, price, Decimal(share))


def sold(held: str, share: str = "1", free: str = "") -> tuple[str, str, bool]:
    found = sale(held, share, free)
    assert isinstance(found, Sale)
    return str(found.quantity), str(found.rest), found.widened


@pytest.mark.parametrize(
    ("asked", "comes_to"),
    [
        (("2",), ("2.000", "0.000", False)),
        (("2", "0.5"), ("1.000", "1.000", False)),
        (("0.777", "0.5"), ("0.388", "0.389", False)),
        (("2", "0.96"), ("2.000", "0.000", True)),
        (("2", "1", "0.5"), ("0.500", "0.000", False)),
        (("2", "0.5", "0.4"), ("0.400", "0.000", False)),
        (("0.05",), ("0.050", "0.000", False)),
        (("0.0505",), ("0.050", "0.0005", False)),
    ],
)
def test_a_share_is_so_many_whole_lots_and_all_where_the_rest_would_be_too_small(asked, comes_to):
    assert sold(*asked) == comes_to


@pytest.mark.parametrize(("share", "net"), [("1", "19.62"), ("0.5", "9.81")])
def test_what_it_makes_is_of_what_is_sold_and_after_the_fees_of_both_its_ends(share: str, net: str):
    """2 bought at 90 for a fee of 0.18, a thousandth; sold at 100 for as much of what that brings."""
    own = position(
        quantity=Decimal(2), entry_price=Decimal(90), bought=Decimal(2), cost=Decimal(180), fees=Decimal("0.18")
    )
    found = sale_of(own, own.quantity, BTC, PRICE, Decimal(share))
    assert isinstance(found, Sale)
    assert found.net == Decimal(net)
    assert found.share == found.net / (180 * Decimal(share))


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (("2", "1", "0"), "all of it is being sold already"),
        (("2", "0.0001"), "less than the smallest step, 0.001 BTC"),
        (("2", "0.01"), r"0.02 BTC are worth 2.00 USDT, and the least is 10 USDT; /close T3 closes all of it"),
        (("0.0001",), "less than the smallest step"),
    ],
)
def test_what_no_venue_would_take_is_refused_with_its_reason(asked, reason):
    found = sale(*asked)
    assert isinstance(found, Unsold)
    assert reason in found.reason


@given(LOTS, LOTS, PRICES, SHARES)
def test_never_more_than_is_held_and_never_a_rest_that_could_not_be_sold(held, taken, price, share):
    own = position(id="T3", quantity=held)
    free = held - taken
    found = sale_of(own, free, BTC, price, share)
    if isinstance(found, Sale):
        assert 0 < found.quantity <= free
        assert found.quantity % BTC.lot == 0
        assert found.quantity + found.rest == free
        assert found.quantity >= min(free, BTC.quantity(BTC.lots(held * share)))
        assert not 0 < found.rest * price < BTC.min_notional
        assert not (found.rest and found.quantity * price < BTC.min_notional)
        assert confirmed(found, own, free, price) == found.quantity, "what was named is what is sold"


@given(LOTS, LOTS, LOTS, PRICES, PRICES, SHARES)
def test_a_press_never_sells_more_than_was_named_or_is_held(held, later, taken, price, price_later, share):
    named = sale_of(position(id="T3", quantity=held), held, BTC, price, share)
    if not isinstance(named, Sale):
        return
    ruled = confirmed(named, position(id="T3", quantity=later), later - taken, price_later)
    if isinstance(ruled, Decimal):
        assert 0 < ruled <= min(named.quantity, later - taken)
        assert ruled % BTC.lot == 0
        assert later <= held


def ruled(held: str, *, named: str = "2", share: str = "1", free: str = "", price: Decimal = PRICE) -> str:
    found = sale(named, share)
    assert isinstance(found, Sale)
    own = position(id="T3", quantity=Decimal(held))
    came_to = confirmed(found, own, Decimal(free or held), price)
    return came_to.reason if isinstance(came_to, Unsold) else f"{came_to}"


def test_at_the_press_it_is_what_was_named_or_what_is_left_of_it():
    assert ruled("2") == "2.000"
    assert ruled("1.5") == "1.500"
    assert ruled("2", free="0.5") == "0.500"
    assert ruled("1.5", share="0.5") == "1.000"


def test_a_part_that_would_be_all_by_now_is_asked_for_again():
    """Half was confirmed, and the other half has been sold meanwhile, or is being sold."""
    again = "only 1 BTC of it can be sold now, so that would be all: /close T3 asks again"
    assert ruled("1", share="0.5") == again
    assert ruled("2", share="0.5", free="1") == again
    assert ruled("0.7", share="0.5") == again.replace("only 1 ", "only 0.7 ")


def test_what_has_grown_is_sold_already_or_too_small_now_is_left_alone():
    assert ruled("3") == "it holds 3 BTC now, not 2: /close T3 asks again"
    assert ruled("2", free="0") == "all of it is being sold already"
    assert (
        ruled("1.05", share="0.5") == "0.05 BTC are worth 5.00 USDT, and the least is 10 USDT now: /close T3 asks again"
    )
    assert ruled("2", share="0.5", price=Decimal(9)).startswith("1 BTC are worth 9.00 USDT")
    found = sale("2")
    assert isinstance(found, Sale)
    gone = confirmed(found, replace(closed_position(), id="T3"), Decimal(0), PRICE)
    assert isinstance(gone, Unsold)
    assert gone.reason == "it was closed meanwhile"
